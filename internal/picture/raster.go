package picture

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// raster is a surface of pixels, for PNG.
type raster struct{ img *image.Paletted }

func newRaster(r image.Rectangle) *raster { return &raster{image.NewPaletted(r, palette())} }

func (p *raster) fill(r image.Rectangle, i ink) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.img.Pix[p.img.PixOffset(r.Min.X, y):p.img.PixOffset(r.Max.X, y)]
		for x := range row {
			row[x] = uint8(i)
		}
	}
}

func (p *raster) text(x, y int, s string) {
	drawer := font.Drawer{
		Dst:  p.img,
		Src:  image.NewUniform(p.img.Palette[black]),
		Face: basicfont.Face7x13,
		Dot:  fixed.P(x, y+baseline),
	}
	drawer.DrawString(s)
}

func (p *raster) upright(x, y int, s string) {
	line := newRaster(image.Rect(0, 0, textWidth(s), lineHeight))
	line.text(0, 0, s)
	for i := range line.img.Rect.Dx() {
		for j := range lineHeight {
			if at := image.Pt(x+j, y-i-1); line.img.ColorIndexAt(i, j) != uint8(paper) && at.In(p.img.Rect) {
				p.img.SetColorIndex(at.X, at.Y, uint8(black))
			}
		}
	}
}

func (p *raster) encode(w io.Writer) error {
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(w, p.img); err != nil {
		return fmt.Errorf("write PNG: %w", err)
	}
	return nil
}
