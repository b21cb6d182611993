package plots

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCalibrationError(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores []float64
		scan   []bool
		bins   int
		want   float64
	}{
		{"sure and right", []float64{0, 1}, []bool{false, true}, 10, 0},
		{"sure and wrong", []float64{0, 1}, []bool{true, false}, 10, 1},
		{"a half that is half", []float64{0.5, 0.5}, []bool{true, false}, 10, 0},
		{"one bin hides it", []float64{0, 1}, []bool{true, false}, 1, 0},
		{"upper bin", []float64{0.25, 0.5}, []bool{true, false}, 2, 0.625},
		{"weighted by examples", []float64{0, 0, 0, 0.75}, []bool{false, false, false, true}, 2, 0.0625},
		{"more bins than are drawn", []float64{0, 1}, []bool{false, false}, 100, 0.5},
		{"nothing", nil, nil, 10, math.NaN()},
		{"no bins", []float64{0}, []bool{false}, 0, math.NaN()},
		{"too few scores", []float64{0}, []bool{false, true}, 10, math.NaN()},
		{"no probability", []float64{-0.1}, []bool{false}, 10, math.NaN()},
	} {
		got := CalibrationError(c.scores, c.scan, c.bins)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: got %g, want %g", c.name, got, c.want)
		}
	}
}

// slowCalibrationError looks at all examples for each bin.
func slowCalibrationError(scores []float64, scan []bool, bins int) float64 {
	sum := 0.0
	for b := range bins {
		n, score, scans := 0.0, 0.0, 0.0
		for i, s := range scores {
			if above := s*float64(bins) >= float64(b); above && (s*float64(bins) < float64(b+1) || b == bins-1) {
				n++
				score += s
				if scan[i] {
					scans++
				}
			}
		}
		if n > 0 {
			sum += n * math.Abs(score/n-scans/n)
		}
	}
	return sum / float64(len(scores))
}

func TestCalibrationErrorAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var scores []float64
		var scan []bool
		for range 1 + r.IntN(80) {
			scores = append(scores, float64(r.IntN(41))/40)
			scan = append(scan, r.IntN(2) == 0)
		}
		bins := 1 + r.IntN(maxBins)
		got, want := CalibrationError(scores, scan, bins), slowCalibrationError(scores, scan, bins)
		if math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, %v in %d bins: got %g, want %g", scores, scan, bins, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for n, want := range map[int]string{0: "0", 9999: "9999", 10_000: "10k", 999_999: "999k", 12_345_678: "12M"} {
		if got := short(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
