package eval

import (
	"os"
	"testing"

	"edgescan/internal/detect"
	"edgescan/internal/labels"
	"edgescan/quant"
)

// capturesDir is where the labelled real captures lie, beside the project.
const capturesDir = "../../../shared/captures"

// TestShippedModelOnRealCaptures holds the shipped model to the figures that
// the README states: all of 41 scans found and named by kind, no false alert in
// 62 benign captures, and better than each of the simple rules.
func TestShippedModelOnRealCaptures(t *testing.T) {
	if _, err := os.Stat(capturesDir); err != nil {
		t.Skip("no labelled captures beside the project")
	}
	captures, err := labels.Read(capturesDir)
	if err != nil {
		t.Fatal(err)
	}
	captures = Scored(captures)
	network, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		t.Fatal(err)
	}
	ours := totals(t, &Detector{Name: "edgescan", Judge: judge, Threshold: network.Threshold()}, captures)
	t.Logf("%+v", ours)
	if ours.Scans != 41 || ours.Benign != 62 {
		t.Skipf("other captures than those that the figures are for: %d with scans, %d benign", ours.Scans, ours.Benign)
	}
	if ours.Found != 41 || ours.FalseFiles != 0 || ours.Kinds != 41 {
		t.Errorf("found %d of 41, false alerts in %d of 62, kind right for %d", ours.Found, ours.FalseFiles, ours.Kinds)
	}
	for _, rule := range Rules() {
		theirs := totals(t, &rule, captures)
		if theirs.Found > ours.Found || theirs.FalseFiles < ours.FalseFiles || theirs.Found == ours.Found && theirs.FalseFiles == ours.FalseFiles {
			t.Errorf("%s is not beaten: found %d, false alerts in %d", rule.Name, theirs.Found, theirs.FalseFiles)
		}
	}
}

func totals(t *testing.T, d *Detector, captures []labels.Capture) Totals {
	t.Helper()
	r, err := RunAll(d, captures, Packets)
	if err != nil {
		t.Fatal(err)
	}
	return r.Totals(captures)
}
