package dataset

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edgescan/internal/synth"
)

func collect(t *testing.T, first uint64, n int) []Kept {
	t.Helper()
	var all []Kept
	if err := Collect(context.Background(), first, n, synth.Options{}, DetectorMaps, func(kept []Kept) { all = append(all, kept...) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCollectIsReproducible(t *testing.T) {
	a, b := collect(t, 100, 30), collect(t, 100, 30)
	if len(a) < 100 {
		t.Fatalf("%d maps of 30 scenes", len(a))
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestEveryClassOccurs(t *testing.T) {
	var count [4]int
	for _, k := range collect(t, 200, 100) {
		count[k.Class]++
	}
	for class, n := range count {
		if n == 0 {
			t.Errorf("no map of class %s in 100 scenes", Classes[class])
		}
	}
}

func TestCollectStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Collect(ctx, 1, 1_000_000, synth.Options{}, DetectorMaps, func([]Kept) {}); err == nil {
		t.Error("no error")
	}
}

// TestBenignScenesHaveNoScans plays scenes without scanning actors.
func TestBenignScenesHaveNoScans(t *testing.T) {
	for seed := range uint64(20) {
		err := Play(synth.Generate(seed, synth.Options{MaxScans: -1}), nil, func(s *Sample) {
			if s.Class != Benign || s.Scans {
				t.Errorf("seed %d: %s %s is called %s", seed, s.Tool, s.Look.Source.Netip(), Classes[s.Class])
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
