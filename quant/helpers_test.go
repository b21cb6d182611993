package quant

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// newRand returns random numbers that are the same in each run.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

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

// randomParams returns parameters under which activations spread over 0 to 255
// and beyond, so that saturation at both ends is met.
func randomParams(r *rand.Rand, l Layer, in Shape) Params {
	fanIn := l.fanIn(in)
	p := Params{Weights: make([]int8, fanIn*l.Out)}
	for i := range p.Weights {
		p.Weights[i] = int8(r.IntN(255) - 127)
	}
	for range l.Out {
		p.Bias = append(p.Bias, int32(r.IntN(2001)-1000))
		shift := uint8(minShift + r.IntN(maxShift))
		mult := int32(r.Uint32() >> 1)
		if r.IntN(4) > 0 {
			shift, mult = uint8(36+r.IntN(6)), mult|1<<30
		}
		p.Mult, p.Shift = append(p.Mult, mult), append(p.Shift, shift)
	}
	return p
}

// kernelSets returns all that this machine can run; nil is portable Go.
func kernelSets() []*vectorUnit { return append(vectorUnits(), nil) }

// runLayers returns what all layers but the last make of src, in a buffer with
// room for guards, which it checks.
func runLayers(n *Network, src []uint8) []uint8 {
	const guard = 64
	s := n.NewScratch()
	src = slices.Clone(src)
	for _, st := range n.steps {
		size := n.shapes[st.end].Size()
		dst := slices.Repeat([]uint8{0xa5}, guard+size+guard)
		st.run(dst[guard:][:size:size], src, s)
		if intact := slices.Repeat([]uint8{0xa5}, guard); !slices.Equal(dst[:guard], intact) || !slices.Equal(dst[guard+size:], intact) {
			panic("written outside of the output")
		}
		src = dst[guard:][:size]
	}
	return src
}

// likelyArch is a network of the default kind, but larger.
var likelyArch = Arch{
	Input: Shape{32, 48, 8},
	Layers: []Layer{
		{Kind: Conv, Height: 3, Width: 3, Out: 8},
		{Kind: MaxPool, Height: 2, Width: 2},
		{Kind: Conv, Height: 3, Width: 3, Out: 16},
		{Kind: MaxPool, Height: 2, Width: 2},
		{Kind: Conv, Height: 3, Width: 3, Out: 32},
		{Kind: MaxPool, Height: 2, Width: 2},
		{Kind: Dense, Out: 64},
		{Kind: Dense, Out: 4},
	},
}

// randomNetwork returns a network of random weights whose activations are
// neither all 0 nor all 255.
func randomNetwork(t testing.TB, r *rand.Rand, arch Arch, meta Meta) *Network {
	t.Helper()
	shapes := arch.Shapes()
	params := make([]Params, len(arch.Layers))
	for i, l := range arch.Layers {
		params[i] = randomParams(r, l, shapes[i])
		shift := uint8(36 + bits.Len(uint(l.fanIn(shapes[i])))/2)
		for o := range l.Out {
			params[i].Mult[o], params[i].Shift[o] = 1<<30+int32(r.IntN(1<<30)), shift
		}
	}
	n, err := Build(arch, params, meta)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// likelyNetwork returns a network of likelyArch and a map for it, of which 5%
// are not 0.
func likelyNetwork(t testing.TB) (*Network, []uint8) {
	r := newRand(1)
	n := randomNetwork(t, r, likelyArch, Meta{Featurizer: "test", Classes: []string{"benign", "a", "b", "c"}})
	return n, randomMap(r, likelyArch.Input.Size(), 0.05, 15)
}
