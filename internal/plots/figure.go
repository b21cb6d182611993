package plots

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size of a figure in points. It is shown 4/3 pixels to the point, 640 x 400; a
// PNG has twice as many each way, without which letters run into each other.
const (
	usualWidth  vg.Length = 480
	usualHeight vg.Length = 300
	margin      vg.Length = 8
	axisName    vg.Length = labelSize + 6 // room for the name of an axis
	pngDPI                = 192
)

// figure is a plot with its legend below. It names the axes itself: plot.Plot
// takes the middle of a logarithmic axis for its arithmetic mean, and leaves room
// for a name far to the right.
type figure struct {
	*plot.Plot
	width, height  vg.Length
	across, upward string // names of the axes
	grid           *plotter.Grid
	legend         legend
}

// newFigure returns a figure of the usual size with a title, names of its axes,
// and grid lines.
func newFigure(title, across, upward string) *figure {
	p := plot.New()
	p.Title.Text = title
	styleTitle(p)
	styleAxis(&p.X)
	styleAxis(&p.Y)
	grid := &plotter.Grid{Vertical: gridLine, Horizontal: gridLine}
	p.Add(grid)
	return &figure{Plot: p, width: usualWidth, height: usualHeight, across: across, upward: upward, grid: grid}
}

// line adds a line through points, and its name to the legend.
func (f *figure) line(name string, style draw.LineStyle, steps plotter.StepKind, points plotter.XYs) {
	line := &plotter.Line{XYs: points, LineStyle: style, StepStyle: steps}
	f.Add(line)
	f.legend.add(name, line)
}

// dots returns a mark of a shape at each of the points.
func dots(c color.Color, shape draw.GlyphDrawer, radius vg.Length, points plotter.XYs) *plotter.Scatter {
	return &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: c, Radius: radius, Shape: shape}}
}

// write draws f and writes it.
func (f *figure) write(w io.Writer, format Format) error {
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case SVG:
		canvas = vgsvg.New(f.width, f.height)
	case PNG:
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(pngDPI))}
	default:
		return fmt.Errorf("%w: %d", ErrFormat, format)
	}
	f.draw(draw.New(canvas))
	var picture bytes.Buffer
	if _, err := canvas.WriteTo(&picture); err != nil {
		return fmt.Errorf("encode plot: %w", err)
	}
	out := picture.Bytes()
	if format == SVG {
		out = withFallbackFonts(out)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	return nil
}

func (f *figure) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c = draw.Crop(c, 0, 0, f.legend.draw(c), 0)
	inner := draw.Crop(c, axisName, 0, axisName, 0)
	if f.upward == "" {
		inner = draw.Crop(c, 0, 0, axisName, 0)
	}
	f.Draw(inner)
	data := f.DataCanvas(inner)
	f.nameAxes(c, data.Center())
}

// nameAxes writes the names of the axes at the lower and the left edge of c,
// centred on the data.
func (f *figure) nameAxes(c draw.Canvas, center vg.Point) {
	style := textStyle(labelSize)
	c.FillText(style, vg.Point{X: center.X, Y: c.Min.Y + axisName/2}, f.across)
	style.Rotation = math.Pi / 2
	c.FillText(style, vg.Point{X: c.Min.X + labelSize/2, Y: center.Y}, f.upward)
}

// withFallbackFonts names fonts of the same widths for viewers that do not have
// the one that the text was measured with.
func withFallbackFonts(svg []byte) []byte {
	return bytes.ReplaceAll(svg,
		[]byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
}
