package picture

import (
	"image"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"strconv"

	"edgescan/featurize"
)

// drawRuling draws the frame, lines between rows, and those between protocols.
func (p *plot) drawRuling(c *canvas) {
	if p.cell.Y >= minShaped {
		for row := range p.rows {
			y := p.area.Min.Y + row*p.cell.Y + p.cell.Y/2
			c.fill(image.Rect(p.area.Min.X, y, p.area.Max.X, y+1), faint)
		}
	}
	for _, g := range p.groups[min(1, len(p.groups)):] {
		x := p.area.Min.X + g.x - p.gap/2
		c.fill(image.Rect(x, p.area.Min.Y, x+1, p.area.Max.Y), rule)
	}
	c.frame(p.area)
}

// drawMarks draws outcome after outcome, so that what has one colour is one path:
// what was answered last, for it is rare in a scan and no mark is to cover it.
func (p *plot) drawMarks(c *canvas) {
	places := slices.Collect(maps.Keys(p.marks))
	sort.Slice(places, func(i, j int) bool {
		a, b := places[i], places[j]
		return a.Y < b.Y || a.Y == b.Y && a.X < b.X
	})
	for outcome := len(colours) - 1; outcome >= 0; outcome-- {
		var run image.Rectangle // of small marks that touch
		for _, at := range places {
			r, shaped := p.part(at, outcome)
			switch {
			case r.Empty():
			case shaped:
				c.shape(r, outcome)
			case r.Min.Y == run.Min.Y && r.Min.X <= run.Max.X:
				run.Max.X = r.Max.X
			default:
				c.fill(run, firstChannel+ink(outcome))
				run = r
			}
		}
		c.fill(run, firstChannel+ink(outcome))
	}
}

// part returns what an outcome gets of a place, and whether it is alone there and
// has room for a shape. In small places the most frequent one gets all.
func (p *plot) part(at image.Point, outcome int) (r image.Rectangle, shaped bool) {
	counts := p.marks[at]
	if counts[outcome] == 0 {
		return image.Rectangle{}, false
	}
	corner := p.area.Min.Add(image.Pt(at.X, at.Y*p.cell.Y))
	r = widened(image.Rectangle{corner, corner.Add(p.cell)})
	present, before := 0, 0
	for k, n := range counts {
		if n == 0 {
			continue
		}
		if k < outcome {
			before++
		}
		present++
	}
	if present == 1 {
		return r, p.cell.X >= minShaped && p.cell.Y >= minShaped
	}
	if r.Dx() < present {
		if slices.Index(counts[:], slices.Max(counts[:])) != outcome {
			return image.Rectangle{}, false
		}
		return r, false
	}
	r.Min.X, r.Max.X = r.Min.X+r.Dx()*before/present, r.Min.X+r.Dx()*(before+1)/present
	return r, false
}

// widened leaves a line free around a large cell, and makes a mark of a small one
// that can be seen.
func widened(r image.Rectangle) image.Rectangle {
	grow := func(low, high *int) {
		if size := *high - *low; size > leastMark {
			*low, *high = *low+1, *high-1
		} else {
			*low -= (leastMark - size) / 2
			*high = *low + leastMark
		}
	}
	grow(&r.Min.X, &r.Max.X)
	grow(&r.Min.Y, &r.Max.Y)
	return r
}

