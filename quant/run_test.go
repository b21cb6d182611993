package quant

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRunMatchesReference(t *testing.T) {
	n, _ := likelyNetwork(t)
	for _, density := range []float64{0, 0.001, 0.05, 0.5, 1} {
		in := randomMap(newRand(2), likelyArch.Input.Size(), density, 255)
		checkRun(t, n, in)
	}
}

// checkRun compares every kernel set with the reference on a whole network.
func checkRun(t *testing.T, n *Network, in []uint8) {
	t.Helper()
	want := make([]int32, n.Arch().Classes())
	if err := n.RunReference(want, in); err != nil {
		t.Fatal(err)
	}
	for _, u := range kernelSets() {
		n.prepare(u)
		got, s := make([]int32, len(want)), n.NewScratch()
		for range 2 { // what a run leaves in s must not matter to the next
			if err := n.Run(got, in, s); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v: %+v: logits %v, reference %v", u, n.arch, got, want)
			}
		}
	}
}

// randomArch returns a small network of up to five layers.
func randomArch(r *rand.Rand) Arch {
	a := Arch{Input: Shape{1 + r.IntN(16), 1 + r.IntN(16), 1 + r.IntN(12)}}
	for range r.IntN(4) {
		l, _ := randomConv(r)
		if r.IntN(2) == 0 {
			l = Layer{Kind: MaxPool, Height: 1 + r.IntN(3), Width: 1 + r.IntN(3), Stride: r.IntN(3), Across: r.IntN(3)}
		}
		a.Layers = append(a.Layers, l)
	}
	if r.IntN(2) == 0 {
		a.Layers = append(a.Layers, Layer{Kind: Dense, Out: 1 + r.IntN(20)})
	}
	a.Layers = append(a.Layers, Layer{Kind: Dense, Out: 2 + r.IntN(12)})
	return a
}

// checkRandomNetwork builds a network of the seed and checks it.
func checkRandomNetwork(t *testing.T, seed uint64) {
	t.Helper()
	r := newRand(seed)
	arch := randomArch(r)
	n := randomNetwork(t, r, arch, Meta{Classes: make([]string, arch.Classes())})
	checkRun(t, n, randomMap(r, arch.Input.Size(), r.Float64(), 255))
}

func TestRandomNetworksMatchReference(t *testing.T) {
	for seed := range uint64(500) {
		checkRandomNetwork(t, seed)
	}
}

func FuzzRun(f *testing.F) {
	f.Add(uint64(500))
	f.Fuzz(checkRandomNetwork)
}

func TestRunAllocatesNothing(t *testing.T) {
	n, in := likelyNetwork(t)
	for _, u := range kernelSets() {
		n.prepare(u)
		s, dst := n.NewScratch(), make([]int32, 4)
		probs := make([]uint32, 4)
		allocs := testing.AllocsPerRun(10, func() {
			if err := n.Run(dst, in, s); err != nil {
				t.Fatal(err)
			}
			Scores(dst, probs)
			ScanScore(dst)
		})
		if allocs != 0 {
			t.Errorf("%v: %v allocations an inference", u, allocs)
		}
	}
}

func TestRunChecksSizes(t *testing.T) {
	n, in := likelyNetwork(t)
	other, _ := likelyNetwork(t)
	dst := make([]int32, 4)
	for name, err := range map[string]error{
		"short map":         n.Run(dst, in[1:], n.NewScratch()),
		"long map":          n.Run(dst, append(slices.Clone(in), 0), n.NewScratch()),
		"few logits":        n.Run(dst[1:], in, n.NewScratch()),
		"no scratch":        n.Run(dst, in, nil),
		"another's scratch": n.Run(dst, in, other.NewScratch()),
		"reference":         n.RunReference(dst, in[1:]),
	} {
		if !errors.Is(err, ErrSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	for _, u := range kernelSets() {
		for _, density := range []float64{0.001, 0.01, 0.05, 1} {
			b.Run(fmt.Sprintf("%v/density=%v", u, density), func(b *testing.B) {
				n, _ := likelyNetwork(b)
				n.prepare(u)
				in := randomMap(newRand(3), likelyArch.Input.Size(), density, 15)
				s, dst := n.NewScratch(), make([]int32, 4)
				for b.Loop() {
					if err := n.Run(dst, in, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("reference", func(b *testing.B) {
		n, in := likelyNetwork(b)
		dst := make([]int32, 4)
		for b.Loop() {
			if err := n.RunReference(dst, in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLayer times each step of the likely network by itself.
func BenchmarkLayer(b *testing.B) {
	for _, u := range kernelSets() {
		n, in := likelyNetwork(b)
		n.prepare(u)
		s, first := n.NewScratch(), 0
		for _, st := range n.steps {
			src, dst := in, make([]uint8, n.shapes[st.end].Size())
			st.run(dst, src, s)
			zeros := bytes.Count(src, []byte{0})
			b.Run(fmt.Sprintf("%v/%d_%s", u, first, n.arch.Layers[first].Kind), func(b *testing.B) {
				for b.Loop() {
					st.run(dst, src, s)
				}
				b.ReportMetric(1-float64(zeros)/float64(len(src)), "density")
			})
			in, first = dst, st.end
		}
	}
}
