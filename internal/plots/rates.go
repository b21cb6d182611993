package plots

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Heights in points.
const (
	barHeight vg.Length = 11
	barsGap   vg.Length = 6  // between the bars of two behaviours
	barsFrame vg.Length = 90 // title, axis and legend
)

// FalseRates draws how many benign sources a day each detector flags, by what
// they do: rates[behaviour][detector], at least 0.
func FalseRates(w io.Writer, format Format, behaviours, detectors []string, rates [][]float64) error {
	if err := checkRates(behaviours, detectors, rates); err != nil {
		return err
	}
	f := newFigure("Benign sources flagged, by behaviour", "sources flagged per day (log scale)", "")
	f.height = max(f.height, barsFrame+vg.Length(len(behaviours))*(vg.Length(len(detectors))*barHeight+barsGap))
	lo, hi := rateRange(rates)
	useLog(&f.X, lo, hi, plain)
	f.useRows(behaviours)
	for detector, name := range detectors {
		f.legend.add(name, box{fill: colours[detector]})
	}
	for behaviour := range behaviours {
		f.bars(behaviour, rates[behaviour])
	}
	return f.write(w, format)
}

func checkRates(behaviours, detectors []string, rates [][]float64) error {
	if err := checkNames("behaviours", behaviours); err != nil {
		return err
	}
	if err := checkDetectors(detectors); err != nil {
		return err
	}
	if len(rates) != len(behaviours) {
		return fmt.Errorf("%w: %d rows of rates for %d behaviours", ErrData, len(rates), len(behaviours))
	}
	for i, row := range rates {
		if len(row) != len(detectors) {
			return fmt.Errorf("%w: %d rates of %q for %d detectors", ErrData, len(row), behaviours[i], len(detectors))
		}
		if err := checkLog("rate of "+behaviours[i], row); err != nil {
			return err
		}
	}
	return nil
}

// rateRange returns an axis on which the smallest rate above 0 has a bar, and
// the largest has room for its number.
func rateRange(rates [][]float64) (lo, hi float64) {
	least, most := math.Inf(1), 0.0
	for _, row := range rates {
		for _, r := range row {
			if r > 0 {
				least, most = min(least, max(r, leastLog)), max(most, r, leastLog)
			}
		}
	}
	if most == 0 {
		return 0.1, 10
	}
	lo, hi = below(least/2), above(most)
	return lo, hi * math.Pow(hi/lo, 0.05)
}

// bars adds the bars of a behaviour below each other, each with its number.
func (f *figure) bars(behaviour int, rates []float64) {
	const group = 0.86 // of the way from a behaviour to the next
	style := textStyle(noteSize)
	style.XAlign = text.XLeft
	height := group / float64(len(rates))
	for detector, r := range rates {
		top := float64(behaviour) - group/2 + float64(detector)*height
		end := f.X.Min
		if r > 0 {
			end = max(r, leastLog)
			f.Add(box{f.X.Min, top, end, top + height, colours[detector]})
		}
		f.Add(note{x: end, y: top + height/2, right: 3, style: style, text: strconv.FormatFloat(r, 'g', 3, 64)})
	}
}
