package quant

// vectorPool takes maxima on a vector unit: first of whole input rows, then of
// the pixels in them.
type vectorPool struct {
	unit    *vectorUnit
	win     window
	in, out Shape
}

func newVectorPool(u *vectorUnit, l Layer, in Shape) *vectorPool {
	return &vectorPool{u, newWindow(l, in), in, l.Output(in)}
}

// grow implements kernel.
func (k *vectorPool) grow(s *Scratch) { s.spare = atLeast(s.spare, k.in.Width*k.in.Channels) }

// run implements kernel.
func (k *vectorPool) run(dst, src []uint8, s *Scratch) {
	n, channels := k.in.Width*k.in.Channels, k.in.Channels
	row := s.spare[:n]
	for y := range k.out.Height {
		first, end := k.win.rows(y, k.in.Height)
		copy(row, src[first*n:])
		for r := first + 1; r < end; r++ {
			k.unit.maxBytes(&row[0], &src[r*n:][:n][0], n)
		}
		for x := range k.out.Width {
			firstCol, endCol := k.win.columns(x, k.in.Width)
			pixel := dst[:channels]
			dst = dst[channels:]
			copy(pixel, row[firstCol*channels:])
			for c := firstCol + 1; c < endCol; c++ {
				maxBytes(pixel, row[c*channels:][:channels])
			}
		}
	}
}
