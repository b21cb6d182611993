package eval

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"edgescan/internal/labels"
)

// Result is a detector's verdicts on a set of captures, in their order.
type Result struct {
	Detector string
	Verdicts []Verdict
}

// RunAll scores a detector on all captures.
func RunAll(d *Detector, captures []labels.Capture, view View) (Result, error) {
	r := Result{Detector: d.Name}
	for i := range captures {
		v, err := Run(d, &captures[i], view)
		if err != nil {
			return r, err
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	return r, nil
}

// Scored returns the captures that count: those with scans and benign ones.
func Scored(captures []labels.Capture) []labels.Capture {
	return slices.DeleteFunc(slices.Clone(captures), func(c labels.Capture) bool { return !c.Scan() && !c.Benign() })
}

// Totals sums up a Result.
type Totals struct {
	Scans, Found       int // captures with a labelled scanner; of them, those where one was named
	Benign, FalseFiles int // captures without; of them, those with a false alert
	FalseSources       int // sources falsely named, in captures with scans too
	Kinds              int // of the found, those whose kind is the label's
	Delay              int // median of the distinct contacts when a scanner was named
}

// Totals counts over the captures that r was made of.
func (r *Result) Totals(captures []labels.Capture) Totals {
	var t Totals
	var delays []int
	for i, v := range r.Verdicts {
		c := &captures[i]
		t.FalseSources += len(v.False)
		switch {
		case c.Scan():
			t.Scans++
			if len(v.Found) > 0 {
				t.Found++
				delays = append(delays, v.Delay)
			}
			if string(v.Kind) == c.Kind {
				t.Kinds++
			}
		case c.Benign():
			t.Benign++
			if len(v.False) > 0 {
				t.FalseFiles++
			}
		}
	}
	if len(delays) > 0 {
		slices.Sort(delays)
		t.Delay = delays[len(delays)/2]
	}
	return t
}

// WriteTable prints one line for each result.
func WriteTable(w io.Writer, captures []labels.Capture, results []Result) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "detector\tscans found\tbenign captures with a false alert\tfalse sources\tkind right\tmedian delay, contacts")
	for i := range results {
		t := results[i].Totals(captures)
		kinds := "-"
		if t.Kinds > 0 {
			kinds = fmt.Sprintf("%d of %d", t.Kinds, t.Found)
		}
		fmt.Fprintf(tw, "%s\t%d of %d\t%d of %d\t%d\t%s\t%d\n", results[i].Detector, t.Found, t.Scans, t.FalseFiles, t.Benign, t.FalseSources, kinds, t.Delay)
	}
	return tw.Flush()
}

// WriteErrors prints each capture on which a result differs from the label, or
// that could be read in part only.
func WriteErrors(w io.Writer, captures []labels.Capture, r *Result) {
	for i, v := range r.Verdicts {
		c := &captures[i]
		var what []string
		if c.Scan() && len(v.Found) == 0 {
			what = append(what, "missed")
		}
		if len(v.Found) > 0 && v.Kind != "" && string(v.Kind) != c.Kind {
			what = append(what, fmt.Sprintf("called %s, is %s", v.Kind, c.Kind))
		}
		for _, a := range v.False {
			what = append(what, "falsely names "+a.Netip().String())
		}
		if v.Unread != nil {
			what = append(what, fmt.Sprintf("read in part: %v", v.Unread))
		}
		if len(what) > 0 {
			fmt.Fprintf(w, "%s: %s: %s\n", r.Detector, filepath.Base(c.File), strings.Join(what, "; "))
		}
	}
}
