package eval

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
	"edgescan/quant"
)

func shipped(t *testing.T) (*quant.Network, func() (detect.Judge, error)) {
	t.Helper()
	n, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	return n, func() (detect.Judge, error) { return detect.NewNetwork(n) }
}

// TestShippedModelOnSyntheticScenes checks, on scenes that no model is trained
// on, that the model finds most scans, that it flags next to nothing else, and
// that a second run gives the same result.
func TestShippedModelOnSyntheticScenes(t *testing.T) {
	network, newJudge := shipped(t)
	const first, scenes = 0x7e57 << 32, 150
	s, err := RunSynthetic(context.Background(), first, scenes, synth.Options{}, dataset.Packets, network.Threshold(), newJudge)
	if err != nil {
		t.Fatal(err)
	}
	sources, found := s.Found(0)
	windows, flagged := s.Benign(network.Threshold())
	t.Logf("%d of %d scans found, %d of %d benign source-windows flagged", found, sources, flagged, windows)
	if found*4 < sources*3 || flagged*1000 > windows {
		t.Errorf("%d of %d scans found, %d of %d benign source-windows flagged", found, sources, flagged, windows)
	}
	again, err := RunSynthetic(context.Background(), first, scenes, synth.Options{}, dataset.Packets, network.Threshold(), newJudge)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again); diff != "" {
		t.Errorf("a second run differs: %s", diff)
	}
	var table bytes.Buffer
	if err := s.WriteFalseRates(&table, network.Threshold()); err != nil || !strings.Contains(table.String(), "resolver") {
		t.Errorf("table %v: %s", err, table.String())
	}
	if err := s.WriteFound(&table); err != nil || !strings.Contains(table.String(), "all scans") {
		t.Errorf("table %v: %s", err, table.String())
	}
}

func TestThresholdOfWindows(t *testing.T) {
	s := &Synthetic{}
	for i := range 1000 {
		s.Windows = append(s.Windows, SourceWindow{Score: uint32(40000 + i)}, SourceWindow{Score: 65536, Scans: true})
	}
	if got := s.Threshold(0.01); got != 40990 {
		t.Errorf("threshold %d: %d of 1000 reach it", got, 41000-int(got))
	}
	if windows, flagged := s.Benign(s.Threshold(0.01)); windows != 1000 || flagged != 10 {
		t.Errorf("%d of %d", flagged, windows)
	}
	if got := s.Threshold(1); got != detect.One/2 {
		t.Errorf("threshold %d where all may be flagged", got)
	}
}
