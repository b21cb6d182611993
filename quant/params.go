package quant

import (
	"fmt"
	"math"
)

// Params are the parameters of one layer; those of a pool are empty.
//
// Weights are -127 to 127, as the float network has them: [height][width][in
// channel][out channel] (HWIO) of a convolution, [in][out] of a dense layer,
// whose inputs are in height, width, channel order. Either is a matrix with one
// column for each output, and the layers are computed as such.
//
// The others have one entry for each output. Bias is in units of the
// accumulator (input scale times weight scale). Mult and Shift turn the
// accumulator into the output, see Multiplier: Mult is 0 to 2^31-1, Shift 1 to
// 62. Outputs are activations of 0 to 255, those of the last layer logits in
// 1/256 nat.
type Params struct {
	Weights []int8
	Bias    []int32
	Mult    []int32
	Shift   []uint8
}

// validate checks p against the layer that it is for: lengths, ranges, and that
// no accumulator can overflow.
func (p Params) validate(l Layer, in Shape) error {
	fanIn, outs := l.fanIn(in), l.Out
	if len(p.Weights) != fanIn*outs {
		return fmt.Errorf("%d weights, need %d x %d", len(p.Weights), fanIn, outs)
	}
	if len(p.Bias) != outs || len(p.Mult) != outs || len(p.Shift) != outs {
		return fmt.Errorf("%d biases, %d multipliers, %d shifts, need %d of each",
			len(p.Bias), len(p.Mult), len(p.Shift), outs)
	}
	for o := range outs {
		if p.Mult[o] < 0 || p.Shift[o] < minShift || p.Shift[o] > maxShift {
			return fmt.Errorf("output %d: multiplier %d, shift %d out of range", o, p.Mult[o], p.Shift[o])
		}
	}
	return p.validateAccumulators(outs)
}

// validateAccumulators proves that 32 bits hold every accumulator. An input is
// 0 to 255, so whatever the input and whatever part of the sum has been formed,
//
//	|acc| <= |bias| + 255 * sum |weight|
//
// and a network for which the right side exceeds 2^31-1 is refused.
func (p Params) validateAccumulators(outs int) error {
	bounds := make([]int64, outs)
	for o, b := range p.Bias {
		bounds[o] = max(int64(b), -int64(b))
	}
	for i, w := range p.Weights {
		if w == math.MinInt8 {
			return fmt.Errorf("weight %d is -128, must be -127 to 127", i)
		}
		bounds[i%outs] += 255 * max(int64(w), -int64(w))
	}
	for o, b := range bounds {
		if b > math.MaxInt32 {
			return fmt.Errorf("output %d: the accumulator can reach %d, beyond 32 bits", o, b)
		}
	}
	return nil
}
