package featurize

import (
	"net/netip"
	"testing"
	"time"

	"edgescan/capture"
)

// Hosts of the tests: a client, a server, and a router between them.
var (
	client = addr("10.0.0.1")
	server = addr("192.0.2.7")
	router = addr("10.0.0.254")
)

func addr(s string) capture.Addr { return capture.AddrFrom(netip.MustParseAddr(s)) }

// log is an Observer that remembers nothing but that it was called.
type log struct{ opened, settled, forgotten int }

func (l *log) Opened(*Tracker, uint32, *Contact)           { l.opened++ }
func (l *log) Settled(*Tracker, uint32, *Contact, Outcome) { l.settled++ }
func (l *log) Forgotten(*Tracker, uint32)                  { l.forgotten++ }

// start is the time of the first packet of a test: an arbitrary day.
var start = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC).UnixNano()

func newTracker(t testing.TB) *Tracker {
	t.Helper()
	tracker, err := NewTracker(Config{Memory: MinMemory, Key: DefaultKey}, &log{})
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

// tcp makes a segment at a number of milliseconds after start.
func tcp(ms int64, src, dst capture.Addr, sport, dport uint16, flags capture.Flags, seq, ack, payload uint32) capture.Packet {
	return capture.Packet{
		Time: start + ms*int64(time.Millisecond), Src: src, Dst: dst, SrcPort: sport, DstPort: dport,
		Proto: capture.ProtoTCP, Flags: flags, Seq: seq, Ack: ack, Payload: payload,
	}
}

func udp(ms int64, src, dst capture.Addr, sport, dport uint16, payload uint32) capture.Packet {
	return capture.Packet{
		Time: start + ms*int64(time.Millisecond), Src: src, Dst: dst, SrcPort: sport, DstPort: dport,
		Proto: capture.ProtoUDP, Payload: payload, Group: dst.IsGroup(),
	}
}

func icmp(ms int64, src, dst capture.Addr, typ, code uint8) capture.Packet {
	return capture.Packet{Time: start + ms*int64(time.Millisecond), Src: src, Dst: dst, Proto: capture.ProtoICMP, Type: typ, Code: code}
}

// complaint makes the ICMP error that by sends about p.
func complaint(ms int64, by capture.Addr, typ uint8, p capture.Packet) capture.Packet {
	e := icmp(ms, by, p.Src, typ, 0)
	e.Quote = capture.Quote{Src: p.Src, Dst: p.Dst, SrcPort: p.SrcPort, DstPort: p.DstPort, Proto: p.Proto, Valid: true, Ports: true}
	return e
}

func arp(ms int64, op uint8, sender, target capture.Addr) capture.Packet {
	return capture.Packet{Time: start + ms*int64(time.Millisecond), Src: sender, Dst: target, Proto: capture.ProtoARP, Type: op, Group: op == capture.ARPRequest}
}

// silence is a packet of no meaning that lets time pass.
func silence(ms int64) capture.Packet {
	return capture.Packet{Time: start + ms*int64(time.Millisecond)}
}

// contactsOf returns copies of the contacts of a source, latest first.
func contactsOf(t *Tracker, a capture.Addr) []Contact {
	var all []Contact
	if s := t.findSource(&a); s != 0 {
		t.Each(s, -1<<62, func(c *Contact) bool {
			all = append(all, *c)
			return true
		})
	}
	return all
}
