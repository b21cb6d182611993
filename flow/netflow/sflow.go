package netflow

import (
	"encoding/binary"
	"net/netip"

	"edgescan/capture"
)

// Kinds of samples and of what they hold (sFlow version 5, 5.3 and 5.4), of no
// enterprise.
const (
	sampleFlow         = 1
	sampleFlowExpanded = 3
	recordHeader       = 1 // the first bytes of a packet
)

// sFlow's header_protocol of a sampled header, as far as packets can be read.
var sflowLinks = map[uint32]capture.LinkType{
	1:  capture.LinkTypeEthernet,
	4:  capture.LinkTypeFDDI,
	5:  capture.LinkTypeFrameRelay,
	7:  capture.LinkTypePPP,
	11: capture.LinkTypeIPv4,
	12: capture.LinkTypeIPv6,
	14: capture.LinkTypePPPSerial,
}

// words reads what XDR (RFC 4506) is made of. Once it lacks bytes, it stays bad
// and gives zeros.
type words struct {
	b   []byte
	bad bool
}

func (w *words) next() uint32 {
	if len(w.b) < 4 {
		w.b, w.bad = nil, true
		return 0
	}
	n := binary.BigEndian.Uint32(w.b)
	w.b = w.b[4:]
	return n
}

// bytes returns so many bytes, without those that fill up a word.
func (w *words) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(w.b)) {
		w.b, w.bad = nil, true
		return nil
	}
	b := w.b[:n]
	w.b = w.b[min(len(w.b), int(n+3)&^3):]
	return b
}

// decodeSFlow reads sFlow version 5.
func (d *Decoder) decodeSFlow(exporter netip.Addr, datagram []byte, emit func(*capture.Packet)) error {
	w := words{b: datagram[4:]}
	key := domainKey{exporter: exporter, version: 0}
	switch w.next() {
	case 1:
		copy(key.agent[12:], w.bytes(4))
	case 2:
		copy(key.agent[:], w.bytes(16))
	default:
		return ErrMalformed
	}
	key.id = w.next()
	number := w.next()
	w.next() // uptime
	samples := w.next()
	if w.bad {
		return ErrMalformed
	}
	if d.domain = d.memory.domain(key, d.at); d.domain == nil {
		return nil // counted as evicted
	}
	d.follow(number, counted{1, 1})
	told := d.stats.Packets
	for range samples {
		kind := w.next()
		sample := words{b: w.bytes(w.next())}
		if w.bad {
			return ErrMalformed
		}
		if kind == sampleFlow || kind == sampleFlowExpanded {
			d.sample(kind, &sample, emit)
			if sample.bad {
				return ErrMalformed
			}
		}
	}
	if d.stats.Packets > told {
		d.memory.prove(d.domain)
	}
	return nil
}

// sample gives out the packet of a flow sample.
func (d *Decoder) sample(kind uint32, w *words, emit func(*capture.Packet)) {
	before, between := 2, 4 // words before and behind the rate
	if kind == sampleFlowExpanded {
		before, between = 3, 6
	}
	for range before {
		w.next()
	}
	rate := w.next()
	for range between {
		w.next()
	}
	for range w.next() {
		kind := w.next()
		record := words{b: w.bytes(w.next())}
		if w.bad {
			return
		}
		if kind != recordHeader {
			continue
		}
		link, length, stripped := record.next(), record.next(), record.next()
		header := record.bytes(record.next())
		if record.bad {
			w.bad = true
			return
		}
		d.sampled(link, header, int(min(length-min(stripped, length), 1<<30)), rate, emit)
	}
}

// sampled gives out one packet, if it can be read. Unless every packet was sampled,
// others of the same flow were not.
func (d *Decoder) sampled(link uint32, header []byte, wire int, rate uint32, emit func(*capture.Packet)) {
	known, ok := sflowLinks[link]
	if !ok || d.packets.Decode(known, d.at, header, wire, &d.packet) != capture.ReasonOK {
		d.stats.Ignored++
		return
	}
	d.packet.Partial = rate != 1
	d.stats.Packets++
	emit(&d.packet)
}
