package flowlog

import (
	"fmt"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/flow"
	"edgescan/internal/dataset"
	"edgescan/internal/meter"
	"edgescan/internal/synth"
)

// unheard is an Observer that need not be told: the Tracker is looked at in the end.
type unheard struct{}

func (unheard) Opened(*featurize.Tracker, uint32, *featurize.Contact)                     {}
func (unheard) Settled(*featurize.Tracker, uint32, *featurize.Contact, featurize.Outcome) {}
func (unheard) Forgotten(*featurize.Tracker, uint32)                                      {}

// outcomes returns what became of the contacts that records tell of.
func outcomes(t *testing.T, records []flow.Record) map[string]featurize.Outcome {
	t.Helper()
	tracker, err := featurize.NewTracker(featurize.Config{Memory: 64 << 20, Key: featurize.DefaultKey}, unheard{})
	if err != nil {
		t.Fatal(err)
	}
	player := flow.NewPlayer(flow.DefaultHeld, tracker.Add)
	for i := range records {
		player.Add(&records[i])
	}
	player.Flush()
	tracker.Advance(tracker.CaptureTime(tracker.Now()) + 60e9)
	all := map[string]featurize.Outcome{}
	for i := 1; i < tracker.Sources(); i++ {
		s := tracker.Source(uint32(i))
		if s.Count == 0 || s.Scope.Group() {
			continue
		}
		tracker.Each(uint32(i), 0, func(c *featurize.Contact) bool {
			all[fmt.Sprint(s.Addr.Netip(), c.Dst.Netip(), c.Proto, c.Port)] = c.Outcome
			return true
		})
	}
	return all
}

// packets gives the packets of a scene to add.
func packets(s *synth.Scene, add func(*capture.Packet)) {
	dataset.Decode(s, func(_ *synth.Frame, p *capture.Packet) { add(p) })
}

// TestReadBack reads each kind of log of a scene: nothing in it is malformed, and
// its contacts and how they were answered are those of the flows, as far as the format
// can tell.
func TestReadBack(t *testing.T) {
	scene := synth.Generate(7, synth.Options{MaxFrames: 20000})
	var direct []flow.Record
	m := meter.New(sensor, nil, func(r *flow.Record) { direct = append(direct, *r) })
	packets(scene, m.Add)
	m.Flush()
	want := outcomes(t, direct)
	if len(want) < 300 {
		t.Fatalf("a scene of %d contacts shows little", len(want))
	}
	// Of the contacts, which part has to be there, and to have the same outcome.
	shares := map[string]float64{
		"zeek": 0.98, "zeek-json": 0.98, // stray RSTs are passed over
		"argus": 0.99, "nfdump": 0.96,
		"suricata":  0.98, // no flags of what begins without a SYN
		"aws":       0.9,  // no ICMP
		"conntrack": 0.9,  // no FIN, NULL and XMAS
		"netfilter": 0.7,  // what was let through is not known to be answered
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			if About(name) == "" {
				t.Error("says nothing about itself")
			}
			log, err := New(name)
			if err != nil {
				t.Fatal(err)
			}
			packets(scene, log.Add)
			records := readBack(t, log, name)
			got := outcomes(t, records)
			same := 0
			for contact, outcome := range want {
				if got[contact] == outcome {
					same++
				}
			}
			share := float64(same) / float64(len(want))
			t.Logf("%d records, %d of %d contacts with the same outcome", len(records), same, len(want))
			if share < shares[name] {
				t.Errorf("%.3f of the contacts have the same outcome, want %.3f", share, shares[name])
			}
		})
	}
}

func TestNoSuchFormat(t *testing.T) {
	if _, err := New("syslog"); err == nil {
		t.Error("made a log of no known kind")
	}
}
