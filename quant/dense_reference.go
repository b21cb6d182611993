package quant

// denseReference computes a dense layer and its ReLU: dst[o] of 0 to 255 from
// all of src, 0 to 255.
func denseReference(dst, src []uint8, p Params) {
	for o := range dst {
		dst[o] = requantize(dotReference(src, p, o), p.Mult[o], p.Shift[o])
	}
}

// logitsReference computes the last dense layer: dst[o] in 1/256 nat from all of
// src, 0 to 255.
func logitsReference(dst []int32, src []uint8, p Params) {
	for o := range dst {
		dst[o] = requantizeLogit(dotReference(src, p, o), p.Mult[o], p.Shift[o])
	}
}

// dotReference returns the accumulator of output o of a dense layer.
func dotReference(src []uint8, p Params, o int) int32 {
	acc := p.Bias[o]
	for i, v := range src {
		acc += int32(p.Weights[i*len(p.Bias)+o]) * int32(v)
	}
	return acc
}
