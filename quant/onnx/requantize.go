package onnx

import "edgescan/quant"

// requantize adds what turns the sums of a layer, int32 [N, out, height, width]
// and without the bias, into outputs of low to high of the type given, as
// quant.Params defines it:
//
//	((sum+bias)*mult + 1<<(shift-1)) >> shift
//
// It is computed in 64 bits as (x - x mod 2^shift) / 2^shift with
//
//	x = sum*mult + offset, offset = bias*mult + 1<<(shift-1)
//
// where mod takes the sign of its divisor, so that the division has no
// remainder and rounds down, as the shift does. quant.Build proves that sum and
// sum+bias are within 32 bits, and shift is at most 62, so nothing overflows.
func (e *encoder) requantize(name, sum string, p quant.Params, low, high, outputType int64) string {
	outs := len(p.Bias)
	mult, offset, divisor := make([]int64, outs), make([]int64, outs), make([]int64, outs)
	for o := range outs {
		mult[o] = int64(p.Mult[o])
		offset[o] = int64(p.Bias[o])*mult[o] + 1<<(p.Shift[o]-1)
		divisor[o] = 1 << p.Shift[o]
	}
	by := constant(&e.graph, name+".divisor", divisor, outs, 1, 1)
	at := e.node("Cast", name+".sum64", []string{sum}, attribute{"to", int64(typeInt64)})
	at = e.node("Mul", name+".product", []string{at, constant(&e.graph, name+".mult", mult, outs, 1, 1)})
	x := e.node("Add", name+".x", []string{at, constant(&e.graph, name+".offset", offset, outs, 1, 1)})
	at = e.node("Mod", name+".remainder", []string{x, by})
	at = e.node("Sub", name+".multiple", []string{x, at})
	at = e.node("Div", name+".quotient", []string{at, by})
	at = e.node("Clip", name+".clipped", []string{at,
		constant(&e.graph, name+".low", []int64{low}), constant(&e.graph, name+".high", []int64{high})})
	return e.node("Cast", name, []string{at}, attribute{"to", outputType})
}
