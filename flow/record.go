package flow

import (
	"math"

	"edgescan/capture"
)

// Record is what is told of one flow, or of one direction of it. Fields that the
// source does not have are zero.
type Record struct {
	Time  int64 // when the record was written, or came, nanoseconds since 1970-01-01 UTC
	Start int64 // of the flow's first packet that the record is of; at most Time

	Src, Dst         capture.Addr
	SrcPort, DstPort uint16 // TCP, UDP
	Out, Back        Half   // from Src to Dst, and from Dst to Src

	Sampling   uint32 // one packet in so many was looked at; 0 and 1 are all
	Proto      capture.Proto
	Type, Code uint8 // ICMP, ICMPv6, of Out
	State      State
	Facts      Facts
}

// Half is what went one way.
type Half struct {
	Packets uint32
	Bytes   uint32        // of IP packets; 0 where it is not known
	Flags   capture.Flags // of TCP, of all packets together
	Data    bool          // payload went this way
}

// State is how the flow was answered, where its source says so itself. Otherwise
// the halves tell.
type State uint8

// The states of a flow.
const (
	StateUnknown  State = iota
	StateSilent         // asked, and not answered, or dropped on the way
	StateRefused        // RST, or an ICMP error
	StateAnswered       // a connection came about, or a datagram was answered
	StateOdd            // a probe that belongs to no connection
)

// Facts are what a source says of a record besides its numbers.
type Facts uint8

// What may be known of a record.
const (
	Oriented  Facts = 1 << iota // Src is who began
	Both                        // Back is told as well: if it is empty, nothing came
	NoFlags                     // of TCP, Flags are not told
	Continued                   // the flow's beginning was told by an earlier record
	OneWay                      // an answer would not have been told: that there is none says nothing
)

// Has reports whether all facts of f are known.
func (k Facts) Has(f Facts) bool { return k&f == f }

// Count sets what went one way, besides its Flags, from the packets and bytes of
// IP that a record counts. Whether payload was among them follows from the sizes.
// Src and Proto have to be set before.
func (r *Record) Count(h *Half, packets, bytes uint64) {
	h.Packets = saturate(packets)
	h.Bytes = saturate(bytes)
	h.Data = r.carries(packets, bytes)
}

// CountPayload sets what went one way where payload is counted, not the bytes of
// IP packets.
func (h *Half) CountPayload(packets, payload uint64) {
	h.Packets = saturate(packets)
	h.Data = payload > 0
	if payload > 0 && packets == 0 {
		h.Packets = 1
	}
}

func saturate(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

// Bytes of headers, with IPv4; IPv6 has ipv6More, see Record.headers.
const (
	bareIP   = 20
	bareTCP  = bareIP + 20
	mostSYN  = bareIP + 40 // of a SYN with all options that are in use
	mostTCP  = bareIP + 32 // of others: with time stamps
	bareUDP  = bareIP + 8
	ipv6More = 20
)

// talking is the number of packets one way from which a TCP connection has
// carried something, if it did not end with RST: to begin and to end one takes
// fewer.
const talking = 6

// carries reports whether so many packets of so many bytes together had payload.
func (r *Record) carries(packets, bytes uint64) bool {
	if packets == 0 {
		return false
	}
	switch r.Proto {
	case capture.ProtoTCP:
		return bytes > r.headers(mostSYN)+(packets-1)*r.headers(mostTCP)
	case capture.ProtoUDP:
		return bytes > packets*r.headers(bareUDP)
	}
	return true
}

// headers returns the bytes of headers of r's version of IP that are so many with
// IPv4.
func (r *Record) headers(ipv4 uint64) uint64 {
	if r.Src.Is4() {
		return ipv4
	}
	return ipv4 + ipv6More
}

// add counts b into h.
func (h *Half) add(b *Half) {
	h.Packets = saturate(uint64(h.Packets) + uint64(b.Packets))
	h.Bytes = saturate(uint64(h.Bytes) + uint64(b.Bytes))
	h.Flags |= b.Flags
	h.Data = h.Data || b.Data
}

// Turn exchanges the two ends.
func (r *Record) Turn() {
	r.Src, r.Dst = r.Dst, r.Src
	r.SrcPort, r.DstPort = r.DstPort, r.SrcPort
	r.Out, r.Back = r.Back, r.Out
}

// sampled reports whether packets of the flow may not have been looked at.
func (r *Record) sampled() bool { return r.Sampling > 1 }
