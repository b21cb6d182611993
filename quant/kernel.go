package quant

// kernel computes one layer but the last. dst and src have the layer's output
// and input shape, [row][column][channel], and do not overlap; s gives working
// memory. Whatever it does inside, it must match the reference bit for bit.
type kernel interface {
	run(dst, src []uint8, s *Scratch)
}

// headKernel computes the last layer: dst is the logits.
type headKernel interface {
	run(dst []int32, src []uint8, s *Scratch)
}

// prepare chooses the kernels of n and lays out the weights as they like them.
func (n *Network) prepare() {
	last := len(n.arch.Layers) - 1
	for i, l := range n.arch.Layers[:last] {
		n.kernels = append(n.kernels, newKernel(l, n.shapes[i], n.params[i]))
	}
	n.head = newPackedHead(n.shapes[last], n.params[last])
}

// newKernel returns the fastest kernel there is for a layer. Those for one
// architecture's vector unit take their place here.
func newKernel(l Layer, in Shape, p Params) kernel {
	switch l.Kind {
	case Conv:
		return newPackedConv(l, in, p)
	case MaxPool:
		return newWordPool(l, in)
	default:
		return newPackedDense(in, p)
	}
}

// Scratch is the working memory of one Run at a time. The caller owns it.
type Scratch struct {
	owner       *Network
	front, back []uint8  // activations between layers, by turns
	cells       cellList // of the layer at work
	window      []cell   // of the convolution at work
}

// NewScratch returns working memory for n's Run, to be used by one goroutine at
// a time.
func (n *Network) NewScratch() *Scratch {
	largest, pixels, window := 0, 1, 0
	for i, s := range n.shapes {
		largest = max(largest, s.Size())
		pixels = max(pixels, s.Height*s.Width)
		if i < len(n.arch.Layers) {
			window = max(window, min(n.arch.Layers[i].fanIn(s), s.Size()))
		}
	}
	return &Scratch{
		owner:  n,
		front:  make([]uint8, largest),
		back:   make([]uint8, largest),
		cells:  newCellList(largest, pixels),
		window: make([]cell, window),
	}
}
