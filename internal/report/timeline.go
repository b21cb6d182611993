package report

import (
	"fmt"
	"strings"
	"time"
)

// The timeline's measures, in units of its view box.
const (
	timelineWidth  = 960.0
	timelineLeft   = 8.0
	timelineRight  = 952.0
	trafficHeight  = 60.0
	rowHeight      = 16.0
	maxRows        = 120
	leastBar       = 3.0  // so that a short scan is seen
	widthOfALetter = 6.6  // about, of a label
	axisHeight     = 22.0 // of the labels below
)

// timeline is the drawing of a Page's traffic and scans.
type timeline struct {
	Width, Height float64
	Area          string // the traffic, as a path
	Busiest       string // how much came in the part that holds most
	Bars          []bar
	Ticks         []tick
	Bottom        float64 // where the axis is
	More          int     // scans without a bar
}

// bar is one scan of a timeline.
type bar struct {
	X, Y, Width, Height float64
	Kind, Label, Target string // Target is the anchor of the source, if it is shown
	LabelX              float64
	Anchor              string // of the label: start or end
}

// newTimeline draws a timeline.
func newTimeline(p *Page) timeline {
	a := newAxis(p.From, p.To, timelineLeft, timelineRight)
	t := timeline{Width: timelineWidth, Ticks: a.ticks(8)}
	t.Area, t.Busiest = area(p.Traffic, a)
	rows := min(len(p.Scans), maxRows)
	t.More = len(p.Scans) - rows
	for i := range rows {
		s := &p.Scans[i]
		x := a.x(s.Start)
		b := bar{
			X: x, Y: trafficHeight + 8 + float64(i)*rowHeight, Width: max(a.x(s.End)-x, leastBar), Height: rowHeight - 4,
			Kind: s.Kind, Label: s.Source + " " + s.Kind,
		}
		if p.Shown(s.Source) {
			b.Target = anchor(s.Source)
		}
		b.LabelX, b.Anchor = b.X+b.Width+4, "start"
		if b.LabelX+float64(len(b.Label))*widthOfALetter > timelineRight {
			b.LabelX, b.Anchor = b.X-4, "end"
			if b.X < float64(len(b.Label))*widthOfALetter { // it is long: on it
				b.LabelX, b.Anchor = b.X+4, "start"
			}
		}
		t.Bars = append(t.Bars, b)
	}
	t.Bottom = trafficHeight + 12 + float64(rows)*rowHeight
	t.Height = t.Bottom + axisHeight
	return t
}

// area draws traffic as the path of an area, and says how much the highest part of
// it is.
func area(t Traffic, a axis) (path, busiest string) {
	var most uint64
	for _, n := range t.Parts {
		most = max(most, n)
	}
	if most == 0 {
		return "", ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", coordinate(a.x(t.Start)), coordinate(trafficHeight))
	for i, n := range t.Parts {
		from := t.Start.Add(time.Duration(i) * t.Width)
		y := trafficHeight - (trafficHeight-14)*float64(n)/float64(most)
		fmt.Fprintf(&b, "L%s %sH%s", coordinate(a.x(from)), coordinate(y), coordinate(a.x(from.Add(t.Width))))
	}
	fmt.Fprintf(&b, "V%sZ", coordinate(trafficHeight))
	return b.String(), fmt.Sprintf("%d packets in %s at most", most, length(t.Width))
}

// anchor returns a source's place on the page.
func anchor(source string) string {
	return "source-" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, source)
}
