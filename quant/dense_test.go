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
		src := randomMap(r, in.Size(), r.Float64(), 255)
		s := &Scratch{cells: newCellList(in.Size(), 1)}

		got, want := make([]uint8, l.Out), make([]uint8, l.Out)
		newPackedDense(in, p).run(got, src, s)
		denseReference(want, src, p)
		if !slices.Equal(got, want) {
			t.Fatalf("%d of %v: %v, reference %v", l.Out, in, got, want)
		}
		logits, wantLogits := make([]int32, l.Out), make([]int32, l.Out)
		newPackedHead(in, p).run(logits, src, s)
		logitsReference(wantLogits, src, p)
		if !slices.Equal(logits, wantLogits) {
			t.Fatalf("%d of %v: logits %v, reference %v", l.Out, in, logits, wantLogits)
		}
	}
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
