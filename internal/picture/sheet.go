package picture

import (
	"fmt"
	"image"
	"io"

	"edgescan/featurize"
)

// Panel is one map on a Sheet.
type Panel struct {
	Title string
	Map   *featurize.Map
}

// Sheet writes several maps as one picture, each small under its title, in rows of
// opt.PerRow, with one legend for all. Columns go without names.
func Sheet(w io.Writer, panels []Panel, opt Options) error {
	opt, err := opt.withDefaults(6)
	if err != nil {
		return err
	}
	if len(panels) == 0 {
		return fmt.Errorf("%w: a sheet without panels", ErrOptions)
	}
	size := image.Pt(featurize.Columns*opt.Cell, featurize.Rows*opt.Cell)
	step := size.Add(image.Pt(margin, lineHeight+margin))
	perRow := min(opt.PerRow, len(panels))
	rows := (len(panels) + perRow - 1) / perRow
	width, top := margin+perRow*step.X, margin+titleHeight(opt.Title)
	c := newCanvas(width, top+rows*step.Y+mapEntries(opt.Cell).height(width), opt.Format, "Maps "+opt.Title)
	c.text(margin, margin, width-2*margin, opt.Title)
	for i, p := range panels {
		at := image.Pt(margin+i%perRow*step.X, top+i/perRow*step.Y)
		c.text(at.X, at.Y, size.X, p.Title)
		corner := at.Add(image.Pt(0, lineHeight))
		c.grid(image.Rectangle{corner, corner.Add(size)}, p.Map, opt.Cell)
	}
	c.legend(top+rows*step.Y, width, opt.Cell)
	return c.surface.encode(w)
}
