package quant_test

import (
	"context"
	"slices"
	"testing"

	"edgescan/internal/dataset"
	"edgescan/internal/synth"
	"edgescan/quant"
)

// shipped returns the network that the program ships with and maps of synthetic
// traffic for it, no more than wanted.
func shipped(t testing.TB, wanted int) (n *quant.Network, maps [][]uint8) {
	t.Helper()
	const firstSeed, scenes = 5_000_000, 4
	n, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	err = dataset.Collect(context.Background(), firstSeed, scenes, synth.Options{}, dataset.Packets, dataset.DetectorMaps, func(kept []dataset.Kept) {
		for i := range kept {
			maps = append(maps, kept[i].Map)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, maps[:min(wanted, len(maps))]
}

func TestShippedMatchesReference(t *testing.T) {
	n, maps := shipped(t, 50)
	_, sets := quant.KernelSets()
	want, got := make([]int32, n.Arch().Classes()), make([]int32, n.Arch().Classes())
	for _, use := range sets {
		use(n)
		s := n.NewScratch()
		for i, m := range maps {
			if err := n.RunReference(want, m); err != nil {
				t.Fatal(err)
			}
			if err := n.Run(got, m, s); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("map %d: logits %v, reference %v", i, got, want)
			}
		}
	}
}

// BenchmarkShipped runs the shipped network on maps of synthetic traffic by
// turns, with each set of kernels and with the reference.
func BenchmarkShipped(b *testing.B) {
	n, maps := shipped(b, 100)
	logits := make([]int32, n.Arch().Classes())
	names, sets := quant.KernelSets()
	for i, use := range sets {
		b.Run(names[i], func(b *testing.B) {
			use(n)
			s := n.NewScratch()
			for i := 0; b.Loop(); i++ {
				if err := n.Run(logits, maps[i%len(maps)], s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("reference", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := n.RunReference(logits, maps[i%len(maps)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
