package plots

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// Curve is a detector's scores of examples, larger for what it rather takes for
// a scan, and which of them are scans.
type Curve struct {
	Name   string
	Scores []float64
	Scan   []bool
}

// leastRate is the smallest false positive rate on the axis.
const leastRate = 1e-5

// ROC draws the true positive rate of each curve against its false positive
// rate from 1e-5 on, and names the area under it. Of equal false positive rates
// it draws the largest true positive rate, and what lies left of the axis on its
// edge.
func ROC(w io.Writer, format Format, curves []Curve) error {
	var names []string
	for _, c := range curves {
		names = append(names, c.Name)
		if err := checkScores(c.Scores, c.Scan); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	if err := checkDetectors(names); err != nil {
		return err
	}
	f := newFigure("Scans found against false alarms (ROC)",
		"false positive rate (share of benign examples flagged, log scale)",
		"true positive rate (share of scans flagged)")
	useLog(&f.X, leastRate, 1, percent)
	useShares(&f.Y, percent)
	for i, c := range curves {
		fpr, tpr, _ := ROCPoints(c.Scores, c.Scan)
		f.line(fmt.Sprintf("%s (AUC %.5f)", c.Name, area(fpr, tpr)), lineStyle(i), plotter.PostStep, stairs(fpr, tpr))
	}
	return f.write(w, format)
}

// ROCPoints returns what share of the benign examples (fpr) and of the scans
// (tpr) scores at least each threshold. Thresholds are the scores that occur,
// falling, after +Inf, which nothing reaches, so both shares rise from 0 to 1.
// It returns nil unless there is a finite score for each example and both scans
// and others occur.
func ROCPoints(scores []float64, scan []bool) (fpr, tpr, thresholds []float64) {
	if checkScores(scores, scan) != nil {
		return nil, nil, nil
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	fpr, tpr, thresholds = []float64{0}, []float64{0}, []float64{math.Inf(1)}
	flagged := [2]float64{} // benign, scans
	for i, example := range order {
		flagged[class(scan[example])]++
		if i+1 == len(order) || scores[order[i+1]] != scores[example] {
			fpr = append(fpr, flagged[0])
			tpr = append(tpr, flagged[1])
			thresholds = append(thresholds, scores[example])
		}
	}
	for i := range fpr {
		fpr[i] /= flagged[0]
		tpr[i] /= flagged[1]
	}
	return fpr, tpr, thresholds
}

func class(scan bool) int {
	if scan {
		return 1
	}
	return 0
}

// AUC returns the area under the ROC curve: the chance that a scan scores more
// than a benign example, a tie counting half. It is NaN where ROCPoints returns
// nil.
func AUC(scores []float64, scan []bool) float64 {
	fpr, tpr, _ := ROCPoints(scores, scan)
	if fpr == nil {
		return math.NaN()
	}
	return area(fpr, tpr)
}

// area is that of the trapezoids between the points of a ROC curve.
func area(fpr, tpr []float64) float64 {
	sum := 0.0
	for i := 1; i < len(fpr); i++ {
		sum += (fpr[i] - fpr[i-1]) * (tpr[i] + tpr[i-1]) / 2
	}
	return sum
}

// stairs returns the corners of a ROC curve. Those closer than a line is wide
// become one, so that millions of examples do not make millions of corners.
func stairs(fpr, tpr []float64) plotter.XYs {
	const columnsPerDecade = 200
	column := func(rate float64) int { return int(columnsPerDecade * math.Log10(rate/leastRate)) }
	corners := plotter.XYs{{X: leastRate, Y: 0}}
	for i := range fpr {
		rate, last := max(fpr[i], leastRate), &corners[len(corners)-1]
		switch {
		case tpr[i] == last.Y:
		case column(rate) == column(last.X):
			last.Y = tpr[i]
		default:
			corners = append(corners, plotter.XY{X: rate, Y: tpr[i]})
		}
	}
	return append(corners, plotter.XY{X: 1, Y: 1})
}
