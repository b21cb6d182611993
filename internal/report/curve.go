package report

import (
	"fmt"
	"math"
	"strings"
)

// The curve's measures, in units of its view box.
const (
	curveWidth  = 460.0
	curveLeft   = 44.0
	curveRight  = 452.0
	curveTop    = 8.0
	curveBottom = 128.0
	maxPoints   = 60 // of a curve; of more, the highest of neighbours
)

// mostOdds is the logarithm of the odds at the ends of a curve's axis, for and
// against: those of 0.9999.
var mostOdds = math.Log(0.9999 / 0.0001)

// curve is the drawing of verdicts over time, on a scale of log-odds: what tells
// 0.99 from 0.999.
type curve struct {
	Width, Height       float64
	Left, Right, Bottom float64
	Line                string
	Points              []point
	Ticks, Levels       []tick // of time, of probability
	Threshold           float64
}

type point struct {
	X, Y  float64
	Above bool   // at the threshold or over it
	Title string // when and how much
}

// newCurve draws verdicts.
func newCurve(verdicts []Verdict, threshold float64) curve {
	c := curve{Width: curveWidth, Height: curveBottom + axisHeight, Left: curveLeft, Right: curveRight, Bottom: curveBottom, Threshold: height(threshold)}
	for _, level := range []float64{0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999} {
		c.Levels = append(c.Levels, tick{height(level), fmt.Sprint(level)})
	}
	if len(verdicts) == 0 {
		return c
	}
	a := newAxis(verdicts[0].At, verdicts[len(verdicts)-1].At, curveLeft, curveRight)
	c.Ticks = a.ticks(4)
	var line strings.Builder
	for i, v := range thin(verdicts) {
		p := point{X: a.x(v.At), Y: height(v.Score), Above: v.Score >= threshold, Title: fmt.Sprintf("%s: %.4f", clock(v.At), v.Score)}
		c.Points = append(c.Points, p)
		if i == 0 {
			fmt.Fprintf(&line, "M%s %s", coordinate(p.X), coordinate(p.Y))
		} else {
			fmt.Fprintf(&line, "H%sV%s", coordinate(p.X), coordinate(p.Y))
		}
	}
	c.Line = line.String()
	return c
}

// height returns where a probability is drawn.
func height(p float64) float64 {
	odds := math.Log(p / (1 - p)) // ±Inf at the ends
	part := (mostOdds + min(max(odds, -mostOdds), mostOdds)) / (2 * mostOdds)
	return curveBottom - (curveBottom-curveTop)*part
}

// thin leaves at most maxPoints verdicts, of neighbours the highest.
func thin(verdicts []Verdict) []Verdict {
	every := (len(verdicts) + maxPoints - 1) / maxPoints
	if every <= 1 {
		return verdicts
	}
	var left []Verdict
	for i, v := range verdicts {
		if i%every == 0 {
			left = append(left, v)
		} else if last := &left[len(left)-1]; v.Score > last.Score {
			*last = v
		}
	}
	return left
}
