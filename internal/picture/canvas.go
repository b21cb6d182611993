package picture

import (
	"image"
	"io"
)

// The font's cell in pixels.
const (
	glyphWidth = 7
	lineHeight = 16
	baseline   = 12
)

// surface is what pictures are drawn on. Text is black.
type surface interface {
	// fill covers a rectangle that lies within.
	fill(r image.Rectangle, i ink)
	// text writes s with its upper left corner at x, y.
	text(x, y int, s string)
	// upright writes s from bottom to top with its lower left corner at x, y.
	upright(x, y int, s string)
	encode(w io.Writer) error
}

// canvas is a picture in the making. What lies outside is not drawn.
type canvas struct {
	surface surface
	rect    image.Rectangle
}

// newCanvas returns an empty one. The title is for who cannot see it.
func newCanvas(width, height int, f Format, title string) *canvas {
	r := image.Rect(0, 0, width, height)
	if f == SVG {
		return &canvas{newVector(r, title), r}
	}
	return &canvas{newRaster(r), r}
}

func (c *canvas) fill(r image.Rectangle, i ink) {
	if r = r.Intersect(c.rect); !r.Empty() {
		c.surface.fill(r, i)
	}
}

// text writes s with its upper left corner at x, y, cut to width pixels.
func (c *canvas) text(x, y, width int, s string) {
	if s = cut(s, width); s != "" {
		c.surface.text(x, y, s)
	}
}

// upright writes s from bottom to top with its lower left corner at x, y, cut
// to height pixels.
func (c *canvas) upright(x, y, height int, s string) {
	if s = cut(s, height); s != "" {
		c.surface.upright(x, y, s)
	}
}

func textWidth(s string) int { return glyphWidth * len([]rune(s)) }

// cut returns as much of s as fits into width pixels.
func cut(s string, width int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), max(width/glyphWidth, 0))])
}
