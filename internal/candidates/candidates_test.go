package candidates

import (
	"context"
	"slices"
	"testing"

	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/internal/synth"
	"edgescan/quant"
)

var small = quant.Arch{
	Input:  quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: featurize.Channels},
	Layers: []quant.Layer{{Kind: quant.Dense, Out: 4}},
}

func TestEveryCandidateIsANetwork(t *testing.T) {
	for _, c := range All(small) {
		arch := quant.Arch{Input: c.view.shape, Layers: c.layers}
		if err := arch.Validate(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if n := arch.Classes(); n != len(dataset.Classes) {
			t.Errorf("%s: %d classes", c.Name, n)
		}
	}
}

// TestViewsSeeTheSameLooks collects a few scenes in all views: in each there is
// a map for each look, and the default layout's is the detector's own.
func TestViewsSeeTheSameLooks(t *testing.T) {
	scenes := Scenes{First: 300, N: 5}
	sets, err := collect(context.Background(), All(small), scenes, Scenes{First: 400, N: 1})
	if err != nil {
		t.Fatal(err)
	}
	var own []dataset.Kept
	err = dataset.Collect(context.Background(), scenes.First, scenes.N, synth.Options{}, dataset.Packets, dataset.DetectorMaps,
		func(kept []dataset.Kept) { own = append(own, kept...) })
	if err != nil {
		t.Fatal(err)
	}
	for v, d := range sets {
		if d.training.Len() != len(own) {
			t.Errorf("%s: %d maps of %d looks", v.name, d.training.Len(), len(own))
			continue
		}
		m := make([]uint8, v.shape.Size())
		for i := range own {
			if d.training.Map(i, m); !slices.ContainsFunc(m, func(v uint8) bool { return v != 0 }) {
				t.Errorf("%s: map %d is empty", v.name, i)
			}
			if v == shipped && !slices.Equal(m, own[i].Map) {
				t.Errorf("%s: map %d is not the detector's", v.name, i)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	all := []Candidate{
		{Name: "whole lines", view: rows, layers: head(8, conv(1, 1, 4))},
		{Name: "depthwise", view: tiny, layers: head(0, conv(3, 3, 8), conv(1, 1, 4), pool(4, 4)), depthwise: []int{0}},
		{Name: "counts", view: counts, layers: head(0)},
	}
	compare := func() []Figures {
		done := 0
		f, err := Compare(context.Background(), all, Scenes{500, 20}, Scenes{600, 10}, 1, 1, func(*Candidate, *Figures) { done++ })
		if err != nil {
			t.Fatal(err)
		}
		if done != len(all) {
			t.Errorf("told of %d candidates of %d", done, len(all))
		}
		for i := range f {
			if f[i].Micros <= 0 || f[i].Loss <= 0 || f[i].Agree < 0.5 {
				t.Errorf("%s: figures %+v", all[i].Name, f[i])
			}
			f[i].Micros = 0
		}
		return f
	}
	first := compare()
	if second := compare(); !slices.Equal(first, second) {
		t.Errorf("figures %v, then %v", first, second)
	}
	// 256 cells, 9 weights to each of 8 outputs, then 8 to each of 4, then 4x4x4 inputs of 4 classes
	if want := int64(256*9*8 + 256*8*4 + 64*4); first[1].MultiplyAdds != want {
		t.Errorf("depthwise: %d multiply-adds, want %d", first[1].MultiplyAdds, want)
	}
	if want := 9*8 + 8*4 + 64*4 + 9*(8+4+4); first[1].Bytes != want {
		t.Errorf("depthwise: %d bytes, want %d", first[1].Bytes, want)
	}
}
