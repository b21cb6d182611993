package alert

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

func addr(s string) capture.Addr { return capture.AddrFrom(netip.MustParseAddr(s)) }

// second is 2026-11-23 01:06:02.841483 UTC.
const second = int64(1795395962841483000)

// vertical is a port scan of one host.
func vertical() detect.Event {
	return detect.Event{
		ID: 0x00c0ffee12345678, State: detect.Start, Kind: detect.Vertical,
		Source: addr("10.50.0.66"), Score: 0.998, Time: second, FirstSeen: second - 3e9, LastSeen: second, Window: 60e9,
		Contacts: 12, Hosts: 1, Ports: 12, Answered: 3, Refused: 9,
		Protocols: []capture.Proto{capture.ProtoTCP}, TopPorts: []uint16{22, 80, 8081}, Example: addr("10.60.0.5"),
	}
}

// horizontal is a sweep of a network for one port.
func horizontal() detect.Event {
	e := vertical()
	e.ID, e.State, e.Kind = 0xffffffffffffffff, detect.Update, detect.Horizontal
	e.FirstSeen, e.Window = second-7260e9, 3600e9
	e.Contacts, e.Hosts, e.Ports, e.Answered, e.Refused, e.Silent = 254, 254, 1, 0, 0, 254
	e.Source, e.Example, e.TopPorts = addr("2001:db8::66"), addr("2001:db8:1::5"), []uint16{23}
	return e
}

// block is a scan of many ports of many hosts over two protocols.
func block() detect.Event {
	e := vertical()
	e.ID, e.State, e.Kind = 7, detect.End, detect.Block
	e.FirstSeen = second - 300e9
	e.Contacts, e.Hosts, e.Ports, e.Refused, e.Odd = 640, 32, 20, 600, 37
	e.Protocols = []capture.Proto{capture.ProtoTCP, capture.ProtoUDP}
	return e
}

// arpSweep has no ports at all.
func arpSweep() detect.Event {
	e := vertical()
	e.ID, e.Kind, e.FirstSeen = 1, detect.Horizontal, second-841e6
	e.Hosts, e.Ports, e.Answered, e.Refused, e.Silent = 12, 0, 2, 0, 10
	e.Protocols, e.TopPorts = []capture.Proto{capture.ProtoARP}, nil
	return e
}

// prefixScan is by a scanner that takes a new address for each probe.
func prefixScan() detect.Event {
	e := vertical()
	e.Scope, e.Source, e.Prefix = featurize.Prefix, addr("2001:db8:66::"), netip.MustParsePrefix("2001:db8:66::/64")
	e.Sources, e.Members = 12, []capture.Addr{addr("2001:db8:66::a1"), addr("2001:db8:66::7")}
	e.Example = addr("2001:db8:1::5")
	return e
}

// distributed is by sources that have only their target in common.
func distributed() detect.Event {
	e := vertical()
	e.Scope, e.Source, e.Prefix = featurize.Target, addr("10.60.0.5"), netip.MustParsePrefix("10.60.0.5/32")
	e.Sources, e.Members = 40, []capture.Addr{addr("198.51.100.7")}
	return e
}

// named is by a host that has a name, with an example of what it sent.
func named() detect.Event {
	e := vertical()
	e.Name = "printer"
	e.Flow = detect.Flow{Src: e.Source, Dst: e.Example, SrcPort: 54321, DstPort: 22, Proto: capture.ProtoTCP}
	return e
}

// flooded is about many incidents.
func flooded() detect.Event {
	return detect.Event{State: detect.Summary, Time: second, FirstSeen: second - 60e9, LastSeen: second, Folded: &detect.Folded{
		Started: 312, Updated: 1, Ended: 5, Ongoing: 307, Contacts: 4000, Kinds: map[detect.Kind]int{detect.Vertical: 10, detect.Horizontal: 302},
		TopPorts: []uint16{23, 22}, Examples: []capture.Addr{addr("198.51.100.7"), addr("2001:db8::66")},
	}}
}

// hostile holds what no detector should ever make.
func hostile() detect.Event {
	return detect.Event{
		State: "end\n<0>root: pwned", Kind: `"]\`, Score: -1, Time: -1 << 63, FirstSeen: 1<<63 - 1, LastSeen: -1 << 63, Window: -1 << 63,
		Contacts: -1 << 31, Hosts: -1, Ports: -1, Protocols: make([]capture.Proto, 1000), TopPorts: make([]uint16, 1000),
		Scope: 255, Sources: -1, Members: make([]capture.Addr, 1000),
		Name: "x\n<0>root: \"pwned\" ]\\" + strings.Repeat("y", 1000),
		Flow: detect.Flow{Src: capture.Addr{1}, SrcPort: 65535, DstPort: 65535, Proto: capture.ProtoUDP},
	}
}

// allowed is by a host that a rule allows to scan.
func allowed() detect.Event {
	e := named()
	e.Direction, e.Allowed = detect.Transit, "the \"auditor\" | a=b\n\u00e4\\"
	return e
}

// everyForm is one Event of each form that a line has.
func everyForm() []detect.Event {
	return []detect.Event{vertical(), horizontal(), block(), arpSweep(), prefixScan(), distributed(), hostile(), named(), flooded(), allowed()}
}

type broken struct{ err error }

func (b broken) Alert(detect.Event) error { return b.err }
func (b broken) Close() error             { return b.err }

type counter struct{ alerts, closes int }

func (c *counter) Alert(detect.Event) error { c.alerts++; return nil }
func (c *counter) Close() error             { c.closes++; return nil }

func TestFanOneFailingSinkCostsTheOthersNothing(t *testing.T) {
	gone := errors.New("gone")
	var first, last counter
	f := Fan{Sinks: []Sink{&first, broken{gone}, &last}}
	for range 3 {
		if err := f.Alert(vertical()); !errors.Is(err, gone) {
			t.Errorf("Alert = %v, want %v", err, gone)
		}
	}
	if err := f.Close(); !errors.Is(err, gone) {
		t.Errorf("Close = %v, want %v", err, gone)
	}
	if want := (counter{3, 1}); first != want || last != want {
		t.Errorf("the sinks beside the broken one got %+v and %+v, want %+v", first, last, want)
	}
	if f.Failed != 3 {
		t.Errorf("Failed = %d, want 3", f.Failed)
	}
}