// shape draws the mark of an outcome within r: full squares worked, an empty one
// was answered and no more, a cross was refused, a small square met silence, a plus
// is odd, a minus still waits.
func (c *canvas) shape(r image.Rectangle, outcome int) {
	i := firstChannel + ink(outcome)
	side := min(r.Dx(), r.Dy())
	r = image.Rectangle{r.Min, r.Min.Add(image.Pt(side, side))}.Add(image.Pt((r.Dx()-side)/2, (r.Dy()-side)/2))
	thick := max(2, side/5)
	middle := r.Min.Add(image.Pt((side-thick)/2, (side-thick)/2))
	level := image.Rect(r.Min.X, middle.Y, r.Max.X, middle.Y+thick)
	switch outcome {
	case featurize.ChannelProductive:
		c.fill(r, i)
	case featurize.ChannelAnswered:
		c.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+thick), i)
		c.fill(image.Rect(r.Min.X, r.Max.Y-thick, r.Max.X, r.Max.Y), i)
		c.fill(image.Rect(r.Min.X, r.Min.Y+thick, r.Min.X+thick, r.Max.Y-thick), i)
		c.fill(image.Rect(r.Max.X-thick, r.Min.Y+thick, r.Max.X, r.Max.Y-thick), i)
	case featurize.ChannelRefused:
		for d := range side - thick + 1 {
			c.fill(image.Rect(r.Min.X+d, r.Min.Y+d, r.Min.X+d+thick, r.Min.Y+d+thick), i)
			c.fill(image.Rect(r.Min.X+d, r.Max.Y-d-thick, r.Min.X+d+thick, r.Max.Y-d), i)
		}
	case featurize.ChannelSilent:
		c.fill(r.Inset(side/4), i)
	case featurize.ChannelOdd:
		c.fill(level, i)
		c.fill(image.Rect(middle.X, r.Min.Y, middle.X+thick, r.Max.Y), i)
	default:
		c.fill(level, i)
	}
}

// labels returns the room that labels need left of the plot and below it.
func (p *plot) labels(portName func(uint16) string) (room image.Point) {
	for _, a := range p.rows {
		room.X = max(room.X, textWidth(hostLabel(a))+6)
	}
	p.eachPort(portName, func(_ int, label string) { room.Y = max(room.Y, textWidth(label)+6) })
	return room
}

// eachPort calls f for the ports that have a label, and with where in the area their
// columns are: as many as there is room for.
func (p *plot) eachPort(name func(uint16) string, f func(x int, label string)) {
	for _, g := range p.groups {
		for bin := 0; g.ported && bin < g.bins.bins; bin += (columnLabel + p.cell.X - 1) / p.cell.X {
			f(g.x+bin*p.cell.X, portLabel(g.ports[g.bins.first(bin)], name))
		}
	}
}

// hostLabel writes an address, of a long one the end, in which neighbours differ.
func hostLabel(a netip.Addr) string {
	s := a.String()
	if len(s) > mostLabel {
		s = ".." + s[len(s)-mostLabel+2:]
	}
	return s
}

func portLabel(port uint16, name func(uint16) string) string {
	if name == nil {
		return strconv.Itoa(int(port))
	}
	return cut(name(port), mostLabel*glyphWidth)
}

// drawLabels names hosts, protocols and ports: all, or as many as there is room for.
func (p *plot) drawLabels(c *canvas, portName func(uint16) string) {
	for row := 0; row < len(p.rows); row += (lineHeight + p.cell.Y - 1) / p.cell.Y {
		label := hostLabel(p.rows[row])
		c.text(p.area.Min.X-6-textWidth(label), p.area.Min.Y+row*p.cell.Y+(p.cell.Y-lineHeight)/2, textWidth(label), label)
	}
	for _, g := range p.groups {
		c.text(p.area.Min.X+g.x, p.area.Min.Y-lineHeight, textWidth(g.name), g.name)
	}
	p.eachPort(portName, func(x int, label string) {
		c.upright(p.area.Min.X+x+(p.cell.X-lineHeight)/2, p.area.Max.Y+4+textWidth(label), textWidth(label), label)
	})
}

// drawTally draws what the marks mean, and how many contacts each stands for.
func (p *plot) drawTally(c *canvas, y int) {
	p.entries().place(c.rect.Dx(), func(at image.Point, outcome int, name string) {
		corner := at.Add(image.Pt(0, y+2))
		c.shape(image.Rectangle{corner, corner.Add(image.Pt(12, 12))}, outcome)
		c.text(corner.X+16, at.Y+y, textWidth(name), name)
	})
}

// entries are the outcomes that there are.
func (p *plot) entries() entries {
	e := entries{make([]string, len(colours)), 16, 16}
	for outcome, n := range p.contacts {
		if n > 0 {
			e.names[outcome] = featurize.ChannelNames[outcome] + " " + strconv.Itoa(n)
		}
	}
	return e
}
