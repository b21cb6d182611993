package quant

// convReference computes a convolution and its ReLU, output by output.
//
// src has shape in and dst shape l.Output(in), both [row][column][channel] of 0
// to 255; p is that of the layer, valid for it. This is the definition that
// every other kernel must match bit for bit.
func convReference(dst, src []uint8, l Layer, in Shape, p Params) {
	win, out := newWindow(l, in), l.Output(in)
	for y := range out.Height {
		for x := range out.Width {
			for o := range out.Channels {
				acc := p.Bias[o]
				firstRow, endRow := win.rows(y, in.Height)
				for row := firstRow; row < endRow; row++ {
					firstCol, endCol := win.columns(x, in.Width)
					for col := firstCol; col < endCol; col++ {
						ky := row - (y*win.strideV - win.padTop)
						kx := col - (x*win.strideH - win.padLeft)
						for c := range in.Channels {
							weight := p.Weights[((ky*l.Width+kx)*in.Channels+c)*out.Channels+o]
							acc += int32(weight) * int32(src[(row*in.Width+col)*in.Channels+c])
						}
					}
				}
				dst[(y*out.Width+x)*out.Channels+o] = requantize(acc, p.Mult[o], p.Shift[o])
			}
		}
	}
}
