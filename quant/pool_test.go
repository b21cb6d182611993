package quant

import (
	"slices"
	"testing"
)

func TestPoolReference(t *testing.T) {
	src := []uint8{
		1, 2, 3, 4, 5,
		9, 8, 7, 6, 5,
		0, 0, 1, 0, 2,
	}
	for _, c := range []struct {
		name  string
		layer Layer
		want  []uint8
	}{
		{"2x2", Layer{Kind: MaxPool, Height: 2, Width: 2}, []uint8{9, 7, 5, 0, 1, 2}},
		{"1x3", Layer{Kind: MaxPool, Height: 1, Width: 3}, []uint8{3, 5, 9, 6, 1, 2}}, // one column of padding, behind
		{"3x1", Layer{Kind: MaxPool, Height: 3, Width: 1}, []uint8{9, 8, 7, 6, 5}},
		{"3x3 stride 1", Layer{Kind: MaxPool, Height: 3, Width: 3, Stride: 1}, []uint8{9, 9, 8, 7, 6, 9, 9, 8, 7, 6, 9, 9, 8, 7, 6}},
		{"3x3 stride 2", Layer{Kind: MaxPool, Height: 3, Width: 3, Stride: 2}, []uint8{9, 8, 6, 9, 8, 6}},
		{"1x1 stride 2", Layer{Kind: MaxPool, Height: 1, Width: 1, Stride: 2}, []uint8{1, 3, 5, 0, 1, 2}},
	} {
		in := Shape{3, 5, 1}
		got := make([]uint8, c.layer.Output(in).Size())
		poolReference(got, src, c.layer, in)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPoolMatchesReference(t *testing.T) {
	r := newRand(9)
	for range 1000 {
		in := Shape{1 + r.IntN(12), 1 + r.IntN(12), 1 + r.IntN(20)}
		l := Layer{Kind: MaxPool, Height: 1 + r.IntN(5), Width: 1 + r.IntN(5), Stride: r.IntN(6), Across: r.IntN(6)}
		src := randomMap(r, in.Size(), r.Float64(), 255)
		want := make([]uint8, l.Output(in).Size())
		poolReference(want, src, l, in)
		checkLayers(t, []Layer{l}, in, []Params{{}}, src, want)
	}
}

func TestMaxWord(t *testing.T) {
	for a := range uint64(256) {
		for b := range uint64(256) {
			// The neighbours would borrow if they could.
			x, y := 0x00ff_0000_00ff_00ff|a<<24, 0xff00_ff00_00ff_ff00|b<<24
			if got, want := maxWord(x, y), 0xffff_ff00_00ff_ffff|max(a, b)<<24; got != want {
				t.Fatalf("maxWord(%#x, %#x) = %#x, want %#x", x, y, got, want)
			}
		}
	}
}
