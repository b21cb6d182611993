package report

import (
	"fmt"
	"time"
)

// axis maps times to a horizontal axis of a drawing.
type axis struct {
	from, to    time.Time
	left, right float64
}

// newAxis returns an axis of a span that is at least a millisecond long.
func newAxis(from, to time.Time, left, right float64) axis {
	if to.Sub(from) < time.Millisecond {
		to = from.Add(time.Millisecond)
	}
	return axis{from, to, left, right}
}

// x returns where a time is drawn, the nearest end if it is not on the axis.
func (a axis) x(t time.Time) float64 {
	part := float64(t.Sub(a.from)) / float64(a.to.Sub(a.from))
	return a.left + (a.right-a.left)*min(max(part, 0), 1)
}

// tick is a mark of an axis.
type tick struct {
	At    float64
	Label string
}

// steps are the distances that ticks of an axis may have.
var steps = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
}

// ticks returns at most n marks at round times.
func (a axis) ticks(n int) (marks []tick) {
	span := a.to.Sub(a.from)
	step := span / time.Duration(n)
	for _, s := range steps {
		if s >= step {
			step = s
			break
		}
	}
	layout := "15:04:05"
	switch {
	case step < time.Second:
		layout = "15:04:05.000"
	case span > 48*time.Hour:
		layout = "2006-01-02"
	case step >= time.Minute:
		layout = "15:04"
	}
	first := a.from.Truncate(step)
	for i := range n + 2 {
		if at := first.Add(time.Duration(i) * step); !at.Before(a.from) && !at.After(a.to) && len(marks) < n+1 {
			marks = append(marks, tick{a.x(at), at.UTC().Format(layout)})
		}
	}
	return marks
}

// coordinate writes a place in a drawing.
func coordinate(v float64) string { return fmt.Sprintf("%.1f", v) }
