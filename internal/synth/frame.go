package synth

import (
	"encoding/binary"
	"net/netip"
)

// Protocol numbers and types that the builder writes.
const (
	etherARP  = 0x0806
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100

	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// TCP flags.
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
	urg
)

type mac [6]byte

var (
	macBroadcast = mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	macZero      mac
)

// groupMAC is the link-layer address that a group address maps to.
func groupMAC(a netip.Addr) mac {
	b := a.As16()
	if !a.Is4() {
		return mac{0x33, 0x33, b[12], b[13], b[14], b[15]}
	}
	if b[12]&0xf0 == 0xe0 {
		return mac{0x01, 0x00, 0x5e, b[13] & 0x7f, b[14], b[15]}
	}
	return macBroadcast
}

// ipHead is what a frame says below its transport header.
type ipHead struct {
	from, to mac
	src, dst netip.Addr
	ttl      uint8
	tos      uint8
	df       bool
	id       uint16
	vlan     uint16
}

// tcpHead is a TCP header; opts is padded to a multiple of four already.
type tcpHead struct {
	sport, dport uint16
	seq, ack     uint32
	flags        uint8
	win          uint16
	opts         []byte
}

// builder writes one frame at a time into its own buffer, which the next frame
// overwrites.
type builder struct {
	buf   []byte
	ip    int   // where the IP header starts
	proto uint8 // transport protocol of the frame, 0 for ARP
	flags uint8 // TCP
	load  int   // payload bytes
}

func (b *builder) ether(to, from mac, vlan, typ uint16) {
	b.buf = append(b.buf[:0], to[:]...)
	b.buf = append(b.buf, from[:]...)
	if vlan != 0 {
		b.buf = be16(b.buf, etherVLAN, vlan)
	}
	b.buf = be16(b.buf, typ)
	b.ip = len(b.buf)
	b.flags, b.load = 0, 0
}

// arp writes an ARP packet (RFC 826); ask is the target's MAC as the packet
// states it.
func (b *builder) arp(to, from mac, vlan uint16, op uint16, sender netip.Addr, senderMAC mac, target netip.Addr, ask mac) {
	b.ether(to, from, vlan, etherARP)
	b.proto = 0
	b.buf = be16(b.buf, 1, etherIPv4, 0x0604, op)
	b.buf = append(b.buf, senderMAC[:]...)
	b.buf = append4(b.buf, sender)
	b.buf = append(b.buf, ask[:]...)
	b.buf = append4(b.buf, target)
}

// header starts an IP packet whose transport part has n bytes, and returns the
// checksum's pseudo header sum.
func (b *builder) header(h *ipHead, proto uint8, n int) uint64 {
	b.proto = proto
	if h.src.Is4() {
		b.ether(h.to, h.from, h.vlan, etherIPv4)
		b.ipv4(h, proto, n, 0)
	} else {
		b.ether(h.to, h.from, h.vlan, etherIPv6)
		b.ipv6(h, proto, n)
	}
	if proto == protoICMP {
		return 0
	}
	addrs := b.buf[b.ip+8 : b.ip+40]
	if h.src.Is4() {
		addrs = b.buf[b.ip+12 : b.ip+20]
	}
	return sum(addrs, uint64(proto)+uint64(n))
}

// ipv4 writes an IPv4 header; frag is the fragment field without DF.
func (b *builder) ipv4(h *ipHead, proto uint8, n int, frag uint16) {
	if h.df {
		frag |= 0x4000
	}
	at := len(b.buf)
	b.buf = append(b.buf, 0x45, h.tos)
	b.buf = be16(b.buf, uint16(20+n), h.id, frag)
	b.buf = append(b.buf, h.ttl, proto, 0, 0)
	b.buf = append4(b.buf, h.src)
	b.buf = append4(b.buf, h.dst)
	binary.BigEndian.PutUint16(b.buf[at+10:], fold(sum(b.buf[at:], 0)))
}

func (b *builder) ipv6(h *ipHead, proto uint8, n int) {
	b.buf = append(b.buf, 0x60|h.tos>>4, h.tos<<4, byte(h.id>>8), byte(h.id))
	b.buf = be16(b.buf, uint16(n))
	b.buf = append(b.buf, proto, h.ttl)
	src, dst := h.src.As16(), h.dst.As16()
	b.buf = append(b.buf, src[:]...)
	b.buf = append(b.buf, dst[:]...)
}

