package picture

import (
	"image"

	"edgescan/featurize"
)

// swatch is the side of a colour sample in pixels.
const swatch = 10

// legend draws what the colours mean, from y on, in as many lines as the
// width takes.
func (c *canvas) legend(y, width, side int) {
	placeLegend(width, side, func(at image.Point, i int, name string) {
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

// legendHeight is what legend needs on a picture of a width, margin included.
func legendHeight(width, side int) int {
	height := 0
	placeLegend(width, side, func(at image.Point, _ int, _ string) { height = at.Y + lineHeight })
	return height + margin
}

// placeLegend calls put with the place of each entry.
func placeLegend(width, side int, put func(at image.Point, i int, name string)) {
	names := featurize.ChannelNames[:len(colours)]
	if side >= minDotted {
		names = featurize.ChannelNames[:featurize.ChannelRepeats+1]
	}
	at := image.Pt(margin, 0)
	for i, name := range names {
		need := swatch + 4 + textWidth(name)
		if at.X > margin && at.X+need > width-margin {
			at = image.Pt(margin, at.Y+lineHeight)
		}
		put(at, i, name)
		at.X += need + 12
	}
}
