package quant

import (
	"math"
	"slices"
	"testing"
)

func TestExpTable(t *testing.T) {
	for d, got := range expTable {
		if want := uint32(math.Round(One * math.Exp(-float64(d)/256))); got != want {
			t.Errorf("exp(-%d/256): %d, want %d", d, got, want)
		}
	}
	if next := One * math.Exp(-float64(expSteps)/256); next >= 0.5 {
		t.Errorf("the table ends at %v", next)
	}
}

func TestScores(t *testing.T) {
	for _, c := range []struct {
		name   string
		logits []int32
		want   []uint32
	}{
		{"one class", []int32{-5}, []uint32{One}},
		{"equal", []int32{7, 7, 7, 7}, []uint32{One / 4, One / 4, One / 4, One / 4}},
		{"certain", []int32{-LogitLimit, LogitLimit}, []uint32{0, One}},
		{"any numbers", []int32{math.MinInt32, math.MaxInt32}, []uint32{0, One}},
		{"one nat apart", []int32{256, 0}, []uint32{47911, 17625}},
	} {
		got := make([]uint32, len(c.logits))
		Scores(c.logits, got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A table entry is off by half a unit at most, and the sum of k of them by k/2,
// of at least 65536: a score by less than (k+1)/2 + 1/2 units.
func TestScoresAgainstFloat(t *testing.T) {
	r := newRand(11)
	for range 20_000 {
		k := 1 + r.IntN(8)
		logits, probs := make([]int32, k), make([]uint32, k)
		for i := range logits {
			logits[i] = int32(r.NormFloat64() * 1000)
		}
		Scores(logits, probs)
		var sum float64
		for _, l := range logits {
			sum += math.Exp(float64(l) / 256)
		}
		for i, l := range logits {
			want := One * math.Exp(float64(l)/256) / sum
			if off := math.Abs(float64(probs[i]) - want); off > float64(k+2)/2 {
				t.Fatalf("logits %v: %d is %d, want %v", logits, i, probs[i], want)
			}
		}
		if got := ScanScore(logits); got != One-probs[0] {
			t.Fatalf("logits %v: scan score %d beside a benign score of %d", logits, got, probs[0])
		}
	}
}
