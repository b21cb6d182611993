package picture

import (
	"image"

	"edgescan/featurize"
)

// swatch is the side of a colour sample in pixels.
const swatch = 10

// entries are the names of a legend, with room for a sample before each and a gap
// behind it. Those that are empty are left out.
type entries struct {
	names       []string
	sample, gap int
}

// place calls put with the place of each entry, in as many lines as the width takes.
func (e entries) place(width int, put func(at image.Point, i int, name string)) {
	at := image.Pt(margin, 0)
	for i, name := range e.names {
		if name == "" {
			continue
		}
		need := e.sample + textWidth(name)
		if at.X > margin && at.X+need > width-margin {
			at = image.Pt(margin, at.Y+lineHeight)
		}
		put(at, i, name)
		at.X += need + e.gap
	}
}

// height is what the entries need on a picture of a width, margin included.
func (e entries) height(width int) (height int) {
	e.place(width, func(at image.Point, _ int, _ string) { height = at.Y + lineHeight })
	return height + margin
}

// mapEntries are those of a map with cells of a side.
func mapEntries(side int) entries {
	names := featurize.ChannelNames[:len(colours)]
	if side >= minDotted {
		names = featurize.ChannelNames[:featurize.ChannelRepeats+1]
	}
	return entries{names, swatch + 4, 12}
}

// legend draws what the colours of a map mean, from y on.
func (c *canvas) legend(y, width, side int) {
	mapEntries(side).place(width, func(at image.Point, i int, name string) {
		at.Y += y
		r := image.Rectangle{at, at.Add(image.Pt(swatch, swatch))}.Add(image.Pt(0, 3))
		if i < len(colours) {
			c.fill(r, firstChannel+ink(i))
		} else {
			c.fill(r.Inset(swatch/2-1), black)
		}
		c.text(r.Max.X+4, at.Y, textWidth(name), name)
	})
}
