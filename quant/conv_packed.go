package quant

// packedConv computes a convolution and its ReLU in portable Go: for each output
// pixel it collects the cells of the window that are not 0, then computes 8
// channels at a time. The window's part of an input row is one stretch of the
// list of cells, since both are [column][channel].
type packedConv struct {
	win     window
	in, out Shape
	blocks  []block
}

func newPackedConv(l Layer, in Shape, p Params) *packedConv {
	return &packedConv{newWindow(l, in), in, l.Output(in), packBlocks(p)}
}

// grow implements kernel.
func (k *packedConv) grow(s *Scratch) {
	s.cells.grow(k.in)
	s.window = atLeast(s.window, min(len(k.blocks[0].weights), k.in.Size()))
}

// run implements kernel.
func (k *packedConv) run(dst, src []uint8, s *Scratch) {
	s.cells.fill(src, k.in)
	for y := range k.out.Height {
		for x := range k.out.Width {
			cells := k.collect(s.window, y, x, &s.cells)
			for i := range k.blocks {
				b := &k.blocks[i]
				b.activations(dst, cells)
				dst = dst[b.outs:]
			}
		}
	}
}

// collect copies into buf the cells that output pixel (y, x) sees, and counts
// their places in the window instead of the row: as the weights are.
func (k *packedConv) collect(buf []cell, y, x int, list *cellList) []cell {
	width, n := k.in.Width, 0
	top, left := y*k.win.strideV-k.win.padTop, x*k.win.strideH-k.win.padLeft
	firstRow, endRow := k.win.rows(y, k.in.Height)
	firstCol, endCol := k.win.columns(x, width)
	for r := firstRow; r < endRow; r++ {
		run := list.run(r*width+firstCol, r*width+endCol)
		move := cell(((r-top)*k.win.width-left)*k.in.Channels) << 8 // may wrap around, the sum does not
		to := buf[n:][:len(run)]
		for i, c := range run {
			to[i] = c + move
		}
		n += len(run)
	}
	return buf[:n]
}
