//go:build onnxruntime

package onnx

import (
	"slices"
	"testing"

	"edgescan/quant"
)

// TestOnnxruntimeRoundsInFloat32 shows that the difference between the forms is
// known to the last bit: onnxruntime rounds each accumulator of the shipped
// network that TestFloat32RoundsOneOffAtMost finds otherwise, and in the exact
// form none.
func TestOnnxruntimeRoundsInFloat32(t *testing.T) {
	shipped, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	layers := shipped.Arch().Layers
	for i, l := range layers[:len(layers)-1] {
		p := shipped.Params(i)
		var maps [][]uint8
		for o := range p.Mult {
			for _, acc := range roundedOtherwise(p, o) {
				maps = append(maps, summingTo(acc))
			}
		}
		if len(maps) == 0 {
			continue
		}
		n := requantizer(t, p, l.Out)
		if d := compare(t, n, Exact, 1, maps); d.otherMaps > 0 {
			t.Errorf("layer %d, exact form: %v", i, d)
		}
		if d := compare(t, n, Unsigned, 1, maps); d.otherMaps != len(maps) || d.largest != 1 {
			t.Errorf("layer %d: %v", i, d)
		}
		t.Logf("layer %d: %d accumulators", i, len(maps))
	}
}

// addends is the number of cells of which a requantizer makes the sum.
const addends = 1 + 2*127

// requantizer returns a network with a logit of 1/256 nat for each activation
// that p makes of one and the same accumulator: the first cell of the map plus
// 127 times the sum of the others.
func requantizer(t testing.TB, p quant.Params, outs int) *quant.Network {
	t.Helper()
	sum := quant.Params{
		Weights: append(slices.Repeat([]int8{1}, outs), slices.Repeat([]int8{127}, (addends-1)*outs)...),
		Bias:    make([]int32, outs), Mult: p.Mult, Shift: p.Shift,
	}
	same := quant.Params{
		Weights: make([]int8, outs*outs), Bias: make([]int32, outs),
		Mult: slices.Repeat([]int32{2}, outs), Shift: slices.Repeat([]uint8{1}, outs),
	}
	for o := range outs {
		same.Weights[o*outs+o] = 1
	}
	n, err := quant.Build(quant.Arch{
		Input:  quant.Shape{Height: 1, Width: 1, Channels: addends},
		Layers: []quant.Layer{{Kind: quant.Dense, Out: outs}, {Kind: quant.Dense, Out: outs}},
	}, []quant.Params{sum, same}, quant.Meta{Classes: make([]string, outs)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// summingTo returns the map of which a requantizer makes the accumulator acc, at
// most 127*255*(addends-1).
func summingTo(acc int64) []uint8 {
	m := make([]uint8, addends)
	m[0] = uint8(acc % 127)
	rest := acc / 127
	for i := range m[1:] {
		v := min(rest, 255)
		m[1+i] = uint8(v)
		rest -= v
	}
	return m
}
