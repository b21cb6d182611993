package quant

// packedDense computes a dense layer in portable Go: a list of the inputs that
// are not 0, and 8 outputs at a time.
type packedDense struct {
	in     Shape // flat
	blocks []block
}

func newPackedDense(in Shape, p Params) *packedDense {
	return &packedDense{Shape{1, 1, in.Size()}, packBlocks(p)}
}

// grow implements kernel and headKernel.
func (k *packedDense) grow(s *Scratch) { s.cells.grow(k.in) }

// run implements kernel: the layer and its ReLU.
func (k *packedDense) run(dst, src []uint8, s *Scratch) {
	s.cells.fill(src, k.in)
	for i := range k.blocks {
		b := &k.blocks[i]
		b.activations(dst, s.cells.run(0, 1))
		dst = dst[b.outs:]
	}
}

// packedHead computes the last dense layer.
type packedHead struct{ packedDense }

func newPackedHead(in Shape, p Params) *packedHead {
	return &packedHead{*newPackedDense(in, p)}
}

// run implements headKernel.
func (k *packedHead) run(dst []int32, src []uint8, s *Scratch) {
	s.cells.fill(src, k.in)
	for i := range k.blocks {
		b := &k.blocks[i]
		b.logits(dst, s.cells.run(0, 1))
		dst = dst[b.outs:]
	}
}