func (b *builder) tcp(h *ipHead, t *tcpHead, load []byte) {
	n := 20 + len(t.opts)
	pseudo := b.header(h, protoTCP, n+len(load))
	b.flags, b.load = t.flags, len(load)
	at := len(b.buf)
	b.buf = be16(b.buf, t.sport, t.dport)
	b.buf = be32(b.buf, t.seq, t.ack)
	b.buf = append(b.buf, byte(n/4)<<4, t.flags)
	b.buf = be16(b.buf, t.win, 0, 0)
	b.buf = append(b.buf, t.opts...)
	b.finish(at, 16, load, pseudo)
}

func (b *builder) udp(h *ipHead, sport, dport uint16, load []byte) {
	n := 8 + len(load)
	pseudo := b.header(h, protoUDP, n)
	b.load = len(load)
	at := len(b.buf)
	b.buf = be16(b.buf, sport, dport, uint16(n), 0)
	b.finish(at, 6, load, pseudo)
	if c := b.buf[at+6 : at+8]; c[0]|c[1] == 0 {
		c[0], c[1] = 0xff, 0xff // zero means no checksum
	}
}

// icmp writes an ICMP or ICMPv6 message, as the addresses tell; rest is the
// header's second word.
func (b *builder) icmp(h *ipHead, typ, code uint8, rest uint32, load []byte) {
	proto := uint8(protoICMP)
	if !h.src.Is4() {
		proto = protoICMPv6
	}
	pseudo := b.header(h, proto, 8+len(load))
	at := len(b.buf)
	b.buf = append(b.buf, typ, code, 0, 0)
	b.buf = be32(b.buf, rest)
	b.finish(at, 2, load, pseudo)
}

// finish adds the payload and puts the checksum at offset off of the transport
// header, which starts at at.
func (b *builder) finish(at, off int, load []byte, pseudo uint64) {
	b.buf = append(b.buf, load...)
	binary.BigEndian.PutUint16(b.buf[at+off:], fold(sum(b.buf[at:], pseudo)))
}

// fragment turns the IPv4 packet just built into two: the first keeps n bytes
// (a multiple of eight) of what is above the IP header. It returns the second
// frame; the first stays in the buffer.
func (b *builder) fragment(n int) []byte {
	body := b.ip + 20
	if len(b.buf) <= body+n {
		return nil
	}
	second := append([]byte(nil), b.buf[:body]...)
	second = append(second, b.buf[body+n:]...)
	b.buf = b.buf[:body+n]
	refit(b.buf[b.ip:], 0x2000)
	refit(second[b.ip:], uint16(n/8))
	return second
}

// refit corrects length, fragment field and checksum of an IPv4 packet.
func refit(p []byte, frag uint16) {
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	binary.BigEndian.PutUint16(p[6:], frag)
	p[10], p[11] = 0, 0
	binary.BigEndian.PutUint16(p[10:], fold(sum(p[:20], 0)))
}

// sum adds big-endian 16-bit words to s; an odd last byte counts as a high one.
func sum(p []byte, s uint64) uint64 {
	for len(p) >= 8 {
		w := binary.BigEndian.Uint64(p)
		s += w>>32 + w&0xffffffff
		p = p[8:]
	}
	for len(p) >= 2 {
		s += uint64(p[0])<<8 | uint64(p[1])
		p = p[2:]
	}
	if len(p) == 1 {
		s += uint64(p[0]) << 8
	}
	return s
}

// fold makes a sum the Internet checksum (RFC 1071).
func fold(s uint64) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

func be16(p []byte, words ...uint16) []byte {
	for _, w := range words {
		p = append(p, byte(w>>8), byte(w))
	}
	return p
}

func be32(p []byte, words ...uint32) []byte {
	for _, w := range words {
		p = append(p, byte(w>>24), byte(w>>16), byte(w>>8), byte(w))
	}
	return p
}

func append4(p []byte, a netip.Addr) []byte {
	b := a.As4()
	return append(p, b[:]...)
}
