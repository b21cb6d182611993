package eval

import (
	"slices"
	"strings"
	"testing"
	"time"

	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

// counter is a Judge that names a source from so many doubtful contacts on.
type counter int

func (c counter) Judge(l *detect.Look) uint32 {
	if l.Summary.Doubtful >= int(c) {
		return detect.One
	}
	return 0
}

// few is one sweep of every sort of value.
func few(bool) []sweep {
	return []sweep{
		{"rate", slices.Concat(rates(time.Second, "s", 10), rates(time.Hour, "h", 1))},
		{"sources", values("%d", func(p *synth.ScanPlan, v int) { p.Sources = v }, 1, 4, 50)},
		{"decoys", values("%d", func(p *synth.ScanPlan, v int) { p.Decoys = v }, 3)},
		{"probes answered", values("%d%%", func(p *synth.ScanPlan, v int) { p.Answered = 10 * v }, 100)},
	}
}

func runFew(t *testing.T) *Evasion {
	t.Helper()
	r := evasionRun{
		first: 7, scenes: 3, threshold: detect.One, known: map[synth.ScanPlan]EvasionResult{},
		newJudge: func() (detect.Judge, error) { return counter(8), nil },
	}
	e, err := r.run(t.Context(), few)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEvasion(t *testing.T) {
	e := runFew(t)
	checkTable(t, e, runFew(t))
	if len(e.Sweeps) != 8 || len(e.Prices) != 1+len(e.Rules) {
		t.Fatalf("%d sweeps, %d prices of %d rules", len(e.Sweeps), len(e.Prices), len(e.Rules))
	}
	rate, sources, decoys, open := e.Sweeps[0].Values, e.Sweeps[1].Values, e.Sweeps[2].Values, e.Sweeps[3].Values
	for _, c := range []struct {
		name                  string
		value                 EvasionValue
		found, sources, named int
	}{
		{"baseline", rate[0], 3, 3, 3},
		{"one an hour", rate[1], 3, 3, 3},
		{"4 sources", sources[1], 3, 12, 12},
		{"50 sources", sources[2], 3, 150, 0}, // as a group
		{"3 decoys", decoys[0], 3, 12, 12},
		{"all answered", open[0], 3, 3, 3}, // without data: doubtful
	} {
		if v := c.value; v.Found[0] != c.found || v.Sources != c.sources || v.Named != c.named || v.Scenes != 3 {
			t.Errorf("%s: %d of %d scenes, %d of %d sources, want %d of 3 and %d of %d",
				c.name, v.Found[0], v.Scenes, v.Named, v.Sources, c.found, c.named, c.sources)
		}
	}
	if threshold, trw := rate[0].Found[1], rate[0].Found[3]; threshold != 3 || trw != 0 {
		t.Errorf("vertical: threshold rule finds %d of 3, random walk over hosts %d, want 3 and 0", threshold, trw)
	}
	if n := open[0].Found[1]; n != 0 {
		t.Errorf("all answered: threshold rule finds %d", n)
	}
	// Looks come when changes have grown by a quarter: eight contacts are seen
	// by the tenth.
	for _, c := range []struct {
		EvasionValue
		interval time.Duration
	}{{rate[0], 100 * time.Millisecond}, {rate[1], time.Hour}} {
		if len(c.Probes) != 3 {
			t.Errorf("%s: delays of %d scenes, want 3", c.Value, len(c.Probes))
		}
		for i, n := range c.Probes {
			if after := c.After[i]; n < 8 || n > 10 || after < 7*c.interval || after > 10*c.interval {
				t.Errorf("%s: named after %d probes, %v", c.Value, n, after)
			}
		}
	}
}

// checkTable compares the tables of two runs from the same seed.
func checkTable(t *testing.T, e, again *Evasion) {
	t.Helper()
	var first, second strings.Builder
	if err := e.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("two runs differ:\n%s\n%s", &first, &second)
	}
	for _, want := range []string{"vertical: ", "horizontal: ", "edgescan", "threshold", "TRW by hosts", " 1/h ", "100%", "price"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("no %q in the table:\n%s", want, &first)
		}
	}
	if strings.Contains(first.String(), "all protocols") {
		t.Errorf("rules for all protocols in the table:\n%s", &first)
	}
}

func TestShortly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "400ms", 10 * time.Second: "10s", time.Minute: "1m", 10 * time.Minute: "10m",
		time.Hour: "1h", 10 * time.Hour: "10h", 100 * time.Minute: "1h40m", 90 * time.Second: "1m30s", 0: "0s",
	} {
		if got := shortly(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

// TestSweeps holds what every sweep must be: values that differ, and the
// baseline among them, but where two parameters change together.
func TestSweeps(t *testing.T) {
	for _, horizontal := range []bool{false, true} {
		for _, s := range sweeps(horizontal) {
			plans := map[synth.ScanPlan]bool{}
			for _, v := range s.values {
				p := baseline
				v.set(&p)
				plans[p] = true
			}
			if len(plans) != len(s.values) {
				t.Errorf("%s: %d plans for %d values", s.parameter, len(plans), len(s.values))
			}
			if !plans[baseline] && s.parameter != "slow and browsing" && s.parameter != "sources anywhere" {
				t.Errorf("%s: not the baseline's value", s.parameter)
			}
		}
	}
}
