package quant

// Run computes the logits of one map.
//
// in is the map, [row][column][channel] as Arch().Input says, any values. dst
// gets the logits, one for each class, in 1/256 nat and within LogitLimit. s
// comes from this network's NewScratch and belongs to one Run at a time. Nothing
// is allocated and nothing but dst is kept. The error is ErrSize when a length
// is wrong, and dst is then unchanged.
func (n *Network) Run(dst []int32, in []uint8, s *Scratch) error {
	if len(dst) != n.arch.Classes() || len(in) != n.shapes[0].Size() || s == nil || s.owner != n {
		return ErrSize
	}
	src, spare, used := in, s.front, s.back
	for _, st := range n.steps {
		out := spare[:n.shapes[st.end].Size()]
		st.run(out, src, s)
		src, spare, used = out, used, spare
	}
	n.head.run(dst, src, s)
	return nil
}

// RunReference computes the same as Run from the plain reference kernels. It is
// slow, allocates, and is there to check against.
func (n *Network) RunReference(dst []int32, in []uint8) error {
	if len(dst) != n.arch.Classes() || len(in) != n.shapes[0].Size() {
		return ErrSize
	}
	src, last := in, len(n.arch.Layers)-1
	for i, l := range n.arch.Layers[:last] {
		out := make([]uint8, n.shapes[i+1].Size())
		switch l.Kind {
		case Conv:
			convReference(out, src, l, n.shapes[i], n.params[i])
		case MaxPool:
			poolReference(out, src, l, n.shapes[i])
		case Dense:
			denseReference(out, src, n.params[i])
		}
		src = out
	}
	logitsReference(dst, src, n.params[last])
	return nil
}
