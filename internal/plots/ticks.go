package plots

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// useLog gives an axis a logarithmic scale from lo to hi, both above 0 and lo
// below hi.
func useLog(a *plot.Axis, lo, hi float64, format func(float64) string) {
	a.Min, a.Max = lo, hi
	a.Scale = plot.LogScale{}
	a.Tick.Marker = logTicks{format}
}

// useShares gives an axis a linear scale from 0 to 1.
func useShares(a *plot.Axis, format func(float64) string) {
	a.Min, a.Max = 0, 1
	var ticks plot.ConstantTicks
	for fifth := range 6 {
		v := float64(fifth) / 5
		ticks = append(ticks, plot.Tick{Value: v, Label: format(v)})
	}
	a.Tick.Marker = ticks
}

// useNames gives an axis a place for each name, 1 apart and the first at 0.
func useNames(a *plot.Axis, names []string) {
	a.Min, a.Max = -0.5, float64(len(names))-0.5
	var ticks plot.ConstantTicks
	for i, name := range names {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	a.Tick.Marker = ticks
	a.Tick.Length = 0
}

// useRows is useNames for the vertical axis, from its upper end down and without
// grid lines.
func (f *figure) useRows(names []string) {
	useNames(&f.Y, names)
	f.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	f.grid.Horizontal.Color = nil
}

// plain writes a number without an exponent.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// percent writes a share in percent.
func percent(v float64) string { return strconv.FormatFloat(100*v, 'g', 3, 64) + "%" }

// oneDigit writes a share with one digit after the point.
func oneDigit(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// logTicks marks 1 to 9 times every power of ten, and labels the powers and, on
// axes of less than two decades, 2 and 5 times them too.
type logTicks struct {
	format func(float64) string
}

// Ticks implements plot.Ticker.
func (t logTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	short := hi < 100*lo
	for exp := floorLog(lo); exp <= floorLog(hi); exp++ {
		for digit := 1; digit <= 9; digit++ {
			tick := plot.Tick{Value: scale10(digit, exp)}
			if digit == 1 || short && (digit == 2 || digit == 5) {
				tick.Label = t.format(tick.Value)
			}
			if tick.Value >= lo && tick.Value <= hi {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

// floorLog returns the power of ten of the decade that v lies in.
func floorLog(v float64) int { return int(math.Floor(math.Log10(v))) }

// scale10 returns digit x 10^exp, rounded once for powers that are exact.
func scale10(digit, exp int) float64 {
	if exp < 0 {
		return float64(digit) / math.Pow10(-exp)
	}
	return float64(digit) * math.Pow10(exp)
}

// below returns the largest of 1, 2 and 5 times a power of ten that is smaller
// than v; v is above 0.
func below(v float64) float64 {
	for exp := floorLog(v); ; exp-- {
		for _, digit := range []int{5, 2, 1} {
			if r := scale10(digit, exp); r < v {
				return r
			}
		}
	}
}

// above returns the smallest of 1, 2 and 5 times a power of ten that is larger
// than v; v is above 0.
func above(v float64) float64 {
	for exp := floorLog(v); ; exp++ {
		for _, digit := range []int{1, 2, 5} {
			if r := scale10(digit, exp); r > v {
				return r
			}
		}
	}
}
