package quant

// kernel computes one layer but the last, or several in one go. dst and src have
// the shape of their output and input, [row][column][channel], and do not
// overlap; s gives working memory. Whatever it does inside, it must match the
// reference bit for bit.
type kernel interface {
	run(dst, src []uint8, s *Scratch)
	grower
}

// headKernel computes the last layer: dst is the logits.
type headKernel interface {
	run(dst []int32, src []uint8, s *Scratch)
	grower
}

// grower makes s large enough for its run.
type grower interface{ grow(s *Scratch) }

// step is a kernel at its place in a network.
type step struct {
	kernel
	end int // the first layer behind it
}

// prepare chooses the kernels of n and lays out the weights as they like them.
// u is the vector unit to use, nil for portable Go.
func (n *Network) prepare(u *vectorUnit) {
	n.unit, n.steps = u, nil
	last := len(n.arch.Layers) - 1
	for i := 0; i < last; {
		k, layers := n.newKernel(i)
		i += layers
		n.steps = append(n.steps, step{k, i})
	}
	if u == nil {
		n.head = newPackedHead(n.shapes[last], n.params[last])
	} else {
		n.head = newVectorHead(u, n.shapes[last], n.params[last])
	}
}

// newKernel returns the fastest kernel there is for layer i, and how many layers
// it computes from there on.
func (n *Network) newKernel(i int) (k kernel, layers int) {
	l, in, p := n.arch.Layers[i], n.shapes[i], n.params[i]
	switch l.Kind {
	case Conv:
		if n.unit == nil || !vectorConvFits(l, in) {
			return newPackedConv(l, in, p), 1
		}
		if halves(n.arch.Layers[i+1]) {
			return newVectorConv(n.unit, l, in, p, true), 2
		}
		return newVectorConv(n.unit, l, in, p, false), 1
	case MaxPool:
		if n.unit == nil {
			return newWordPool(l, in), 1
		}
		return newVectorPool(n.unit, l, in), 1
	default:
		if n.unit == nil {
			return newPackedDense(in, p), 1
		}
		return newVectorDense(n.unit, in, p), 1
	}
}

// halves reports whether l is the pool that a convolution can do on the way.
func halves(l Layer) bool {
	v, h := l.strides()
	return l.Kind == MaxPool && l.Height == 2 && l.Width == 2 && v == 2 && h == 2
}

// Scratch is the working memory of one Run at a time. The caller owns it.
type Scratch struct {
	owner       *Network
	front, back []uint8  // activations between layers, by turns
	cells       cellList // of the layer at work, in portable Go
	window      []cell   // of the convolution at work, in portable Go
	busy        []uint8  // the tiles to be computed, see busyTiles
	staged      []uint8  // the input of the layer at work, as the vector unit reads it
	sums        []int32  // accumulators of the vector unit
	spare       []uint8  // of the vector kernel at work
}

// NewScratch returns working memory for n's Run, to be used by one goroutine at
// a time.
func (n *Network) NewScratch() *Scratch {
	s := &Scratch{owner: n}
	for _, st := range n.steps {
		st.grow(s)
		s.front = atLeast(s.front, n.shapes[st.end].Size())
	}
	s.back = make([]uint8, len(s.front))
	n.head.grow(s)
	return s
}

// atLeast returns b if it has n entries, and otherwise a slice that has.
func atLeast[T any](b []T, n int) []T {
	if len(b) < n {
		return make([]T, n)
	}
	return b
}
