// Package meter makes flow records of packets, as routers and probes do (the
// metering and exporting processes of RFC 7011). It shows what traffic looks like
// to who sees flows only: for training, for synthetic logs, and for figures.
package meter

import (
	"math/rand/v2"

	"edgescan/capture"
	"edgescan/flow"
)

// Config says what kind of exporter a Meter is.
type Config struct {
	Inactive int64 // ends a flow of which nothing was seen for so long, nanoseconds
	Active   int64 // after so long a flow that goes on is exported, nanoseconds
	AtEnd    bool  // a flow is exported at once when RST or FIN were seen
	Biflow   bool  // both directions are one flow, and are exported together, as two records
	Complete bool  // and as one record, which says who began; an ICMP request and its reply too
	Sampling int   // one packet in so many is looked at; 0 and 1: all
	NoFlags  bool  // flags of TCP are not told
}

// Meter makes records of packets. It is not safe for concurrent use.
type Meter struct {
	cfg    Config
	rng    *rand.Rand
	emit   func(*flow.Record)
	flows  map[key]*entry
	oldest *entry // that nothing was seen of for longest
	newest *entry
	clock  int64
}

// key names a flow: of a Biflow whichever way it goes.
type key struct {
	src, dst         capture.Addr
	srcPort, dstPort uint16
	proto            capture.Proto
	icmp             uint16 // type and code
}

// entry is a flow that is under way.
type entry struct {
	key           key
	record        flow.Record // of its Out and Back the packets and bytes
	out, back     counts
	last          int64
	before, after *entry // by last
}

// counts are what went one way.
type counts struct{ packets, bytes uint64 }

// New returns a Meter that gives its records to emit, which must not keep them.
// What is sampled is drawn from rng, which may be nil where everything is.
func New(cfg Config, rng *rand.Rand, emit func(*flow.Record)) *Meter {
	return &Meter{cfg: cfg, rng: rng, emit: emit, flows: map[key]*entry{}}
}

// Add takes a packet.
func (m *Meter) Add(p *capture.Packet) {
	m.clock = max(m.clock, p.Time)
	for m.oldest != nil && m.oldest.last+m.cfg.Inactive <= m.clock {
		m.end(m.oldest, m.oldest.last+m.cfg.Inactive)
	}
	switch p.Proto {
	case capture.ProtoTCP, capture.ProtoUDP, capture.ProtoICMP, capture.ProtoICMPv6:
	default:
		return
	}
	if p.Fragment == capture.FragmentLater || m.cfg.Sampling > 1 && m.rng.IntN(m.cfg.Sampling) > 0 {
		return
	}
	k := keyOf(p)
	e, forward := m.flows[k], true
	if e == nil && m.cfg.Biflow {
		if asked, ok := m.answers(k); ok {
			e = m.flows[asked]
			forward = false
		}
	}
	if e != nil && m.clock-e.record.Start >= m.cfg.Active {
		m.end(e, m.clock)
		e = nil
	}
	if e == nil {
		e = &entry{key: k, record: flow.Record{
			Start: p.Time, Src: p.Src, Dst: p.Dst, SrcPort: k.srcPort, DstPort: k.dstPort,
			Proto: p.Proto, Type: uint8(k.icmp >> 8), Code: uint8(k.icmp), Sampling: uint32(m.cfg.Sampling),
		}}
		m.flows[k] = e
		forward = true
	} else {
		m.unlink(e)
	}
	e.last = m.clock
	m.link(e)
	e.count(p, forward)
	if m.cfg.AtEnd && p.Proto == capture.ProtoTCP && e.over() {
		m.end(e, m.clock)
	}
}

// Flush exports all flows.
func (m *Meter) Flush() {
	for m.oldest != nil {
		m.end(m.oldest, m.clock)
	}
}

func keyOf(p *capture.Packet) key {
	k := key{src: p.Src, dst: p.Dst, proto: p.Proto}
	switch p.Proto {
	case capture.ProtoICMP, capture.ProtoICMPv6:
		k.icmp = uint16(p.Type)<<8 | uint16(p.Code)
	default:
		k.srcPort, k.dstPort = p.SrcPort, p.DstPort
	}
	return k
}

// answers returns the key of what a flow may be the other way of. Of ICMP, a reply
// is a flow of its own to most.
func (m *Meter) answers(k key) (asked key, ok bool) {
	asked = key{src: k.dst, dst: k.src, srcPort: k.dstPort, dstPort: k.srcPort, proto: k.proto}
	if k.proto.HasPorts() {
		return asked, true
	}
	kind := uint8(k.icmp >> 8)
	request := flow.Request(k.proto, kind)
	asked.icmp = uint16(request)<<8 | k.icmp&0xff
	return asked, m.cfg.Complete && request != kind
}

func (e *entry) count(p *capture.Packet, forward bool) {
	c, half := &e.out, &e.record.Out
	if !forward {
		c, half = &e.back, &e.record.Back
	}
	c.packets++
	c.bytes += ipLength(p)
	half.Flags |= p.Flags
}

// Bytes of headers.
const (
	header4, header6 = 20, 40
	headerTCP        = 20
	optionsSYN       = 20
	optionsTCP       = 12
	headerUDP        = 8
)

// ipLength returns the length of the IP packet, as far as a Packet tells it.
func ipLength(p *capture.Packet) uint64 {
	n := uint64(p.Payload) + header4
	if !p.Src.Is4() {
		n = uint64(p.Payload) + header6
	}
	switch {
	case p.Proto != capture.ProtoTCP:
		n += headerUDP
	case p.Flags&capture.RST != 0:
		n += headerTCP
	case p.Flags&capture.SYN != 0:
		n += headerTCP + optionsSYN
	default:
		n += headerTCP + optionsTCP
	}
	return n
}

// over reports whether a TCP flow has come to its end.
func (e *entry) over() bool {
	return (e.record.Out.Flags|e.record.Back.Flags)&capture.RST != 0 ||
		e.record.Out.Flags&capture.FIN != 0 && e.record.Back.Flags&capture.FIN != 0
}

// end exports a flow.
func (m *Meter) end(e *entry, at int64) {
	m.unlink(e)
	delete(m.flows, e.key)
	r := &e.record
	r.Time = at
	if m.cfg.NoFlags {
		r.Facts |= flow.NoFlags
		r.Out.Flags, r.Back.Flags = 0, 0
	}
	r.Count(&r.Out, e.out.packets, e.out.bytes)
	r.Count(&r.Back, e.back.packets, e.back.bytes)
	if m.cfg.Complete {
		r.Facts |= flow.Oriented | flow.Both
		m.emit(r)
		return
	}
	other := *r
	r.Back = flow.Half{}
	m.emit(r)
	if other.Back.Packets > 0 {
		other.Turn()
		other.Back = flow.Half{}
		m.emit(&other)
	}
}

func (m *Meter) link(e *entry) {
	e.before, e.after = m.newest, nil
	if m.newest != nil {
		m.newest.after = e
	} else {
		m.oldest = e
	}
	m.newest = e
}

func (m *Meter) unlink(e *entry) {
	if e.before != nil {
		e.before.after = e.after
	} else {
		m.oldest = e.after
	}
	if e.after != nil {
		e.after.before = e.before
	} else {
		m.newest = e.before
	}
}
