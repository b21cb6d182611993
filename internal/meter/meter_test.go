package meter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"edgescan/capture"
	"edgescan/flow"
	"edgescan/internal/softflowd"
)

const second = int64(1e9)

var (
	client = capture.Addr{10: 0xff, 11: 0xff, 12: 10, 15: 1}
	server = capture.Addr{10: 0xff, 11: 0xff, 12: 10, 15: 2}
)

// tcp is a packet between client and server, at a second.
func tcp(at int64, back bool, flags capture.Flags, payload uint32) *capture.Packet {
	p := &capture.Packet{Time: at * second, Src: client, Dst: server, SrcPort: 40000, DstPort: 443, Proto: capture.ProtoTCP, Flags: flags, Payload: payload}
	if back {
		p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	}
	return p
}

// lines meters packets, and tells of the records in a line each.
func lines(cfg Config, packets ...*capture.Packet) (lines []string) {
	cfg.Inactive, cfg.Active = cmp.Or(cfg.Inactive, 15*second), cmp.Or(cfg.Active, 60*second)
	m := New(cfg, rand.New(rand.NewPCG(1, 1)), func(r *flow.Record) {
		lines = append(lines, fmt.Sprintf("%d-%d :%d>:%d %d/%d %d/%d", r.Start/second, r.Time/second, r.SrcPort, r.DstPort, r.Out.Packets, r.Out.Flags, r.Back.Packets, r.Back.Flags))
	})
	for _, p := range packets {
		m.Add(p)
	}
	m.Flush()
	return lines
}

func TestMeter(t *testing.T) {
	const syn, ack, fin, rst = capture.SYN, capture.ACK, capture.FIN, capture.RST
	connection := []*capture.Packet{tcp(1, false, syn, 0), tcp(2, true, syn|ack, 0), tcp(3, false, ack, 100), tcp(4, true, ack|fin, 900), tcp(5, false, ack|fin, 0), tcp(6, true, ack, 0)}
	tests := map[string]struct {
		cfg     Config
		packets []*capture.Packet
		want    []string
	}{
		"each way by itself":      {Config{}, connection, []string{"1-6 :40000>:443 3/19 0/0", "2-6 :443>:40000 3/19 0/0"}},
		"both ways together":      {Config{Biflow: true}, connection, []string{"1-6 :40000>:443 3/19 0/0", "1-6 :443>:40000 3/19 0/0"}},
		"in one record":           {Config{Biflow: true, Complete: true}, connection, []string{"1-6 :40000>:443 3/19 3/19"}},
		"at its end":              {Config{Biflow: true, Complete: true, AtEnd: true}, connection, []string{"1-5 :40000>:443 3/19 2/19", "6-6 :443>:40000 1/16 0/0"}},
		"refused, at its end":     {Config{Biflow: true, Complete: true, AtEnd: true}, []*capture.Packet{tcp(1, false, syn, 0), tcp(1, true, rst|ack, 0), tcp(2, false, syn, 0)}, []string{"1-1 :40000>:443 1/2 1/20", "2-2 :40000>:443 1/2 0/0"}},
		"quiet for long":          {Config{}, []*capture.Packet{tcp(1, false, syn, 0), tcp(20, false, syn, 0)}, []string{"1-16 :40000>:443 1/2 0/0", "20-20 :40000>:443 1/2 0/0"}},
		"going on for long":       {Config{Active: 10 * second}, []*capture.Packet{tcp(1, false, syn, 0), tcp(6, false, ack, 9), tcp(11, false, ack, 9)}, []string{"1-11 :40000>:443 2/18 0/0", "11-11 :40000>:443 1/16 0/0"}},
		"flags that are not told": {Config{NoFlags: true}, connection[:1], []string{"1-1 :40000>:443 1/0 0/0"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := gocmp.Diff(test.want, lines(test.cfg, test.packets...)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestSampling(t *testing.T) {
	var packets []*capture.Packet
	for i := range 10000 {
		p := tcp(1, false, capture.SYN, 0)
		p.DstPort = uint16(i)
		packets = append(packets, p)
	}
	if n := len(lines(Config{Sampling: 10}, packets...)); n < 900 || n > 1100 {
		t.Errorf("%d of 10000 packets sampled, one in ten", n)
	}
}

// TestAgainstSoftflowd meters the sample capture as softflowd does.
func TestAgainstSoftflowd(t *testing.T) {
	const file = "../../testdata/sample.pcap.gz"
	theirs, err := softflowd.Export{Version: 9}.Records(context.Background(), file)
	if errors.Is(err, softflowd.ErrMissing) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	var ours []flow.Record
	m := New(Config{Biflow: true, Inactive: 3600 * second, Active: 3600 * second}, nil, func(r *flow.Record) { ours = append(ours, *r) })
	src, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var decoder capture.Decoder
	var frame capture.Frame
	var packet capture.Packet
	for err = src.Next(&frame); err == nil; err = src.Next(&frame) {
		if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet) == capture.ReasonOK {
			m.Add(&packet)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	m.Flush()
	if diff := gocmp.Diff(told(theirs), told(ours)); diff != "" {
		t.Errorf("softflowd -, we +:\n%s", diff)
	}
}

// told are records of TCP and UDP as lines, without what depends on when they were
// exported.
func told(records []flow.Record) (lines []string) {
	for _, r := range records {
		if r.Proto == capture.ProtoTCP || r.Proto == capture.ProtoUDP {
			lines = append(lines, fmt.Sprintf("%d %s:%d>%s:%d %d packets, flags %d, payload %t", r.Proto, r.Src.Netip(), r.SrcPort, r.Dst.Netip(), r.DstPort, r.Out.Packets, r.Out.Flags, r.Out.Data))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestPing meters pings both ways, of which one kind of exporter tells together.
func TestPing(t *testing.T) {
	ping := func(at int64, back bool, kind uint8) *capture.Packet {
		p := tcp(at, back, 0, 56)
		p.Proto, p.Type, p.SrcPort, p.DstPort = capture.ProtoICMP, kind, 0, 0
		return p
	}
	packets := []*capture.Packet{ping(1, false, 8), ping(2, true, 0), ping(3, true, 8), ping(4, false, 0), ping(5, false, 3)}
	for complete, want := range map[bool]string{true: "[1-5 1/1 3-5 1/1 5-5 1/0]", false: "[1-5 1/0 2-5 1/0 3-5 1/0 4-5 1/0 5-5 1/0]"} {
		var got []string
		m := New(Config{Biflow: true, Complete: complete, Inactive: 60 * second, Active: 60 * second}, nil, func(r *flow.Record) {
			got = append(got, fmt.Sprintf("%d-%d %d/%d", r.Start/second, r.Time/second, r.Out.Packets, r.Back.Packets))
		})
		for _, p := range packets {
			m.Add(p)
		}
		m.Flush()
		slices.Sort(got)
		if fmt.Sprint(got) != want {
			t.Errorf("complete %t: %s, want %s", complete, got, want)
		}
	}
}
