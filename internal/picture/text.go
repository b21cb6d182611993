package picture

import (
	"fmt"
	"image"
	"slices"
	"strconv"
	"strings"

	"edgescan/featurize"
)

// letters is a plot that fits a terminal of 80 columns beside the hosts, with as many
// lines as stay readable under an alert.
var letters = measures{width: 60, height: 8, least: 1, most: 1, gap: 1, letter: 1}

// TextStyle says what text pictures are made of.
type TextStyle struct {
	ASCII  bool // letters that every terminal has, else Unicode
	Colour bool // by the escape sequences of ECMA-48, 256 colours
}

// glyphs are the marks of the outcomes: as full as the contact was.
var glyphs = [2][len(colours)]string{
	{"\u25a0", "\u25a1", "\u00d7", "\u25aa", "+", "-"},
	{"#", "o", "x", ".", "+", "-"},
}

// shades are the colours of the outcomes among those of terminals.
var shades = [len(colours)]uint8{
	featurize.ChannelProductive: 25,
	featurize.ChannelAnswered:   74,
	featurize.ChannelRefused:    166,
	featurize.ChannelSilent:     178,
	featurize.ChannelOdd:        175,
	featurize.ChannelPending:    245,
}

// Text returns what Contacts draws as lines for a terminal, at most 80 letters wide and
// twelve high: where contacts share a place, the most frequent outcome is shown.
func Text(contacts []Contact, style TextStyle) string {
	if len(contacts) == 0 {
		return ""
	}
	p := newPlot(contacts, letters)
	margin := 0
	for _, a := range p.rows {
		margin = max(margin, len(hostLabel(a)))
	}
	margin = min(margin, 79-p.span)
	var b strings.Builder
	indent := strings.Repeat(" ", margin)
	b.WriteString(strings.TrimRight(indent+p.groupNames(), " ") + "\n")
	for row, a := range p.rows {
		label := hostLabel(a)
		label = label[max(0, len(label)-margin):]
		b.WriteString(strings.TrimRight(fmt.Sprintf("%*s%s", margin, label, p.line(row, style)), " ") + "\n")
	}
	if ports := p.portNumbers(); strings.TrimSpace(ports) != "" {
		b.WriteString(strings.TrimRight(indent+ports, " ") + "\n")
	}
	b.WriteString(p.meanings(margin, style) + "\n")
	return b.String()
}

// groupNames returns the line above the plot.
func (p *plot) groupNames() string {
	line := []byte(strings.Repeat(" ", p.span))
	for _, g := range p.groups {
		copy(line[g.x:], g.name)
	}
	return string(line)
}

// line returns a row of the plot.
func (p *plot) line(row int, style TextStyle) string {
	var b strings.Builder
	for x := range p.span {
		if counts := p.marks[image.Pt(x, row)]; counts != nil {
			b.WriteString(style.glyph(slices.Index(counts[:], slices.Max(counts[:]))))
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func (s TextStyle) glyph(outcome int) string {
	set := glyphs[0]
	if s.ASCII {
		set = glyphs[1]
	}
	if !s.Colour {
		return set[outcome]
	}
	return fmt.Sprintf("\x1b[38;5;%dm%s\x1b[0m", shades[outcome], set[outcome])
}

// portNumbers returns the line below the plot: as many numbers as have room, each
// under its column.
func (p *plot) portNumbers() string {
	line := []byte(strings.Repeat(" ", p.span+5))
	free := 0
	for _, g := range p.groups {
		for bin := 0; g.ported && bin < g.bins.bins; bin++ {
			if x := g.x + bin; x >= free {
				number := strconv.Itoa(int(g.ports[g.bins.first(bin)]))
				copy(line[x:], number)
				free = x + len(number) + 2
			}
		}
	}
	return string(line)
}

// meanings returns what the marks mean, and how many contacts each stands for, in a
// second line what has no room in the first.
func (p *plot) meanings(margin int, style TextStyle) string {
	var b strings.Builder
	indent := strings.Repeat(" ", margin+1)
	used := 0
	for outcome, n := range p.contacts {
		if n == 0 {
			continue
		}
		words := fmt.Sprintf(" %s %d", featurize.ChannelNames[outcome], n)
		switch need := len(words) + 3; {
		case used == 0:
			b.WriteString(indent)
		case margin+1+used+need > 80:
			b.WriteString("\n" + indent)
			used = 0
		default:
			b.WriteString("  ")
		}
		used += len(words) + 3
		b.WriteString(style.glyph(outcome) + words)
	}
	return b.String()
}
