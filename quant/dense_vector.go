package quant

// vectorDense computes a dense layer on a vector unit, 8 outputs at a time, from
// a staged copy of its input.
type vectorDense struct {
	unit   *vectorUnit
	inputs int
	groups int // of inputs
	blocks []vectorBlock
}

func newVectorDense(u *vectorUnit, in Shape, p Params) *vectorDense {
	n := in.Size()
	return &vectorDense{u, n, ceilDiv(n, u.layout.group), packVectors(p, n, u.layout)}
}

// grow implements kernel and headKernel.
func (k *vectorDense) grow(s *Scratch) {
	s.staged = atLeast(s.staged, k.groups*k.unit.layout.group*k.unit.layout.element)
	s.sums = atLeast(s.sums, lanes)
	s.spare = atLeast(s.spare, lanes)
}

// run implements kernel: the layer and its ReLU.
func (k *vectorDense) run(dst, src []uint8, s *Scratch) {
	k.stage(s, src)
	for i := range k.blocks {
		b := &k.blocks[i]
		sums := k.sum(s, b)
		k.unit.requantize(&s.spare[0], &sums[0], 1, lanes, &b.rescale)
		dst = dst[copy(dst, s.spare[:b.outs]):]
	}
}

// stage copies src. What is left of the last group meets weights of 0.
func (k *vectorDense) stage(s *Scratch, src []uint8) {
	src = src[:k.inputs]
	k.unit.stage(&s.staged[0], &src[0], k.inputs)
}

// sum computes the sums of one block.
func (k *vectorDense) sum(s *Scratch, b *vectorBlock) *[lanes]int32 {
	sums := (*[lanes]int32)(s.sums)
	k.unit.dense(sums, &s.staged[0], &b.weights[0], &b.bias, k.groups)
	return sums
}

// vectorHead computes the last dense layer.
type vectorHead struct {
	vectorDense
	params Params
}

func newVectorHead(u *vectorUnit, in Shape, p Params) *vectorHead {
	return &vectorHead{*newVectorDense(u, in, p), p}
}

// run implements headKernel.
func (k *vectorHead) run(dst []int32, src []uint8, s *Scratch) {
	k.stage(s, src)
	for i := range k.blocks {
		for j, sum := range k.sum(s, &k.blocks[i])[:k.blocks[i].outs] {
			o := i*lanes + j
			dst[o] = requantizeLogit(sum, k.params.Mult[o], k.params.Shift[o])
		}
	}
}
