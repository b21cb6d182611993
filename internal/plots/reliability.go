package plots

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// maxBins is how many counts fit beside each other.
const maxBins = 20

// Reliability draws, for each of some equally wide bins of scores, which share
// of the examples in it are scans: a score that is a probability lies on the
// diagonal. Scores are 0 to 1, bins 1 to 20.
func Reliability(w io.Writer, format Format, scores []float64, scan []bool, bins int) error {
	if err := checkBins(scores, scan, bins); err != nil {
		return err
	}
	if bins > maxBins {
		return fmt.Errorf("%w: %d bins, want at most %d", ErrData, bins, maxBins)
	}
	f := newFigure(fmt.Sprintf("Reliability: expected calibration error %.4f", CalibrationError(scores, scan, bins)),
		"mean score of the examples in a bin (0 to 1)", "share of scans in the bin (0 to 1)")
	useShares(&f.X, oneDigit)
	useShares(&f.Y, oneDigit)
	f.Y.Max = 1.2
	f.line("score is the probability", guideLine, plotter.NoStep, plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
	var points plotter.XYs
	for i, b := range fillBins(scores, scan, bins) {
		f.Add(note{x: (float64(i) + 0.5) / float64(bins), y: 1.07, style: textStyle(noteSize), text: short(b.n)})
		if b.n > 0 {
			points = append(points, plotter.XY{X: b.meanScore(), Y: b.share()})
		}
	}
	f.Add(note{x: 0.5, y: 1.15, style: textStyle(noteSize), text: "examples in each bin"})
	f.line("bins of scores", lineStyle(0), plotter.NoStep, points)
	f.Add(dots(colours[0], draw.CircleGlyph{}, 3, points))
	return f.write(w, format)
}

// CalibrationError returns the expected calibration error (Naeini, Cooper and
// Hauskrecht 2015) over equally wide bins: how far the mean score of a bin is
// from its share of scans, on average over the examples. It is NaN where
// Reliability returns ErrData, but takes any number of bins.
func CalibrationError(scores []float64, scan []bool, bins int) float64 {
	if checkBins(scores, scan, bins) != nil {
		return math.NaN()
	}
	sum := 0.0
	for _, b := range fillBins(scores, scan, bins) {
		sum += math.Abs(b.scores - float64(b.scans))
	}
	return sum / float64(len(scores))
}

func checkBins(scores []float64, scan []bool, bins int) error {
	if len(scores) == 0 || len(scores) != len(scan) {
		return fmt.Errorf("%w: %d scores for %d examples", ErrData, len(scores), len(scan))
	}
	if bins < 1 {
		return fmt.Errorf("%w: %d bins", ErrData, bins)
	}
	for i, s := range scores {
		if !(s >= 0 && s <= 1) {
			return fmt.Errorf("%w: score %d is %g, want 0 to 1", ErrData, i, s)
		}
	}
	return nil
}

// bin is what has scores of a range.
type bin struct {
	n, scans int
	scores   float64 // their sum
}

func (b bin) meanScore() float64 { return b.scores / float64(b.n) }

func (b bin) share() float64 { return float64(b.scans) / float64(b.n) }

// fillBins deals examples out to bins. A score between two belongs to the upper
// one.
func fillBins(scores []float64, scan []bool, bins int) []bin {
	all := make([]bin, bins)
	for i, s := range scores {
		b := &all[min(int(s*float64(bins)), bins-1)]
		b.n++
		b.scores += s
		b.scans += class(scan[i])
	}
	return all
}

// short writes a count in at most four characters up to 999 millions.
func short(n int) string {
	switch {
	case n < 10_000:
		return strconv.Itoa(n)
	case n < 1_000_000:
		return strconv.Itoa(n/1000) + "k"
	default:
		return strconv.Itoa(n/1_000_000) + "M"
	}
}
