package eval

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Write prints, for vertical and for horizontal scans, a line for each value
// of each parameter: the share of scans that edgescan and each rule find, then
// edgescan's share of all sources that take part, and the median of what had
// been sent when it first named one of them.
func (e *Evasion) Write(w io.Writer) error {
	for _, kind := range []struct {
		horizontal bool
		title      string
	}{
		{false, "vertical: favourite ports of one host"},
		{true, "horizontal: one favourite port of hosts in a row"},
	} {
		fmt.Fprintf(w, "%s; share found of %d scans each. Baseline: %s\n", kind.title, e.Scenes, baselineText())
		if err := e.writeKind(w, kind.horizontal); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprint(w, `Columns of detectors: the scans in which they name at least one source. sources: those of all that edgescan names.
probes, after: what the source first named had sent by then, and the time since the scan began; medians.
price: of a benign source that is active all day, in other scenes.
`)
	return err
}

// baselineText describes the scan that sweeps start from.
func baselineText() string {
	return fmt.Sprintf("one source, %d targets shuffled, one probe in %v, %d%% answered, %d%% of the others silent, no decoys, no browsing",
		baseline.Targets, baseline.Interval, baseline.Answered/10, baseline.Dropped/10)
}

// shown lists the detectors to print: of rules that come in two forms, the one
// for TCP, since nothing else is sent.
func (e *Evasion) shown() []int {
	out := []int{0}
	for i, name := range e.Rules {
		if !strings.HasSuffix(name, suffix(true)) {
			out = append(out, i+1)
		}
	}
	return out
}

func (e *Evasion) writeKind(w io.Writer, horizontal bool) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "parameter\tvalue\tedgescan")
	for _, i := range e.shown()[1:] {
		fmt.Fprintf(tw, "\t%s", strings.TrimSuffix(e.Rules[i-1], suffix(false)))
	}
	fmt.Fprintln(tw, "\tsources\tprobes\tafter\t")
	for _, s := range e.Sweeps {
		if s.Horizontal != horizontal {
			continue
		}
		name := s.Parameter
		for i := range s.Values {
			v := &s.Values[i]
			fmt.Fprintf(tw, "%s\t%s", name, v.Value)
			for _, i := range e.shown() {
				fmt.Fprintf(tw, "\t%s", wholePercent(v.Found[i], v.Scenes))
			}
			fmt.Fprintf(tw, "\t%s\t%s\t\n", wholePercent(v.Named, v.Sources), v.delay())
			name = ""
		}
	}
	fmt.Fprint(tw, "price\tfalse alerts a day")
	for _, i := range e.shown() {
		fmt.Fprintf(tw, "\t%.3g", e.Prices[i])
	}
	fmt.Fprintln(tw, "\t\t\t\t")
	return tw.Flush()
}

// delay is the two columns that tell how soon a scan is found.
func (r *EvasionResult) delay() string {
	probes, ok := median(r.Probes)
	if !ok {
		return "-\t-"
	}
	after, _ := median(r.After)
	return fmt.Sprintf("%d\t%s", probes, shortly(roughly(after)))
}

// roughly rounds to what is worth reading.
func roughly(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{time.Minute, time.Second, 100 * time.Millisecond, time.Millisecond} {
		if d >= 10*unit {
			return d.Round(unit)
		}
	}
	return d.Round(100 * time.Microsecond)
}

// shortly writes a duration without the zeros behind it: 10m, not 10m0s.
func shortly(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func wholePercent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", (100*n+of/2)/of)
}
