// Package picture draws maps as an analyst would plot a flow log: hosts down,
// ports across, a mark where the source reached for something, coloured by how
// it was answered. A scan shows as a line.
//
// Maps and contacts come in, a PNG or SVG goes out, the same one for the same map.
package picture

import (
	"errors"
	"fmt"
	"image"
	"io"

	"edgescan/featurize"
)

// ErrOptions is what errors about Options wrap.
var ErrOptions = errors.New("bad picture options")

// Format is the kind of picture to write.
type Format uint8

// The formats.
const (
	PNG Format = iota
	SVG
)

// Options say how to draw. The zero value draws a PNG without a title.
type Options struct {
	Format   Format
	Title    string
	Note     string                   // a second line, of Contacts
	PortName func(port uint16) string // what Contacts calls ports; nil: their numbers
	Map      *featurize.Map           // that Contacts draws below: what the network made of them; may be nil
	Cell     int                      // side of a cell in pixels, 4 to 64; 0 means 12, and 6 in a Sheet
	PerRow   int                      // panels beside each other in a Sheet; 0 means 4
}

// withDefaults returns o with its zeros filled in, or an error.
func (o Options) withDefaults(cell int) (Options, error) {
	if o.Cell == 0 {
		o.Cell = cell
	}
	if o.Cell < 4 || o.Cell > 64 {
		return o, fmt.Errorf("%w: a cell of %d pixels, want 4 to 64", ErrOptions, o.Cell)
	}
	if o.PerRow == 0 {
		o.PerRow = 4
	}
	if o.PerRow < 1 {
		return o, fmt.Errorf("%w: %d panels in a row", ErrOptions, o.PerRow)
	}
	return o, nil
}

// margin is the space around everything, in pixels.
const margin = 8

// Draw writes m as a picture: title, names of columns and rows, the map, and a
// legend.
func Draw(w io.Writer, m *featurize.Map, opt Options) error {
	opt, err := opt.withDefaults(mapCell)
	if err != nil {
		return err
	}
	top := margin + titleHeight(opt.Title)
	size := mapSize(opt.Cell)
	c := newCanvas(size.X, top+size.Y, opt.Format, "The map "+opt.Title)
	c.text(margin, margin, size.X-2*margin, opt.Title)
	c.wholeMap(top, m, opt.Cell)
	return c.surface.encode(w)
}

// mapCell is the side of a cell if nobody says.
const mapCell = 12

// wholeMap draws a map with names and legend from top on.
func (c *canvas) wholeMap(top int, m *featurize.Map, side int) {
	grid := c.axes(top, side)
	c.grid(grid, m, side)
	c.legend(grid.Max.Y+margin, grid.Max.X+margin, side)
}

// axes draws the names of a map's columns and rows from top on, and returns where its
// cells are.
func (c *canvas) axes(top, side int) (grid image.Rectangle) {
	names := namesHeight(side)
	grid = gridSize(side).Add(image.Pt(margin+rowAxisWidth, top+names))
	c.columnNames(grid, names, side)
	c.rowAxis(grid, side)
	return grid
}

func gridSize(side int) image.Rectangle {
	return image.Rect(0, 0, featurize.Columns*side, featurize.Rows*side)
}

// mapSize is what wholeMap needs, with margins at the sides and below.
func mapSize(side int) image.Point {
	width := gridSize(side).Dx() + rowAxisWidth + 2*margin
	return image.Pt(width, namesHeight(side)+gridSize(side).Dy()+margin+mapEntries(side).height(width))
}
