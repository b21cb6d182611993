package eval

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// shares counts, for each behaviour, something and how often each detector
// named it.
type shares map[string]*share

type share struct {
	all   int
	named []int // by detector: the Judge, then the rules
}

// of returns the entry of a behaviour.
func (s shares) of(behaviour string, detectors int) *share {
	e := s[behaviour]
	if e == nil {
		e = &share{named: make([]int, detectors)}
		s[behaviour] = e
	}
	return e
}

// names returns the behaviours in order, with the entry for all last.
func (s shares) names(all string) []string {
	var names []string
	for name := range s {
		if name != all {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if s[all] != nil {
		names = append(names, all)
	}
	return names
}

// write prints a line for each behaviour, and last one for all.
func (s shares) write(w io.Writer, title, unit, all string, rules []string, format func(named, of int) string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "%s\t%s\tedgescan", title, unit)
	for _, name := range rules {
		fmt.Fprintf(tw, "\t%s", name)
	}
	fmt.Fprintln(tw, "\t")
	for _, name := range s.names(all) {
		fmt.Fprintf(tw, "%s\t%d", name, s[name].all)
		for _, n := range s[name].named {
			fmt.Fprintf(tw, "\t%s", format(n, s[name].all))
		}
		fmt.Fprintln(tw, "\t")
	}
	return tw.Flush()
}

// falseRates counts, for each benign behaviour and for all of them, the
// source-windows and those that the Judge, at a threshold, and the rules
// falsely name.
func (s *Synthetic) falseRates(threshold uint32) shares {
	counts := shares{}
	for i := range s.Windows {
		win := &s.Windows[i]
		if win.Scans {
			continue
		}
		for _, name := range []string{cmp.Or(win.Tool, "other hosts"), allBenign} {
			e := counts.of(name, 1+len(s.Rules))
			e.all++
			if win.Score >= threshold {
				e.named[0]++
			}
			for j := range s.Rules {
				e.named[j+1] += int(win.Rules >> j & 1)
			}
		}
	}
	return counts
}

const (
	allBenign = "all benign sources"
	allScans  = "all scans"
)

// perDay turns a count of source-windows into false alerts a day.
func perDay(named, of int) float64 { return periodsPerDay * float64(named) / float64(of) }

// WriteFalseRates prints, for each benign behaviour, the false alerts a day of
// a source that does nothing else all day: the Judge's at a threshold beside
// those of the rules.
func (s *Synthetic) WriteFalseRates(w io.Writer, threshold uint32) error {
	err := s.falseRates(threshold).write(w, "behaviour", "source-windows", allBenign, s.Rules, func(named, of int) string {
		return fmt.Sprintf("%.3g", perDay(named, of))
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "groups of sources: named in %d of %d scenes without scans, %.0f hours of traffic\n", s.Groups.Named, s.Groups.Scenes, s.Groups.Time.Hours())
	return err
}

// FalseRates returns what WriteFalseRates prints: behaviours, and for each the
// false alerts a day of the Judge and of each rule.
func (s *Synthetic) FalseRates(threshold uint32) (behaviours []string, rates [][]float64) {
	counts := s.falseRates(threshold)
	behaviours = counts.names(allBenign)
	for _, name := range behaviours {
		var row []float64
		for _, n := range counts[name].named {
			row = append(row, perDay(n, counts[name].all))
		}
		rates = append(rates, row)
	}
	return behaviours, rates
}

// WriteFound prints, for each kind of scan, the share of scanning sources that
// each detector named.
func (s *Synthetic) WriteFound(w io.Writer) error {
	counts := shares{}
	for _, d := range s.Delays {
		for _, name := range []string{d.Tool, allScans} {
			e := counts.of(name, len(d.Contacts))
			e.all++
			for i, n := range d.Contacts {
				if n >= 0 {
					e.named[i]++
				}
			}
		}
	}
	return counts.write(w, "scan", "sources", allScans, s.Rules, func(named, of int) string {
		return fmt.Sprintf("%.1f%%", 100*float64(named)/float64(of))
	})
}
