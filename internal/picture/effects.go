package picture

import (
	"fmt"
	"image"
	"io"
	"math"

	"edgescan/featurize"
)

// Effects draws what each cell of a map does to a verdict, in nats: as large as it
// is strong, in the colour of failure where it speaks for a scan, in that of success
// where it speaks against one.
func Effects(w io.Writer, cells *[featurize.Rows * featurize.Columns]float64, opt Options) error {
	opt, err := opt.withDefaults(mapCell)
	if err != nil {
		return err
	}
	top := margin + titleHeight(opt.Title)
	width := mapSize(opt.Cell).X
	c := newCanvas(width, top+namesHeight(opt.Cell)+gridSize(opt.Cell).Dy()+2*margin+lineHeight, opt.Format, "Effects "+opt.Title)
	c.text(margin, margin, width-2*margin, opt.Title)
	grid := c.axes(top, opt.Cell)
	c.ruling(grid, opt.Cell)
	strongest := 0.0
	for _, effect := range cells {
		strongest = max(strongest, math.Abs(effect))
	}
	for i, effect := range cells {
		if effect == 0 {
			continue
		}
		at := grid.Min.Add(image.Pt(i%featurize.Columns, i/featurize.Columns).Mul(opt.Cell))
		c.fill(square(at, opt.Cell, uint8(math.Round(featurize.MaxValue*math.Abs(effect)/strongest))), effectInk(effect))
	}
	c.effectLegend(grid.Max.Y+margin, strongest)
	return c.surface.encode(w)
}

func effectInk(effect float64) ink {
	if effect > 0 {
		return firstChannel + featurize.ChannelRefused
	}
	return firstChannel + featurize.ChannelProductive
}

// effectLegend draws what the colours mean, and how much the largest mark stands for.
func (c *canvas) effectLegend(y int, strongest float64) {
	x := margin
	for _, entry := range []struct {
		sign float64
		text string
	}{{1, "for a scan"}, {-1, "against one"}} {
		c.fill(image.Rect(x, y+3, x+swatch, y+3+swatch), effectInk(entry.sign))
		c.text(x+swatch+4, y, textWidth(entry.text), entry.text)
		x += swatch + 16 + textWidth(entry.text)
	}
	text := fmt.Sprintf("the largest: %.1f nat", strongest)
	c.text(x, y, textWidth(text), text)
}
