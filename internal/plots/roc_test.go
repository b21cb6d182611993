package plots

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestROCPoints(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name                 string
		scores               []float64
		scan                 []bool
		fpr, tpr, thresholds []float64
	}{
		{"apart", []float64{1, 2}, []bool{false, true}, []float64{0, 0, 1}, []float64{0, 1, 1}, []float64{inf, 2, 1}},
		{"wrong way round", []float64{2, 1}, []bool{false, true}, []float64{0, 1, 1}, []float64{0, 0, 1}, []float64{inf, 2, 1}},
		{"tied", []float64{1, 1}, []bool{false, true}, []float64{0, 1}, []float64{0, 1}, []float64{inf, 1}},
		{"mixed", []float64{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true},
			[]float64{0, 0, 0.5, 0.5, 1}, []float64{0, 0.5, 0.5, 1, 1}, []float64{inf, 0.8, 0.4, 0.35, 0.1}},
		{"only scans", []float64{1, 2}, []bool{true, true}, nil, nil, nil},
		{"too few scores", []float64{1}, []bool{true, false}, nil, nil, nil},
		{"nothing", nil, nil, nil, nil, nil},
	} {
		fpr, tpr, thresholds := ROCPoints(c.scores, c.scan)
		if !slices.Equal(fpr, c.fpr) || !slices.Equal(tpr, c.tpr) || !slices.Equal(thresholds, c.thresholds) {
			t.Errorf("%s: got %v, %v, %v", c.name, fpr, tpr, thresholds)
		}
		if got := AUC(c.scores, c.scan); math.IsNaN(got) != (c.fpr == nil) {
			t.Errorf("%s: area %g", c.name, got)
		}
	}
}

// randomScores returns scores with many ties, of both kinds of examples.
func randomScores(r *rand.Rand) (scores []float64, scan []bool) {
	for i := range 2 + r.IntN(60) {
		is := i == 0 || i > 1 && r.IntN(3) == 0
		score := float64(r.IntN(12))
		if is {
			score += float64(r.IntN(6))
		}
		scores, scan = append(scores, score/16), append(scan, is)
	}
	return scores, scan
}

// share returns how many examples of a kind score at least a threshold.
func share(scores []float64, scan []bool, kind bool, threshold float64) float64 {
	flagged, all := 0, 0
	for i, s := range scores {
		if scan[i] == kind {
			all++
			if s >= threshold {
				flagged++
			}
		}
	}
	return float64(flagged) / float64(all)
}

// mannWhitney is the area by its definition, over all pairs.
func mannWhitney(scores []float64, scan []bool) float64 {
	won, pairs := 0.0, 0.0
	for i := range scores {
		for j := range scores {
			if scan[i] && !scan[j] {
				pairs++
				switch {
				case scores[i] > scores[j]:
					won++
				case scores[i] == scores[j]:
					won += 0.5
				}
			}
		}
	}
	return won / pairs
}

func TestROCAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		scores, scan := randomScores(r)
		before := slices.Clone(scores)
		fpr, tpr, thresholds := ROCPoints(scores, scan)
		for i, threshold := range thresholds {
			if fpr[i] != share(scores, scan, false, threshold) || tpr[i] != share(scores, scan, true, threshold) {
				t.Fatalf("at %g of %v, %v: got %g, %g", threshold, scores, scan, fpr[i], tpr[i])
			}
		}
		slices.Sort(before)
		if n := len(slices.Compact(before)); len(thresholds) != n+1 {
			t.Fatalf("%d thresholds for %d distinct scores", len(thresholds), n)
		}
		if got, want := AUC(scores, scan), mannWhitney(scores, scan); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, %v: area %g, want %g", scores, scan, got, want)
		}
	}
}

func TestROCLeavesItsInputAlone(t *testing.T) {
	scores, scan := []float64{1, 3, 2}, []bool{false, true, false}
	ROCPoints(scores, scan)
	if !slices.Equal(scores, []float64{1, 3, 2}) || !slices.Equal(scan, []bool{false, true, false}) {
		t.Errorf("got %v, %v", scores, scan)
	}
}

// TestStairs draws tpr = sqrt(fpr): the line must run from edge to edge, never
// fall, stay within a column of the curve, and be short.
func TestStairs(t *testing.T) {
	const n = 300_000
	var fpr, tpr []float64
	for i := range n + 1 {
		fpr = append(fpr, float64(i)/n)
		tpr = append(tpr, math.Sqrt(float64(i)/n))
	}
	corners := stairs(fpr, tpr)
	if len(corners) > 1100 {
		t.Errorf("%d corners", len(corners))
	}
	if first, last := corners[0], corners[len(corners)-1]; first.X != leastRate || last.X != 1 || last.Y != 1 {
		t.Errorf("from %v to %v", first, last)
	}
	for i, c := range corners[1:] {
		if c.X < corners[i].X || c.Y < corners[i].Y {
			t.Fatalf("%v after %v", c, corners[i])
		}
		if exact := c.Y * c.Y; exact < c.X*0.999 || exact > c.X*1.012 {
			t.Fatalf("%v lies off the curve", c)
		}
	}
}
