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
	plain, imitated := logitError(t, f, steps, want, test), logitError(t, twin, tuned, want, test)
	t.Logf("mean difference %.4f nat rounded, %.4f imitated", plain, imitated)
	if imitated >= plain {
		t.Errorf("imitation differs by %.4f nat, plain rounding by %.4f", imitated, plain)
	}
}

func logitError(t *testing.T, f *Float, steps [][]float64, want []float32, d *Dataset) float64 {
	t.Helper()
	n, err := f.rounded(steps, toyMeta())
	if err != nil {
		t.Fatal(err)
	}
	scratch, out, cells := n.NewScratch(), make([]int32, 3), make([]uint8, d.Shape().Size())
	total := 0.0
	for i := range d.Len() {
		d.Map(i, cells)
		if err := n.Run(out, cells, scratch); err != nil {
			t.Fatal(err)
		}
		for c, v := range out {
			total += math.Abs(float64(v)/logitSteps - float64(want[3*i+c]))
		}
	}
	return total / float64(len(want))
}
