package quant

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// checkRequantize compares the vector units' requantization with the reference,
// on sums that do and do not reach the ends.
func checkRequantize(t *testing.T, seed uint64) {
	t.Helper()
	r := newRand(seed)
	n, stride := 1+r.IntN(9), lanes+r.IntN(9)
	p := randomParams(r, Layer{Kind: Dense, Out: lanes}, Shape{1, 1, 1})
	sums := make([]int32, n*lanes)
	for i := range sums {
		o := i % lanes
		limit := sumLimit(p.Mult[o], p.Shift[o])
		choices := []int32{
			math.MinInt32, -1, 0, 1, math.MaxInt32, limit, limit - 1, int32(min(int64(limit)+1, math.MaxInt32)),
			int32(r.Uint32()), r.Int32N(limit), -r.Int32N(limit),
		}
		sums[i] = choices[r.IntN(len(choices))]
	}
	want := make([]uint8, (n-1)*stride+lanes)
	for i, sum := range sums {
		want[i/lanes*stride+i%lanes] = requantize(sum, p.Mult[i%lanes], p.Shift[i%lanes])
	}
	for _, u := range vectorUnits() {
		b := packVectors(p, 1, u.layout)[0]
		got := make([]uint8, len(want))
		u.requantize(&got[0], &sums[0], n, stride, &b.rescale)
		if !slices.Equal(got, want) {
			t.Fatalf("%v: seed %d, sums %v, mult %v, shift %v: %v, want %v", u, seed, sums, p.Mult, p.Shift, got, want)
		}
	}
}

func TestVectorRequantize(t *testing.T) {
	for seed := range uint64(20_000) {
		checkRequantize(t, seed)
	}
}

func FuzzRequantize(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(checkRequantize)
}

func TestSumLimit(t *testing.T) {
	r := newRand(20)
	for range 10_000 {
		p := randomParams(r, Layer{Kind: Dense, Out: 1}, Shape{1, 1, 1})
		mult, shift := p.Mult[0], p.Shift[0]
		limit := sumLimit(mult, shift)
		if limit < 1 || scaled(limit-1, mult, shift) >= 255 {
			t.Fatalf("multiplier %d, shift %d: %d is not the smallest", mult, shift, limit)
		}
		if at := scaled(limit, mult, shift); at < 255 && limit != math.MaxInt32 || at > math.MaxInt32 {
			t.Fatalf("multiplier %d, shift %d: %d becomes %d", mult, shift, limit, at)
		}
	}
}

// A window that dwarfs its input is left to portable Go: padding it would take
// gigabytes.
func TestHugeWindowsAreNotStaged(t *testing.T) {
	l, in := Layer{Kind: Conv, Height: 1, Width: 1000, Out: 1}, Shape{1000, 1, 1000}
	if vectorConvFits(l, in) {
		t.Error("fits")
	}
	r := newRand(21)
	in = Shape{30, 1, 1000}
	l = Layer{Kind: Conv, Height: 1, Width: 1000, Out: 1}
	if vectorConvFits(l, in) {
		t.Error("fits")
	}
	p := randomParams(r, l, in)
	for i := range p.Weights {
		if i%20 > 0 { // lest the sums exceed 32 bits
			p.Weights[i] = 0
		}
	}
	checkConv(t, l, in, p, randomMap(r, in.Size(), 0.5, 255))
}

func TestPortableIsAlwaysThere(t *testing.T) {
	if u := fastestUnit(); u.String() == "" || (*vectorUnit)(nil).String() != "portable" {
		t.Errorf("kernels %q", u)
	}
	t.Logf("kernel sets, fastest first: %v", kernelSets())
}

// BenchmarkStage stages so many bytes. What the loops of the assembly take for
// each is known, so counts of instructions are checked with it.
func BenchmarkStage(b *testing.B) {
	for _, u := range vectorUnits() {
		for _, n := range []int{1_000_000, 2_000_000} {
			b.Run(fmt.Sprintf("%v/%d", u, n), func(b *testing.B) {
				src, dst := make([]uint8, n), make([]uint8, n*u.layout.element)
				for b.Loop() {
					u.stage(&dst[0], &src[0], n)
				}
			})
		}
	}
}
