package onnx

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"testing"

	"edgescan/quant"
)

// architectures are networks with all that a layer can be: odd extents, strides,
// windows cut off at the border, windows apart from each other and larger than
// their input, several dense layers, nothing but one.
var architectures = map[string]quant.Arch{
	"small": {Input: quant.Shape{Height: 5, Width: 7, Channels: 3}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 3, Width: 3, Stride: 2, Out: 9},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 5},
		{Kind: quant.Dense, Out: 3},
	}},
	"cut": {Input: quant.Shape{Height: 11, Width: 13, Channels: 2}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 4, Width: 2, Out: 6},
		{Kind: quant.MaxPool, Height: 3, Width: 4, Stride: 2},
		{Kind: quant.Conv, Height: 2, Width: 3, Stride: 1, Across: 3, Out: 8},
		{Kind: quant.MaxPool, Height: 1, Width: 2, Stride: 3, Across: 1},
		{Kind: quant.Dense, Out: 4},
	}},
	"wide": {Input: quant.Shape{Height: 3, Width: 2, Channels: 17}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 5, Width: 7, Out: 33},
		{Kind: quant.MaxPool, Height: 5, Width: 5, Stride: 1},
		{Kind: quant.Dense, Out: 2},
	}},
	"dense": {Input: quant.Shape{Height: 2, Width: 3, Channels: 4}, Layers: []quant.Layer{{Kind: quant.Dense, Out: 3}}},
	"shipped": {Input: quant.Shape{Height: 32, Width: 48, Channels: 8}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 8},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 16},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 32},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 64},
		{Kind: quant.Dense, Out: 4},
	}},
}

// newRand returns random numbers that are the same in each run.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// randomNetwork returns a network of random weights, the activations of which
// spread over 0 to 255 and beyond. One output of each layer has multiplier 0.
func randomNetwork(t testing.TB, r *rand.Rand, arch quant.Arch) *quant.Network {
	t.Helper()
	shapes := arch.Shapes()
	params := make([]quant.Params, len(arch.Layers))
	for i, l := range arch.Layers {
		if l.Kind != quant.MaxPool {
			params[i] = randomParams(r, l, shapes[i])
		}
	}
	meta := quant.Meta{Featurizer: "noise", Threshold: quant.One / 2, Provenance: quant.Provenance{Seed: 7, Data: "random weights"}}
	for o := range arch.Classes() {
		meta.Classes = append(meta.Classes, string(rune('a'+o)))
	}
	n, err := quant.Build(arch, params, meta)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func randomParams(r *rand.Rand, l quant.Layer, in quant.Shape) quant.Params {
	height, width := kernel(l, in)
	fanIn := height * width * in.Channels
	p := quant.Params{Weights: make([]int8, fanIn*l.Out)}
	for i := range p.Weights {
		p.Weights[i] = int8(r.IntN(255) - 127)
	}
	for range l.Out {
		p.Bias = append(p.Bias, int32(r.IntN(20001)-10000))
		p.Mult = append(p.Mult, 1<<30+int32(r.IntN(1<<30)))
		p.Shift = append(p.Shift, uint8(36+bits.Len(uint(fanIn))/2))
	}
	p.Mult[r.IntN(l.Out)] = 0
	return p
}

// randomMap returns n cells, the given share of them not 0, of 1 to limit.
func randomMap(r *rand.Rand, n int, density float64, limit int) []uint8 {
	m := make([]uint8, n)
	for i := range m {
		if r.Float64() < density {
			m[i] = uint8(1 + r.IntN(limit))
		}
	}
	return m
}

// written returns n as a model.
func written(t testing.TB, n *quant.Network, f Form) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, n, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var forms = map[string]Form{"unsigned": Unsigned, "signed": Signed, "exact": Exact}
