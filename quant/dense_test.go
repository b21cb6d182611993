package quant

import (
	"slices"
	"testing"
)

func TestDenseMatchesReference(t *testing.T) {
	r := newRand(7)
	for range 300 {
		in := Shape{1 + r.IntN(4), 1 + r.IntN(4), 1 + r.IntN(40)}
		l := Layer{Kind: Dense, Out: 1 + r.IntN(20)}
		p := randomParams(r, l, in)
		checkDense(t, l, in, p, randomMap(r, in.Size(), r.Float64(), 255))
	}
}

// checkDense compares every fast dense layer with the reference, in the middle
// of a network and as its head.
func checkDense(t *testing.T, l Layer, in Shape, p Params, src []uint8) {
	t.Helper()
	want, wantLogits := make([]uint8, l.Out), make([]int32, l.Out)
	denseReference(want, src, p)
	checkLayers(t, []Layer{l}, in, []Params{p}, src, want)

	logitsReference(wantLogits, src, p)
	for _, u := range kernelSets() {
		n := &Network{arch: Arch{in, []Layer{l}}, shapes: []Shape{in, l.Output(in)}, params: []Params{p}}
		n.prepare(u)
		logits := make([]int32, l.Out)
		n.head.run(logits, src, n.NewScratch())
		if !slices.Equal(logits, wantLogits) {
			t.Fatalf("%v: %d of %v: logits %v, reference %v", u, l.Out, in, logits, wantLogits)
		}
	}
}

func FuzzDense(f *testing.F) {
	f.Add(uint64(1), uint16(40), uint8(3), uint8(128))
	f.Add(uint64(2), uint16(1), uint8(8), uint8(255))
	f.Add(uint64(3), uint16(769), uint8(17), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, inputs uint16, out, density uint8) {
		in := Shape{1, 1 + int(inputs)/512%32, 1 + int(inputs)%512}
		l := Layer{Kind: Dense, Out: 1 + int(out)%40}
		r := newRand(seed)
		checkDense(t, l, in, randomParams(r, l, in), randomMap(r, in.Size(), float64(density)/255, 255))
	})
}

// A dense layer is a convolution whose kernel is its whole input, computed at
// one place.
func TestDenseReferenceIsConv(t *testing.T) {
	r := newRand(8)
	in := Shape{3, 4, 5}
	dense := Layer{Kind: Dense, Out: 7}
	p := randomParams(r, dense, in)
	src := randomMap(r, in.Size(), 0.7, 255)
	got, want := make([]uint8, dense.Out), make([]uint8, dense.Out)
	denseReference(got, src, p)
	conv := Layer{Kind: Conv, Height: 3, Width: 4, Stride: 4, Out: 7}
	convReference(want, src, conv, in, p)
	if !slices.Equal(got, want) {
		t.Errorf("%v, as a convolution %v", got, want)
	}
}
