package onnx

import (
	"math"
	"math/bits"
	"testing"

	"edgescan/quant"
)

// TestFloat32RoundsOneOffAtMost bounds what Unsigned and Signed lose, in the
// network that the program ships with: a QLinearConv rounds the product of two
// float32 to the nearest integer, halves to even, and quant the exact product,
// halves upwards.
func TestFloat32RoundsOneOffAtMost(t *testing.T) {
	n, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	arch := n.Arch()
	all, otherwise := int64(0), 0
	for i := range arch.Layers[:len(arch.Layers)-1] {
		p := n.Params(i)
		for o := range p.Mult {
			all += leastAbove(p.Mult[o], p.Shift[o], 254)
			for _, acc := range roundedOtherwise(p, o) {
				otherwise++
				if d := exactly(acc, p, o) - inFloat32(acc, p, o); d < -1 || d > 1 {
					t.Errorf("layer %d, output %d, accumulator %d: %d, in float32 %d", i, o, acc, exactly(acc, p, o), inFloat32(acc, p, o))
				}
			}
		}
	}
	t.Logf("of %d accumulators that give 0 to 254, %d are rounded otherwise in float32", all, otherwise)
	if int64(otherwise)*10_000 > all {
		t.Error("more than one accumulator in 10 000")
	}
}

// roundedOtherwise returns the accumulators of output o that float32 rounds
// otherwise. Both roundings grow with the accumulator, so they can differ only
// next to those where the output grows: within four units in the last place,
// which is more than rounding the scale, the accumulator and the product add up
// to.
func roundedOtherwise(p quant.Params, o int) []int64 {
	var accs []int64
	for k := range int64(255) {
		step := leastAbove(p.Mult[o], p.Shift[o], k)
		reach := step>>22 + 2
		for acc := max(step-reach, 0); acc <= min(step+reach, math.MaxInt32); acc++ {
			if exactly(acc, p, o) != inFloat32(acc, p, o) {
				accs = append(accs, acc)
			}
		}
	}
	return accs
}

// leastAbove returns the least accumulator that is requantized to more than k,
// or the largest there is.
func leastAbove(mult int32, shift uint8, k int64) int64 {
	// acc*mult >= (2k+1) << (shift-1), in 128 bits.
	high, low := bits.Mul64(uint64(2*k+1), 1<<(shift-1))
	if high >= uint64(mult) {
		return math.MaxInt32
	}
	acc, rest := bits.Div64(high, low, uint64(mult))
	if rest > 0 {
		acc++
	}
	return int64(min(acc, math.MaxInt32))
}

// exactly requantizes as quant.Params defines it.
func exactly(acc int64, p quant.Params, o int) int64 {
	return min(max((acc*int64(p.Mult[o])+1<<(p.Shift[o]-1))>>p.Shift[o], 0), 255)
}

// inFloat32 requantizes as a QLinearConv does.
func inFloat32(acc int64, p quant.Params, o int) int64 {
	return int64(min(max(math.RoundToEven(float64(float32(acc)*scales(p)[o])), 0), 255))
}
