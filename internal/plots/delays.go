package plots

import (
	"fmt"
	"io"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// Series is how many distinct contacts each scan had made when a detector named
// it, negative if it never did. 0 is drawn at 1, where the axis starts.
type Series struct {
	Name   string
	Values []int
}

// Delays draws which share of the scans each detector had found after how many
// contacts.
func Delays(w io.Writer, format Format, series []Series) error {
	var names []string
	most := 2
	for _, s := range series {
		if len(s.Values) == 0 {
			return fmt.Errorf("%w: no scans for %q", ErrData, s.Name)
		}
		names = append(names, s.Name)
		most = max(most, slices.Max(s.Values))
	}
	if err := checkDetectors(names); err != nil {
		return err
	}
	if most > mostLog {
		return fmt.Errorf("%w: a delay of %d contacts", ErrData, most)
	}
	f := newFigure("Scans found by number of contacts",
		"distinct contacts that the scan has made (log scale)", "share of scans found")
	useLog(&f.X, 1, above(float64(most)), plain)
	useShares(&f.Y, percent)
	for i, s := range series {
		delays := found(s.Values)
		f.line(s.legend(delays), lineStyle(i), plotter.PostStep, cumulate(delays, len(s.Values), f.X.Max))
	}
	return f.write(w, format)
}

// found returns the delays of the scans that were found, rising and at least 1.
func found(values []int) []int {
	var delays []int
	for _, v := range values {
		if v >= 0 {
			delays = append(delays, max(v, 1))
		}
	}
	slices.Sort(delays)
	return delays
}

// legend says how many scans were found, and after how many contacts half of
// all were, if they were.
func (s Series) legend(delays []int) string {
	label := fmt.Sprintf("%s: %d of %d", s.Name, len(delays), len(s.Values))
	if half := (len(s.Values) + 1) / 2; len(delays) >= half {
		label += fmt.Sprintf(", half by %d", delays[half-1])
	}
	return label
}

// cumulate returns the corners of the line from 1 to end that rises by one scan
// of all at each of the delays, which rise.
func cumulate(delays []int, all int, end float64) plotter.XYs {
	corners := plotter.XYs{{X: 1, Y: 0}}
	for i, d := range delays {
		if i+1 < len(delays) && delays[i+1] == d {
			continue
		}
		corners = append(corners, plotter.XY{X: float64(d), Y: float64(i+1) / float64(all)})
	}
	return append(corners, plotter.XY{X: end, Y: corners[len(corners)-1].Y})
}
