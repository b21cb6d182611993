package dataset

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

func collect(t *testing.T, first uint64, n int, views Views) []Kept {
	t.Helper()
	var all []Kept
	if err := Collect(context.Background(), first, n, synth.Options{}, views, DetectorMaps, func(kept []Kept) { all = append(all, kept...) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCollectIsReproducible(t *testing.T) {
	for _, views := range []Views{Packets, Flows} {
		a, b := collect(t, 100, 30, views), collect(t, 100, 30, views)
		if len(a) < 100 {
			t.Fatalf("%d maps of 30 scenes", len(a))
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEveryClassOccurs(t *testing.T) {
	var count [4]int
	for _, k := range collect(t, 200, 100, Packets) {
		count[k.Class]++
	}
	for class, n := range count {
		if n == 0 {
			t.Errorf("no map of class %s in 100 scenes", Classes[class])
		}
	}
}

// TestLongWindowsOccur checks that there are maps of six hours and of a day
// to learn from, of scans and of none.
func TestLongWindowsOccur(t *testing.T) {
	const windows = len(featurize.Windows)
	var count [windows][2]int
	for _, k := range collect(t, 400, 300, Packets) {
		shown := k.Map[featurize.Columns*featurize.Channels-featurize.Channels+featurize.ChannelWindow]
		for w := range count {
			if shown == uint8(featurize.MaxValue*(w+1)/windows) {
				count[w][min(k.Class, 1)]++
			}
		}
	}
	for w := longWindow; w < windows; w++ {
		if count[w][0] < 10 || count[w][1] < 10 {
			t.Errorf("window %d: %d benign maps, %d of scans", w, count[w][0], count[w][1])
		}
	}
}

// TestFewProbesAreNoScanOfADay labels looks at the same number of probes, all
// within a minute, in short and in long windows.
func TestFewProbesAreNoScanOfADay(t *testing.T) {
	day := len(featurize.Windows) - 1
	for _, c := range []struct{ window, probes, class int }{
		{0, 4, Unclear}, {0, 5, 2}, {day, 5, Unclear}, {day, 7, Unclear}, {day, 8, 2}, {day, 0, Benign},
	} {
		tr, now := truth{}, int64(1e18)
		var src capture.Addr
		for i := range c.probes {
			p := capture.Packet{Time: now - int64(i)*1e9, Src: src, Proto: capture.ProtoTCP, DstPort: 22}
			p.Dst[15] = byte(i + 1)
			tr.note(&p)
		}
		l := detect.Look{Source: src, Time: now, Window: c.window, Summary: featurize.Summary{Contacts: 10, Doubtful: 10}}
		if got := tr.label(&l); got != c.class {
			t.Errorf("%d probes in window %d: class %d, want %d", c.probes, c.window, got, c.class)
		}
	}
}

func TestCollectStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Collect(ctx, 1, 1_000_000, synth.Options{}, Packets, DetectorMaps, func([]Kept) {}); err == nil {
		t.Error("no error")
	}
}

// TestBenignScenesHaveNoScans plays scenes without scanning actors.
func TestBenignScenesHaveNoScans(t *testing.T) {
	for seed := range uint64(20) {
		for _, views := range []Views{Packets, Flows} {
			err := Play(synth.Generate(seed, synth.Options{MaxScans: -1}), views, nil, func(s *Sample) {
				if s.Class != Benign || s.Scans {
					t.Errorf("seed %d: %s %s is called %s", seed, s.Tool, s.Look.Source.Netip(), Classes[s.Class])
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
