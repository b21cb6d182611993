package model

import (
	"math"
	"testing"
)

// The rounded network must come closer to the float one's logits than rounding
// alone does, on maps that it has not seen.
func TestImitationBeatsRounding(t *testing.T) {
	f, calibration, test := trainedToy(t), toySet(t, 1000, 4), toySet(t, 2000, 3)
	ranges, err := f.ranges(calibration)
	if err != nil {
		t.Fatal(err)
	}
	steps := make([][]float64, len(ranges))
	for i := range ranges {
		steps[i] = activationScales(ranges[i])
	}
	twin, tuned, err := f.imitate(calibration, steps)
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.Logits(test)
	if err != nil {
		t.Fatal(err)
	}
	plain, imitated := roundedError(t, f, steps, want, test), roundedError(t, twin, tuned, want, test)
	t.Logf("mean difference %.4f nat rounded, %.4f imitated", plain, imitated)
	if imitated >= plain {
		t.Errorf("imitation differs by %.4f nat, plain rounding by %.4f", imitated, plain)
	}
}

// roundedError returns logitError of f rounded with the given steps.
func roundedError(t *testing.T, f *Float, steps [][]float64, want []float32, d *Dataset) float64 {
	t.Helper()
	n, err := f.rounded(steps, toyMeta())
	if err != nil {
		t.Fatal(err)
	}
	return logitError(t, n, want, d)
}

// TestUndecided keeps the maps between certain ones, and all where none is.
func TestUndecided(t *testing.T) {
	f, all := trainedToy(t), toySet(t, 500, 5)
	kept, err := f.undecided(all)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := f.Logits(kept)
	if err != nil {
		t.Fatal(err)
	}
	for i := range kept.Len() {
		if o := scanOdds(logits[3*i:][:3]); math.Abs(o) > undecidedLimit {
			t.Errorf("map %d is kept with odds of %.2f", i, o)
		}
	}
	certain := *f
	certain.Temperature = 1e-6
	if kept, err = certain.undecided(all); err != nil || kept.Len() != all.Len() {
		t.Errorf("%d maps of %d kept by a network that is certain of all, error %v", kept.Len(), all.Len(), err)
	}
}

func TestScanOdds(t *testing.T) {
	for _, c := range []struct {
		logits []float32
		want   float64
	}{
		{[]float32{0, 0, 0}, math.Log(2)},
		{[]float32{3, 1, 1}, math.Log(2) - 2},
		{[]float32{-40, 0, -80}, 40},
		{[]float32{40, 0, 0}, math.Log(2) - 40},
	} {
		if got := scanOdds(c.logits); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("odds of %v are %.6f, want %.6f", c.logits, got, c.want)
		}
	}
}

// TestRangeRoundsBest holds the range to what rounding with neighbouring ones
// costs: a few large activations do not make all steps coarse, and a flat
// distribution is covered.
func TestRangeRoundsBest(t *testing.T) {
	fill := func(values map[float32]int) *distribution {
		d := &distribution{}
		for v := range values {
			d.raise(v)
		}
		for v, n := range values {
			for range n {
				d.count(v)
			}
		}
		return d
	}
	if got := fill(nil).limit(); got != 0 {
		t.Errorf("range %g of no activations, want 0", got)
	}
	outlier := map[float32]int{100: 1}
	flat := map[float32]int{}
	for i := range 100 {
		outlier[float32(i+1)/100] = 1_000_000
		flat[float32(i+1)/100] = 100
	}
	if got := fill(outlier).limit(); got > 50 {
		t.Errorf("range %g for a hundred million activations of up to 1 and one of 100", got)
	}
	if got := fill(flat).limit(); got < 0.99 || got > 1 {
		t.Errorf("range %g of evenly spread activations of up to 1", got)
	}
}
