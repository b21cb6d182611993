package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// legend says what the lines and colours mean, in rows below the plot, where it
// hides no data.
type legend struct {
	entries []legendEntry
}

type legendEntry struct {
	name  string
	thumb plot.Thumbnailer
}

// Distances in the legend in points.
const (
	thumbWidth   vg.Length = 22
	thumbGap     vg.Length = 5  // between a thumbnail and its name
	entryGap     vg.Length = 16 // between entries
	legendHeight vg.Length = 14 // of a row
	legendGap    vg.Length = 6  // between the plot and the legend
)

func legendStyle() text.Style {
	s := textStyle(tickSize)
	s.XAlign = text.XLeft
	return s
}

func (l *legend) add(name string, thumb plot.Thumbnailer) {
	l.entries = append(l.entries, legendEntry{name, thumb})
}

// width is what the entry needs in a row, with the gap after it.
func (e legendEntry) width() vg.Length {
	return thumbWidth + thumbGap + legendStyle().Width(e.name) + entryGap
}

// rows deals the entries out to as many rows as the width takes.
func (l *legend) rows(width vg.Length) [][]legendEntry {
	var rows [][]legendEntry
	left := vg.Length(0)
	for _, e := range l.entries {
		if len(rows) == 0 || e.width()-entryGap > left {
			rows = append(rows, nil)
			left = width
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		left -= e.width()
	}
	return rows
}

// draw draws the legend at the lower edge of c and returns the height it took.
func (l *legend) draw(c draw.Canvas) vg.Length {
	rows := l.rows(c.Max.X - c.Min.X)
	for i, row := range rows {
		drawRow(c, c.Min.Y+legendHeight*vg.Length(len(rows)-1-i), row)
	}
	if len(rows) == 0 {
		return 0
	}
	return legendHeight*vg.Length(len(rows)) + legendGap
}

// drawRow draws entries beside each other, centred, on the row that starts at y.
func drawRow(c draw.Canvas, y vg.Length, row []legendEntry) {
	width := -entryGap
	for _, e := range row {
		width += e.width()
	}
	x := c.Center().X - width/2
	for _, e := range row {
		thumb := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: y + 2},
			Max: vg.Point{X: x + thumbWidth, Y: y + legendHeight - 2},
		}}
		e.thumb.Thumbnail(&thumb)
		c.FillText(legendStyle(), vg.Point{X: x + thumbWidth + thumbGap, Y: y + legendHeight/2}, e.name)
		x += e.width()
	}
}
