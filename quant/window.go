package quant

// window places the windows of a convolution or a pool on its input: output
// cell (y, x) sees the input rows y*strideV-padTop up to height rows further,
// and the columns likewise. What lies outside of the input counts as 0.
//
// Padding is that of TensorFlow and XLA ("same"): in all
// max((out-1)*stride + window - in, 0), the smaller half of it before. Since
// (out-1)*stride < in, every window covers at least one input cell.
type window struct {
	height, width    int
	strideV, strideH int
	padTop, padLeft  int
}

// newWindow returns the windows of a convolution or pool over in.
func newWindow(l Layer, in Shape) window {
	v, h := l.strides()
	return window{
		height: l.Height, width: l.Width,
		strideV: v, strideH: h,
		padTop:  padBefore(in.Height, l.Height, v),
		padLeft: padBefore(in.Width, l.Width, h),
	}
}

// Geometry tells programs that do not know "same" padding how a convolution or
// pool lies on in: the steps of its windows down and right, and the cells of
// padding above, left, below and right. Where a window ends before the border,
// the padding behind is 0.
func (l Layer) Geometry(in Shape) (steps [2]int, pads [4]int) {
	win, out := newWindow(l, in), l.Output(in)
	below := (out.Height-1)*win.strideV + win.height - in.Height - win.padTop
	right := (out.Width-1)*win.strideH + win.width - in.Width - win.padLeft
	return [2]int{win.strideV, win.strideH}, [4]int{win.padTop, win.padLeft, max(below, 0), max(right, 0)}
}

// padBefore returns the padding in front of an axis of n cells under windows of
// k cells, stride apart.
func padBefore(n, k, stride int) int {
	return max((ceilDiv(n, stride)-1)*stride+k-n, 0) / 2
}

// rows returns the input rows first <= y < end that output row y sees, of n.
func (w window) rows(y, n int) (first, end int) {
	top := y*w.strideV - w.padTop
	return max(top, 0), min(top+w.height, n)
}

// columns returns the input columns first <= x < end that output column x sees,
// of n.
func (w window) columns(x, n int) (first, end int) {
	left := x*w.strideH - w.padLeft
	return max(left, 0), min(left+w.width, n)
}
