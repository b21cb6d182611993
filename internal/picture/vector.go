package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"unicode/utf8"
)

// vector is a surface of shapes, for SVG: one element that can stand alone or in a
// page, with text as text.
type vector struct {
	rect   image.Rectangle
	title  string
	body   bytes.Buffer
	pen    ink // of the path that is open
	drawn  int // shapes of it
	at     image.Point
	colour color.Palette
}

func newVector(r image.Rectangle, title string) *vector {
	v := &vector{rect: r, title: title, colour: palette()}
	v.fill(r, paper)
	return v
}

// fill adds to the path that is open if the ink is the same. Places are written
// as the distance from the one before, which is short.
func (v *vector) fill(r image.Rectangle, i ink) {
	if v.drawn == 0 || i != v.pen {
		v.closePath()
		red, green, blue, _ := v.colour[i].RGBA()
		fmt.Fprintf(&v.body, `<path fill="#%02x%02x%02x" d="`, red>>8, green>>8, blue>>8)
		v.pen, v.at = i, image.Point{}
	}
	by := r.Min.Sub(v.at)
	fmt.Fprintf(&v.body, "m%d %dh%dv%dh%dz", by.X, by.Y, r.Dx(), r.Dy(), -r.Dx())
	v.drawn++
	v.at = r.Min
}

func (v *vector) closePath() {
	if v.drawn > 0 {
		v.body.WriteString("\"/>\n")
	}
	v.drawn = 0
}

func (v *vector) text(x, y int, s string) { v.write(fmt.Sprintf(`x="%d" y="%d"`, x, y+baseline), s) }

func (v *vector) upright(x, y int, s string) {
	v.write(fmt.Sprintf(`transform="translate(%d %d) rotate(-90)"`, x+baseline, y), s)
}

// write writes text as wide as a raster's, whatever font there is.
func (v *vector) write(place, s string) {
	v.closePath()
	fmt.Fprintf(&v.body, `<text %s textLength="%d">%s</text>`+"\n", place, textWidth(s), escaped(s))
}

func (v *vector) encode(w io.Writer) error {
	v.closePath()
	title := escaped(v.title)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s" font-family="monospace" font-size="11.6" xml:space="preserve">
<title>%s</title>
%s</svg>
`, v.rect.Dx(), v.rect.Dy(), v.rect.Dx(), v.rect.Dy(), title, title, v.body.Bytes())
	if err != nil {
		return fmt.Errorf("write SVG: %w", err)
	}
	return nil
}

// markup is what characters with a meaning in XML become.
var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;")

// escaped returns s so that nothing in it is markup, and all of it is what XML may
// hold. It is not xml.EscapeText, which weighs 12 KiB more on the device.
func escaped(s string) string {
	return markup.Replace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, s))
}
