package flow

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/quant"
)

// readLog returns the records of a log, and what the Reader counted.
func readLog(t testing.TB, log string) ([]Record, Stats) {
	t.Helper()
	r := NewReader(strings.NewReader(log), "test")
	var records []Record
	var rec Record
	for {
		switch err := r.Next(&rec); {
		case err == nil:
			records = append(records, rec)
		case errors.Is(err, io.EOF):
			return records, r.Stats()
		default:
			t.Fatal(err)
		}
	}
}

// readAll is readLog of a log without malformed lines.
func readAll(t testing.TB, log string) []Record {
	t.Helper()
	records, stats := readLog(t, log)
	if stats.Malformed != 0 {
		t.Errorf("%d malformed lines", stats.Malformed)
	}
	return records
}

// badLine is a line of a log that is no record.
type badLine struct {
	line      string
	malformed uint64
}

// leftOut reads each line behind a log, of which the records are to be the only ones.
func leftOut(t *testing.T, log string, want int, lines map[string]badLine) {
	t.Helper()
	for name, bad := range lines {
		t.Run(name, func(t *testing.T) {
			records, stats := readLog(t, log+bad.line+"\n")
			if len(records) != want || stats.Malformed != bad.malformed {
				t.Errorf("%d records, %d malformed, want %d and %d", len(records), stats.Malformed, want, bad.malformed)
			}
		})
	}
}

// outcomes is a log, and what is to become of the contacts in it.
type outcomes struct {
	log  string
	want map[string]string
}

func testOutcomes(t *testing.T, logs map[string]outcomes) {
	t.Helper()
	for name, test := range logs {
		t.Run(name, func(t *testing.T) { compare(t, outcomesOf(t, readAll(t, test.log)), test.want) })
	}
}

// play gives the packets of records, joined, to add.
func play(records []Record, add func(*capture.Packet)) {
	player := NewPlayer(DefaultHeld, add)
	for i := range records {
		player.Add(&records[i])
	}
	player.Flush()
}

// unheard is an Observer that need not be told: the Tracker is looked at in the end.
type unheard struct{}

func (unheard) Opened(*featurize.Tracker, uint32, *featurize.Contact)                     {}
func (unheard) Settled(*featurize.Tracker, uint32, *featurize.Contact, featurize.Outcome) {}
func (unheard) Forgotten(*featurize.Tracker, uint32)                                      {}

// outcomesOf plays records through a Joiner into a Tracker, waits for answers, and
// returns what became of each contact, named "source destination protocol/port".
func outcomesOf(t testing.TB, records []Record) map[string]string {
	t.Helper()
	tracker, err := featurize.NewTracker(featurize.Config{Memory: 16 << 20, Key: featurize.DefaultKey}, unheard{})
	if err != nil {
		t.Fatal(err)
	}
	play(records, tracker.Add)
	tracker.Advance(tracker.CaptureTime(tracker.Now()) + 60e9)
	return contactsOf(tracker)
}

// contactsOf names a Tracker's contacts of hosts.
func contactsOf(tracker *featurize.Tracker) map[string]string {
	names := map[capture.Proto]string{
		capture.ProtoTCP: "tcp", capture.ProtoUDP: "udp", capture.ProtoICMP: "icmp", capture.ProtoICMPv6: "icmp6",
	}
	all := map[string]string{}
	for i := 1; i < tracker.Sources(); i++ {
		s := tracker.Source(uint32(i))
		if s.Count == 0 || s.Scope.Group() {
			continue
		}
		tracker.Each(uint32(i), 0, func(c *featurize.Contact) bool {
			outcome := c.Outcome.String()
			if c.CarriedData() {
				outcome += " data"
			}
			all[fmt.Sprintf("%s %s %s/%d", s.Addr.Netip(), c.Dst.Netip(), names[c.Proto], c.Port)] = outcome
			return true
		})
	}
	return all
}

// compare reports contacts that differ from those wanted.
func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, outcome := range want {
		if got[name] != outcome {
			t.Errorf("%s: %q, want %q", name, got[name], outcome)
		}
	}
	for name, outcome := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %q, want no such contact", name, outcome)
		}
	}
}

// tool returns the path of a program, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s", name)
	}
	return path
}

// sample returns the file of the sample capture, uncompressed.
func sample(t *testing.T) string {
	t.Helper()
	file, err := os.Open("../testdata/sample.pcap.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sample.pcap")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// linesOf returns the lines of a log.
func linesOf(log string) (lines [][]byte) {
	for line := range strings.Lines(log) {
		lines = append(lines, []byte(strings.TrimSpace(line)))
	}
	return lines
}

// allocations fails if parsing lines allocates.
func allocations(t *testing.T, f format, lines [][]byte) {
	t.Helper()
	var r Record
	n := testing.AllocsPerRun(20, func() {
		for _, line := range lines {
			r = Record{}
			f.parse(line, &r)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for %d lines", n, len(lines))
	}
}

func benchmark(b *testing.B, f format, lines [][]byte) {
	b.ReportAllocs()
	var r Record
	for i := 0; b.Loop(); i++ {
		r = Record{}
		f.parse(lines[i%len(lines)], &r)
	}
}

// outcomesOfCapture returns what became of the contacts of a capture's packets.
func outcomesOfCapture(t *testing.T, file string) map[string]string {
	t.Helper()
	src, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	tracker, err := featurize.NewTracker(featurize.Config{Memory: 16 << 20, Key: featurize.DefaultKey}, unheard{})
	if err != nil {
		t.Fatal(err)
	}
	var decoder capture.Decoder
	var frame capture.Frame
	var packet capture.Packet
	for src.Next(&frame) == nil {
		if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet) == capture.ReasonOK {
			tracker.Add(&packet)
		}
	}
	tracker.Advance(tracker.CaptureTime(tracker.Now()) + 60e9)
	return contactsOf(tracker)
}

// agree compares what flows and packets tell of contacts. ARP and neighbours are not
// in flows, and what is on its way when a capture ends may differ.
func agree(t *testing.T, flows, packets map[string]string) {
	t.Helper()
	same := 0
	for name, outcome := range packets {
		if !strings.Contains(name, "tcp/") && !strings.Contains(name, "udp/") && !strings.Contains(name, "icmp/8") {
			continue
		}
		switch {
		case flows[name] == outcome:
			same++
		case outcome == "refused" && flows[name] == "silent" && strings.HasSuffix(name, " tcp/23"):
			// by an ICMP error of a router, which flows do not tell of
		default:
			t.Errorf("%s: %q, but of packets %q", name, flows[name], outcome)
		}
	}
	for name, outcome := range flows {
		if _, ok := packets[name]; !ok {
			t.Errorf("%s: %q, but packets tell of no such contact", name, outcome)
		}
	}
	if same < 300 {
		t.Errorf("only %d contacts of flows are those of packets", same)
	}
}

// scansIn returns the kinds of the scans that the network for flows finds in records, by
// source.
func scansIn(t *testing.T, records []Record) map[string]string {
	t.Helper()
	network, err := quant.DefaultFlows()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	engine, err := detect.NewEngine(detect.Config{
		Memory: detect.DefaultMemory, Key: featurize.DefaultKey, Threshold: network.Meta().Threshold,
	}, judge, func(e *detect.Event) {
		if e.State == detect.Start {
			found[e.Source.Netip().String()] = string(e.Kind)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	play(records, engine.Add)
	engine.Close()
	return found
}

// sampleScans are those of the sample capture that flows tell of; the third is by ARP.
var sampleScans = map[string]string{"10.50.0.66": "vertical", "10.50.0.67": "horizontal"}
