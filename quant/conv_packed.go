package quant

// packedConv computes a convolution and its ReLU in portable Go: a list of the
// input cells that are not 0, and 8 outputs at a time. The window's part of an
// input row is a stretch of the list, and of the weights too, since a row of
// both is [column][channel].
type packedConv struct {
	win     window
	in, out Shape
	blocks  []block
}

func newPackedConv(l Layer, in Shape, p Params) *packedConv {
	return &packedConv{newWindow(l, in), in, l.Output(in), packBlocks(p)}
}

// run implements kernel.
func (k *packedConv) run(dst, src []uint8, s *Scratch) {
	s.cells.fill(src, k.in)
	for y := range k.out.Height {
		for x := range k.out.Width {
			k.pixel(dst[:k.out.Channels], y, x, &s.cells)
			dst = dst[k.out.Channels:]
		}
	}
}

// pixel computes the channels of output pixel (y, x).
func (k *packedConv) pixel(dst []uint8, y, x int, list *cellList) {
	firstRow, endRow := k.win.rows(y, k.in.Height)
	firstCol, endCol := k.win.columns(x, k.in.Width)
	for i := range k.blocks {
		b := &k.blocks[i]
		acc, busy := b.bias, false
		for r := firstRow; r < endRow; r++ {
			cells := list.run(r*k.in.Width+firstCol, r*k.in.Width+endCol)
			if len(cells) == 0 {
				continue
			}
			b.add(&acc, cells, k.origin(y, x, r))
			busy = true
		}
		if busy {
			b.activations(dst, &acc)
		} else {
			copy(dst, b.idle[:b.outs])
		}
		dst = dst[b.outs:]
	}
}

// origin returns what a cell's place in input row r exceeds the index of its
// weights by, in the window of output pixel (y, x).
func (k *packedConv) origin(y, x, r int) int {
	left := x*k.win.strideH - k.win.padLeft
	top := y*k.win.strideV - k.win.padTop
	return (left - (r-top)*k.win.width) * k.in.Channels
}
