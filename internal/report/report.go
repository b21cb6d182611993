// Package report writes one self-contained HTML page about a capture: who scanned
// what, when, and how it was answered; the pictures that show it; and beside it what
// the simple rules said.
//
// A Page comes in, HTML goes out, the same for the same Page. It needs no
// script and no network, and nothing that a capture or a file's name holds is
// markup in it. It is styled for dark and light screens, phones and paper.
package report

import (
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"
)

// ErrPage is what errors about a Page wrap.
var ErrPage = errors.New("page cannot be written")

// Page is what a report tells. All times are capture time.
type Page struct {
	Capture   string // what was read
	Program   string // with its version
	Threshold float64
	From, To  time.Time // of what was read
	Traffic   Traffic
	Facts     []Fact // of the whole capture
	Scans     []Scan // in the order in which they began
	Sources   []Source
	Named     int      // how many sources scanned, of which Sources may be the first
	Others    []Source // not named, the busiest first
	NotShown  int      // scans that are not among Scans
	Problems  []string // what could not be read, and the like
	Rules     []string // names of the simple rules
}

// Fact is one line of a list.
type Fact struct{ Name, Value string }

// Traffic is how much came over time.
type Traffic struct {
	Start time.Time
	Width time.Duration // of each part
	Parts []uint64      // packets
}

// Scan is one incident.
type Scan struct {
	Source   string // the name of one of Sources
	Kind     string
	What     string // the targets
	Ports    string
	Start    time.Time
	End      time.Time
	Contacts int
	Answered int
	Refused  int
	Silent   int // and those of no known outcome
	Odd      int
	Score    float64 // probability, 0 to 1
	Line     string  // the alert
	Allowed  string  // why a rule allows it, if one does
}

// Source is one host, or a group of them.
type Source struct {
	Name     string
	Caption  string        // of its pictures
	Plot     template.HTML // the contacts, as SVG that is safe to include
	PlotPNG  []byte        // the same where Plot is empty
	Map      []byte        // what the network saw, as PNG; none if empty
	Verdicts []Verdict     // in the order of time
	Named    time.Time     // when the network named it; zero if it did not
	Rules    []time.Time   // when each of the Page's Rules named it; zero if it did not
	Counts   []Fact
}

// Verdict is how sure the network was at one time.
type Verdict struct {
	At    time.Time
	Score float64 // probability of a scan, 0 to 1
}

// Shown reports whether a source that scanned is among Sources.
func (p *Page) Shown(source string) bool {
	return slices.ContainsFunc(p.Sources, func(s Source) bool { return s.Name == source })
}

// Anchor returns the place of the scan's source on the page.
func (s Scan) Anchor() string { return anchor(s.Source) }

// card is a Source with what else its part of the page needs.
type card struct {
	Source
	Anchor    string
	Scans     []Scan
	Threshold float64
	RuleNames []string
}

// With returns the card of a source.
func (p *Page) With(s Source) card {
	c := card{Source: s, Anchor: anchor(s.Name), Threshold: p.Threshold, RuleNames: p.Rules}
	for _, scan := range p.Scans {
		if scan.Source == s.Name {
			c.Scans = append(c.Scans, scan)
		}
	}
	return c
}

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

// page is the template. Its functions turn values into text and geometry.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":    func() template.CSS { return template.CSS(styleText) },
	"clock":    clock,
	"moment":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"length":   length,
	"percent":  func(score float64) string { return fmt.Sprintf("%.1f%%", 100*score) },
	"dataPNG":  dataPNG,
	"count":    count,
	"timeline": newTimeline,
	"curve":    newCurve,
	"later":    later,
}).Parse(pageText))

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	for _, s := range append(p.Sources[:len(p.Sources):len(p.Sources)], p.Others...) {
		if len(s.Rules) != len(p.Rules) {
			return fmt.Errorf("%w: %d rules, and what %d said of %s", ErrPage, len(p.Rules), len(s.Rules), s.Name)
		}
	}
	return page.Execute(w, p)
}

// dataPNG returns a picture as an address that holds it.
func dataPNG(picture []byte) template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture))
}

// clock writes the time of day, to the millisecond.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// length writes a duration to two digits or so.
func length(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "under 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// later says how much later than the network a rule named a source, or how much
// earlier.
func later(rule, network time.Time) string {
	switch {
	case rule.IsZero():
		return "never"
	case network.IsZero():
		return "at " + clock(rule)
	case rule.Equal(network):
		return "at the same time"
	case rule.Before(network):
		return length(network.Sub(rule)) + " earlier"
	}
	return length(rule.Sub(network)) + " later"
}
