package picture

import (
	"image"
	"strconv"

	"edgescan/featurize"
)

// grid draws m's cells, of side pixels each, into r.
func (c *canvas) grid(r image.Rectangle, m *featurize.Map, side int) {
	c.ruling(r, side)
	for row := range featurize.Rows {
		for column := range featurize.Columns {
			at := r.Min.Add(image.Pt(column, row).Mul(side))
			cell := m[(row*featurize.Columns+column)*featurize.Channels:][:featurize.Channels]
			c.mark(at, cell, side)
		}
	}
}

// ruling draws the lines between cells and, darker, between groups.
func (c *canvas) ruling(r image.Rectangle, side int) {
	for row := range featurize.Rows {
		y := r.Min.Y + row*side
		c.fill(image.Rect(r.Min.X, y, r.Max.X, y+1), faint)
	}
	for column := range featurize.Columns {
		x := r.Min.X + column*side
		c.fill(image.Rect(x, r.Min.Y, x+1, r.Max.Y), faint)
	}
	x := r.Min.X
	for _, g := range featurize.DefaultLayout().Groups() {
		c.fill(image.Rect(x, r.Min.Y, x+1, r.Max.Y), rule)
		x += g.Width * side
	}
	c.frame(r)
}

func (c *canvas) frame(r image.Rectangle) {
	c.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+1), rule)
	c.fill(image.Rect(r.Min.X, r.Max.Y, r.Max.X+1, r.Max.Y+1), rule)
	c.fill(image.Rect(r.Min.X, r.Min.Y, r.Min.X+1, r.Max.Y), rule)
	c.fill(image.Rect(r.Max.X, r.Min.Y, r.Max.X+1, r.Max.Y), rule)
}

// minDotted is the smallest cell in which a dot for repeats leaves enough of
// the colour around it.
const minDotted = 8

// mark draws one cell of side pixels: a square whose size tells how many
// contacts there were, split evenly among their outcomes. Size rather than
// shade, so that the colours stay apart.
func (c *canvas) mark(at image.Point, cell []uint8, side int) {
	var present []int
	most := uint8(0)
	for k := range colours {
		if cell[k] > 0 {
			present = append(present, k)
			most = max(most, cell[k])
		}
	}
	r := square(at, side, most)
	for i, k := range present {
		from, to := r.Min.X+r.Dx()*i/len(present), r.Min.X+r.Dx()*(i+1)/len(present)
		c.fill(image.Rect(from, r.Min.Y, to, r.Max.Y), firstChannel+ink(k))
	}
	if cell[featurize.ChannelRepeats] > 0 && len(present) > 0 && side >= minDotted {
		c.fill(square(at, side, 0).Inset(square(at, side, 0).Dx()/2-1), black)
	}
}

// square returns the middle of the cell at a point: half of its side for
// little, all of it but the ruling for featurize.MaxValue.
func square(at image.Point, side int, value uint8) image.Rectangle {
	inner := side - 1
	size := (inner + 1) / 2
	size += (inner - size) * int(min(value, featurize.MaxValue)) / featurize.MaxValue
	corner := at.Add(image.Pt(1+(inner-size)/2, 1+(inner-size)/2))
	return image.Rectangle{corner, corner.Add(image.Pt(size, size))}
}

// rowAxisWidth is what rowAxis needs left of the grid.
const rowAxisWidth = lineHeight + 3*glyphWidth

// rowAxis numbers every eighth row.
func (c *canvas) rowAxis(r image.Rectangle, side int) {
	const name = "hosts by hash"
	c.upright(r.Min.X-rowAxisWidth, r.Max.Y-(r.Dy()-textWidth(name))/2, r.Dy(), name)
	for row := 0; row < featurize.Rows; row += 8 {
		label := strconv.Itoa(row)
		c.text(r.Min.X-4-textWidth(label), r.Min.Y+row*side-2, rowAxisWidth, label)
	}
}

// columnNames writes the groups' names above the grid, upright where they are
// wider than their columns.
func (c *canvas) columnNames(r image.Rectangle, height, side int) {
	x := r.Min.X
	for _, g := range featurize.DefaultLayout().Groups() {
		width := g.Width * side
		if textWidth(g.Name) <= width {
			c.text(x+(width-textWidth(g.Name))/2, r.Min.Y-lineHeight, width, g.Name)
		} else {
			c.upright(x+(width-lineHeight)/2, r.Min.Y-3, height, g.Name)
		}
		x += width
	}
}

// namesHeight is what columnNames needs above the grid.
func namesHeight(side int) int {
	height := 0
	for _, g := range featurize.DefaultLayout().Groups() {
		need := lineHeight
		if textWidth(g.Name) > g.Width*side {
			need = textWidth(g.Name) + 4
		}
		height = max(height, need)
	}
	return height
}

func titleHeight(title string) int {
	if title == "" {
		return 0
	}
	return lineHeight + 2
}
