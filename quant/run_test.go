package quant

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestRunMatchesReference(t *testing.T) {
	n, _ := likelyNetwork(t)
	s, r := n.NewScratch(), newRand(2)
	for _, density := range []float64{0, 0.001, 0.05, 0.5, 1} {
		in := randomMap(r, likelyArch.Input.Size(), density, 255)
		got, want := make([]int32, 4), make([]int32, 4)
		if err := n.RunReference(want, in); err != nil {
			t.Fatal(err)
		}
		if err := n.Run(got, in, s); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("density %v: logits %v, reference %v", density, got, want)
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	n, in := likelyNetwork(t)
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
		t.Errorf("%v allocations an inference", allocs)
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
	for _, density := range []float64{0.01, 0.05, 1} {
		b.Run(fmt.Sprintf("portable/density=%v", density), func(b *testing.B) {
			n, _ := likelyNetwork(b)
			in := randomMap(newRand(3), likelyArch.Input.Size(), density, 15)
			s, dst := n.NewScratch(), make([]int32, 4)
			for b.Loop() {
				if err := n.Run(dst, in, s); err != nil {
					b.Fatal(err)
				}
			}
		})
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

// BenchmarkLayer times each layer of the likely network by itself.
func BenchmarkLayer(b *testing.B) {
	n, in := likelyNetwork(b)
	s := n.NewScratch()
	for i, k := range n.kernels {
		src, dst := in, make([]uint8, n.shapes[i+1].Size())
		k.run(dst, src, s)
		zeros := bytes.Count(src, []byte{0})
		b.Run(fmt.Sprintf("%d_%s", i, n.arch.Layers[i].Kind), func(b *testing.B) {
			for b.Loop() {
				k.run(dst, src, s)
			}
			b.ReportMetric(1-float64(zeros)/float64(len(src)), "density")
		})
		in = dst
	}
}
