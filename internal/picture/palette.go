package picture

import (
	"image/color"

	"edgescan/featurize"
)

// ink is an index into palette.
type ink uint8

const (
	paper ink = iota
	black
	faint        // between cells
	rule         // between groups of columns
	firstChannel // and those of the other colours after it
)

// colours are those of the channels that count contacts by outcome. The set is
// Okabe and Ito's (jfly.uni-koeln.de/color), which people with any common
// colour blindness can tell apart, and grey for what is undecided: blue is
// served, warm failed.
var colours = [...]color.RGBA{
	featurize.ChannelProductive: {0x00, 0x72, 0xb2, 0xff},
	featurize.ChannelAnswered:   {0x56, 0xb4, 0xe9, 0xff},
	featurize.ChannelRefused:    {0xd5, 0x5e, 0x00, 0xff},
	featurize.ChannelSilent:     {0xe6, 0x9f, 0x00, 0xff},
	featurize.ChannelOdd:        {0xcc, 0x79, 0xa7, 0xff},
	featurize.ChannelPending:    {0x99, 0x99, 0x99, 0xff},
}

func palette() color.Palette {
	p := color.Palette{
		paper: color.RGBA{0xff, 0xff, 0xff, 0xff},
		black: color.RGBA{0x00, 0x00, 0x00, 0xff},
		faint: color.RGBA{0xee, 0xee, 0xee, 0xff},
		rule:  color.RGBA{0xaa, 0xaa, 0xaa, 0xff},
	}
	for _, c := range colours {
		p = append(p, c)
	}
	return p
}
