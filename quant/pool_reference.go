package quant

// poolReference takes the maximum over each window, channel by channel.
//
// src has shape in and dst shape l.Output(in), both [row][column][channel] of 0
// to 255. Windows are cut off at the border, which is the same as padding with
// 0.
func poolReference(dst, src []uint8, l Layer, in Shape) {
	win, out := newWindow(l, in), l.Output(in)
	for y := range out.Height {
		for x := range out.Width {
			for c := range out.Channels {
				var largest uint8
				firstRow, endRow := win.rows(y, in.Height)
				for row := firstRow; row < endRow; row++ {
					firstCol, endCol := win.columns(x, in.Width)
					for col := firstCol; col < endCol; col++ {
						largest = max(largest, src[(row*in.Width+col)*in.Channels+c])
					}
				}
				dst[(y*out.Width+x)*out.Channels+c] = largest
			}
		}
	}
}
