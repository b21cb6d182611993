package eval

import (
	"errors"
	"os"
	"testing"

	"edgescan/internal/detect"
	"edgescan/internal/labels"
	"edgescan/internal/softflowd"
	"edgescan/quant"
)

// capturesDir is where the labelled real captures lie, beside the project.
const capturesDir = "../../../shared/captures"

// TestShippedModelOnRealCaptures holds the shipped model to the figures that
// the README states: all of 41 scans found and named by kind, no false alert in
// 62 benign captures, and better than each of the simple rules.
func TestShippedModelOnRealCaptures(t *testing.T) {
	captures := scoredCaptures(t)
	ours := totals(t, shippedDetector(t, quant.Default), captures, Packets)
	t.Logf("%+v", ours)
	if ours.Scans != 41 || ours.Benign != 62 {
		t.Skipf("other captures than those that the figures are for: %d with scans, %d benign", ours.Scans, ours.Benign)
	}
	if ours.Found != 41 || ours.FalseFiles != 0 || ours.Kinds != 41 {
		t.Errorf("found %d of 41, false alerts in %d of 62, kind right for %d", ours.Found, ours.FalseFiles, ours.Kinds)
	}
	for _, rule := range Rules() {
		theirs := totals(t, &rule, captures, Packets)
		if theirs.Found > ours.Found || theirs.FalseFiles < ours.FalseFiles || theirs.Found == ours.Found && theirs.FalseFiles == ours.FalseFiles {
			t.Errorf("%s is not beaten: found %d, false alerts in %d", rule.Name, theirs.Found, theirs.FalseFiles)
		}
	}
}

// TestShippedModelOnFlows holds the shipped model to what the README states of
// captures that are seen as flows: of the scans, all but two of ARP, which flows do
// not tell of, and at most two false alerts, in fewer captures than any rule that finds as many.
func TestShippedModelOnFlows(t *testing.T) {
	captures := scoredCaptures(t)
	view, err := Flows(t.Context(), captures, softflowd.Export{Version: 9})
	if errors.Is(err, softflowd.ErrMissing) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	ours := totals(t, shippedDetector(t, quant.DefaultFlows), captures, view)
	t.Logf("%+v", ours)
	if ours.Scans != 41 || ours.Benign != 62 {
		t.Skipf("other captures than those that the figures are for: %d with scans, %d benign", ours.Scans, ours.Benign)
	}
	if ours.Found < 39 || ours.FalseFiles > 2 {
		t.Errorf("found %d of 41, false alerts in %d of 62", ours.Found, ours.FalseFiles)
	}
	for _, rule := range Rules() {
		if theirs := totals(t, &rule, captures, view); theirs.Found >= ours.Found && theirs.FalseFiles <= ours.FalseFiles {
			t.Errorf("%s is not beaten: found %d, false alerts in %d", rule.Name, theirs.Found, theirs.FalseFiles)
		}
	}
}

// scoredCaptures returns the labelled captures beside the project.
func scoredCaptures(t *testing.T) []labels.Capture {
	t.Helper()
	if _, err := os.Stat(capturesDir); err != nil {
		t.Skip("no labelled captures beside the project")
	}
	captures, err := labels.Read(capturesDir)
	if err != nil {
		t.Fatal(err)
	}
	return Scored(captures)
}

// shippedDetector returns a shipped model.
func shippedDetector(t *testing.T, load func() (*quant.Network, error)) *Detector {
	t.Helper()
	network, err := load()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		t.Fatal(err)
	}
	return &Detector{Name: "edgescan", Judge: judge, Threshold: network.Threshold()}
}

func totals(t *testing.T, d *Detector, captures []labels.Capture, view View) Totals {
	t.Helper()
	r, err := RunAll(d, captures, view)
	if err != nil {
		t.Fatal(err)
	}
	return r.Totals(captures)
}
