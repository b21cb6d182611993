package picture

import (
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The font's cell in pixels.
const (
	glyphWidth = 7
	lineHeight = 16
	baseline   = 12
)

// canvas is a picture in the making. What lies outside is not drawn.
type canvas struct{ img *image.Paletted }

func newCanvas(width, height int) *canvas {
	return &canvas{image.NewPaletted(image.Rect(0, 0, width, height), palette())}
}

func (c *canvas) fill(r image.Rectangle, i ink) {
	r = r.Intersect(c.img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := c.img.Pix[c.img.PixOffset(r.Min.X, y):c.img.PixOffset(r.Max.X, y)]
		for x := range row {
			row[x] = uint8(i)
		}
	}
}

// text writes s with its upper left corner at x, y, cut to width pixels.
func (c *canvas) text(x, y, width int, s string) {
	drawer := font.Drawer{
		Dst:  c.img,
		Src:  image.NewUniform(c.img.Palette[black]),
		Face: basicfont.Face7x13,
		Dot:  fixed.P(x, y+baseline),
	}
	drawer.DrawString(cut(s, width))
}

// upright writes s from bottom to top with its lower left corner at x, y, cut
// to height pixels.
func (c *canvas) upright(x, y, height int, s string) {
	s = cut(s, height)
	line := newCanvas(textWidth(s), lineHeight)
	line.text(0, 0, height, s)
	for i := range line.img.Rect.Dx() {
		for j := range lineHeight {
			if line.img.ColorIndexAt(i, j) != uint8(paper) {
				c.fill(image.Rect(x+j, y-i-1, x+j+1, y-i), black)
			}
		}
	}
}

func textWidth(s string) int { return glyphWidth * len([]rune(s)) }

// cut returns as much of s as fits into width pixels.
func cut(s string, width int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), max(width/glyphWidth, 0))])
}
