package flowlog

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/flow"
	"edgescan/internal/meter"
)

// capturesDir has captures of real traffic and real scans; it is no part of the
// repository.
const capturesDir = "../../../shared/captures"

// Bounds on what is looked at of a capture. Of a source that has tried mostContacts, a
// Tracker forgets some: which depends on their order.
const (
	mostPackets  = 50_000
	mostContacts = 4096
	latest       = 9e18 // the time up to which logs are read, in the year 2255
)

// TestCaptures tells captures of real traffic as logs of sensors, and reads these: the
// contacts in them have the outcomes that the flows have which nothing was lost of.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(capturesDir, "*.gz"))
	if err != nil || len(files) == 0 {
		t.Skip("needs the folder of captures ", capturesDir)
	}
	shares := map[string]float64{"zeek": 0.99, "zeek-json": 0.99, "suricata": 0.99, "aws": 0.98}
	same, all := map[string]int{}, map[string]int{}
	for _, file := range files {
		logs := map[string]*Log{}
		for name := range shares {
			if logs[name], err = New(name); err != nil {
				t.Fatal(err)
			}
		}
		var direct []flow.Record
		m := meter.New(sensor, nil, func(r *flow.Record) { direct = append(direct, *r) })
		ofFile(file, func(p *capture.Packet) {
			m.Add(p)
			for _, log := range logs {
				log.Add(p)
			}
		})
		m.Flush()
		want := outcomes(t, direct)
		if len(want) >= mostContacts {
			continue
		}
		for name, log := range logs {
			got := outcomes(t, readBack(t, log, filepath.Base(file)+" as "+name))
			for contact, outcome := range want {
				if name == "aws" && (strings.Contains(contact, "icmp") || strings.Contains(contact, "udp") && outcome == featurize.Refused) {
					continue // for want of types of ICMP
				}
				all[name]++
				if got[contact] == outcome {
					same[name]++
				}
			}
		}
	}
	for name, least := range shares {
		share := float64(same[name]) / float64(all[name])
		t.Logf("%s: %d of %d contacts have the same outcome, %.4f", name, same[name], all[name], share)
		if share < least {
			t.Errorf("%s: %.4f of the contacts have the same outcome, want %.2f", name, share, least)
		}
	}
}

// ofFile gives the packets of a capture to add, those of damaged ones too.
func ofFile(file string, add func(*capture.Packet)) {
	src, err := capture.Open(file)
	if err != nil {
		return
	}
	defer src.Close()
	var decoder capture.Decoder
	var frame capture.Frame
	var p capture.Packet
	for n := 0; n < mostPackets && src.Next(&frame) == nil; n++ {
		if frame.Time < 0 || frame.Time > latest {
			continue // of damaged captures
		}
		if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &p) == capture.ReasonOK {
			add(&p)
		}
	}
}

// readBack returns the records of a log that was made; no line of it is malformed.
func readBack(t *testing.T, log *Log, name string) (records []flow.Record) {
	t.Helper()
	var b bytes.Buffer
	if n, err := log.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatal(n, b.Len(), err)
	}
	reader := flow.NewReader(&b, name)
	var r flow.Record
	var err error
	for err = reader.Next(&r); err == nil; err = reader.Next(&r) {
		records = append(records, r)
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, flow.ErrFormat) || reader.Stats().Malformed > 0 { // a log without a line has no format
		t.Errorf("%s: %v, %+v", name, err, reader.Stats())
	}
	return records
}
