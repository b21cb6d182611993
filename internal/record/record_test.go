package record

import (
	"slices"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/eval"
	"edgescan/quant"
)

// play gives the sample capture to an engine with a Recorder around it.
func play(t *testing.T) (r *Recorder, threshold uint32) {
	t.Helper()
	network, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		t.Fatal(err)
	}
	r = New(judge, Party{})
	for _, d := range eval.Rules() {
		r.AddRule(d.Name, func(named func(*featurize.Source, int64)) featurize.Observer { return eval.WatchRule(d.Rule(), named) })
	}
	engine, err := r.NewEngine(detect.Config{Memory: detect.DefaultMemory, Key: featurize.DefaultKey, Threshold: network.Threshold()}, r.Event)
	if err != nil {
		t.Fatal(err)
	}
	src, err := capture.Open("../../testdata/sample.pcap.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := detect.Replay(engine, src, nil); err != nil {
		t.Fatal(err)
	}
	r.Finish()
	return r, network.Threshold()
}

func TestRecorderKeepsWhatBecameOfTheSources(t *testing.T) {
	r, threshold := play(t)
	var named []string
	for _, s := range r.Named() {
		named = append(named, s.String())
		in := s.Incidents[0]
		if len(s.Incidents) != 1 || in.First.State != detect.Start || in.Latest.State != detect.End {
			t.Errorf("%s: %d incidents, from %q to %q", s, len(s.Incidents), in.First.State, in.Latest.State)
		}
		if len(s.Best.Contacts) != in.Latest.Contacts || s.Best.Map == (featurize.Map{}) {
			t.Errorf("%s: %d contacts are kept of %d", s, len(s.Best.Contacts), in.Latest.Contacts)
		}
		if !slices.ContainsFunc(s.Verdicts, func(v Verdict) bool { return v.At == in.First.Time && v.Score >= threshold }) {
			t.Errorf("%s: no verdict of when it was named among %v", s, s.Verdicts)
		}
		for _, c := range s.Best.Contacts {
			if c.First > s.Best.At || c.First < in.First.FirstSeen-3600e9 {
				t.Errorf("%s: a contact of time %d in a look of %d", s, c.First, s.Best.At)
			}
		}
	}
	if want := []string{"10.50.0.66", "10.50.0.67", "10.50.0.68"}; !slices.Equal(named, want) {
		t.Errorf("named %v, want %v", named, want)
	}
	vertical := r.Named()[0]
	for i, name := range r.Rules() {
		if name == "threshold, TCP" && vertical.Rules[i] == 0 {
			t.Errorf("%s did not name %s", name, vertical)
		}
	}
	others := r.Others()
	if len(others) == 0 || len(others[0].Best.Contacts) == 0 {
		t.Fatalf("%d other sources", len(others))
	}
	if sum := total(r.Traffic.Buckets); sum == 0 {
		t.Error("no traffic")
	}
}

func total(buckets []uint64) (sum uint64) {
	for _, n := range buckets {
		sum += n
	}
	return sum
}

func TestTrafficKeepsItsSumInAFewParts(t *testing.T) {
	var tr Traffic
	for _, at := range []int64{5e9, 5e9, 6e9, 300e9, 90_000e9, 1e18} {
		tr.Count(at, uint64(at/1e9))
		if len(tr.Buckets) > maxBuckets || total(tr.Buckets) != uint64(at/1e9) {
			t.Errorf("at %d: %d parts, sum %d", at, len(tr.Buckets), total(tr.Buckets))
		}
	}
}

// never is a Judge that sees no scan.
type never struct{}

func (never) Judge(*detect.Look) uint32 { return 0 }

func TestRecorderIsBounded(t *testing.T) {
	wanted := Host(capture.Addr{15: 1, 10: 0xff, 11: 0xff}.Netip())
	r := New(never{}, wanted)
	for i := range 10 * maxOther {
		a := capture.Addr{15: byte(i), 14: byte(i >> 8), 10: 0xff, 11: 0xff}
		r.source(Host(a.Netip())).Best.Contacts = make([]Contact, i)
	}
	if n := len(r.sources); n > 2*maxOther+1 || r.Find(wanted) == nil {
		t.Errorf("%d sources are kept, and of the wanted one %v", n, r.Find(wanted))
	}
	if got := len(r.Others()[0].Best.Contacts); got != 10*maxOther-1 {
		t.Errorf("the busiest has %d contacts", got)
	}
	if _, err := r.NewEngine(detect.Config{Memory: detect.MinMemory}, r.Event); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * maxNamed {
		a := capture.Addr{15: byte(i), 14: byte(i >> 8), 10: 0xff, 11: 0xff}
		r.Event(&detect.Event{ID: uint64(i), State: detect.Start, Prefix: Host(a.Netip()).Prefix})
	}
	if len(r.Named()) != maxNamed || r.NotKept != maxNamed {
		t.Errorf("%d named, %d not kept", len(r.Named()), r.NotKept)
	}
}
