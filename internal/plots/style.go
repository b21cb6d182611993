package plots

import (
	"image/color"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colours are Okabe and Ito's (jfly.uni-koeln.de/color), which people with any
// common colour blindness can tell apart, without the yellow, which is too
// faint on white.
var colours = [...]color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x00, 0x00, 0x00, 0xff}, // black
}

// dashes tell lines apart without colour, and let one that lies under another
// show through. The first is solid.
var dashes = [...][]vg.Length{nil, {6, 2}, {2, 2}, {8, 2, 2, 2}}

var (
	grey      = color.Gray{0x77}
	gridLine  = draw.LineStyle{Color: color.Gray{0xdd}, Width: 0.5}
	guideLine = draw.LineStyle{Color: grey, Width: 0.75, Dashes: []vg.Length{3, 2}}
)

// lineStyle returns the style of the i-th line, i below len(colours).
func lineStyle(i int) draw.LineStyle {
	return draw.LineStyle{Color: colours[i], Width: 1.5, Dashes: dashes[i%len(dashes)]}
}

// Sizes of text in points.
const (
	titleSize = 12
	labelSize = 10
	tickSize  = 9
	noteSize  = 8
)

// setFont makes s sans serif of a size in points.
func setFont(s *text.Style, size vg.Length) {
	s.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
}

// middle puts the middle of a digit where a text is put; text.YCenter puts it an
// eighth of the size lower.
const middle text.YAlignment = -0.39

// textStyle returns the style of a text that is centred where it is put.
func textStyle(size vg.Length) text.Style {
	s := text.Style{Color: color.Black, XAlign: text.XCenter, YAlign: middle, Handler: plot.DefaultTextHandler}
	setFont(&s, size)
	return s
}

// styleTitle and styleAxis set fonts and distances.
func styleTitle(p *plot.Plot) {
	setFont(&p.Title.TextStyle, titleSize)
	p.Title.TextStyle.Font.Weight = xfont.WeightBold
	p.Title.Padding = 8
}

func styleAxis(a *plot.Axis) {
	setFont(&a.Tick.Label, tickSize)
	a.Tick.Length = 4
	a.Padding = 0
}
