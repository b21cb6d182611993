package plots

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// box is a filled rectangle between two corners on the axes.
type box struct {
	x0, y0, x1, y1 float64
	fill           color.Color
}

// Plot implements plot.Plotter.
func (b box) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	corners := vg.Rectangle{Min: vg.Point{X: x(b.x0), Y: y(b.y0)}, Max: vg.Point{X: x(b.x1), Y: y(b.y1)}}
	c.SetColor(b.fill)
	c.Fill(corners.Path())
}

// Thumbnail implements plot.Thumbnailer.
func (b box) Thumbnail(c *draw.Canvas) {
	c.SetColor(b.fill)
	c.Fill(c.Rectangle.Path())
}

// note is a text at a point on the axes, moved right by some points.
type note struct {
	x, y  float64
	right vg.Length
	style text.Style
	text  string
}

// Plot implements plot.Plotter.
func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.FillText(n.style, vg.Point{X: x(n.x) + n.right, Y: y(n.y)}, n.text)
}
