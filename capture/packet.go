package capture

import (
	"encoding/binary"
	"net/netip"
)

// Addr is an IPv4 or IPv6 address as 16 bytes; IPv4 is mapped into
// ::ffff:0:0/96 (RFC 4291, 2.5.5.2). It holds no pointer, so that tables of
// millions of them cost the garbage collector nothing.
type Addr [16]byte

// AddrFrom converts a netip.Addr; a zone is dropped.
func AddrFrom(a netip.Addr) Addr { return a.As16() }

// Netip returns the address in the form that the standard library prints:
// IPv4 unmapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Is4 reports whether a is a mapped IPv4 address.
func (a Addr) Is4() bool {
	return binary.BigEndian.Uint64(a[:8]) == 0 && binary.BigEndian.Uint32(a[8:12]) == 0xffff
}

// IsUnspecified reports whether a is 0.0.0.0 or ::, the sender of address
// probes (RFC 5227) and of duplicate address detection (RFC 4862).
func (a Addr) IsUnspecified() bool {
	return a == Addr{} || a == Addr{10: 0xff, 11: 0xff}
}

// IsGroup reports whether a names more than one host: multicast, or the IPv4
// limited broadcast. A subnet's own broadcast address cannot be told from the
// address alone; see Packet.Group.
func (a Addr) IsGroup() bool {
	if a.Is4() {
		return a[12]&0xf0 == 0xe0 || a[12]&a[13]&a[14]&a[15] == 0xff
	}
	return a[0] == 0xff
}

// Proto is what a Packet carries above IP, or in place of it.
type Proto uint8

// The protocols that a Packet tells apart. The values are IANA's IP protocol
// numbers, but for ARP, which has none and takes one that is reserved.
const (
	ProtoNone   Proto = 0 // nothing that could be decoded
	ProtoICMP   Proto = 1
	ProtoTCP    Proto = 6
	ProtoUDP    Proto = 17
	ProtoICMPv6 Proto = 58
	ProtoARP    Proto = 255
)

// HasPorts reports whether it is TCP or UDP.
func (p Proto) HasPorts() bool { return p == ProtoTCP || p == ProtoUDP }

// String returns the protocol's name in lower case, as EVE writes it.
func (p Proto) String() string {
	switch p {
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoICMPv6:
		return "icmp6"
	case ProtoARP:
		return "arp"
	}
	return "other"
}

// Flags are the low eight TCP flags, as in the header.
type Flags uint8

// TCP flags (RFC 9293, 3.1).
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// ICMP and ICMPv6 types and ARP operations that featurize reads in
// Packet.Type.
const (
	ARPRequest = 1
	ARPReply   = 2

	ICMPEchoReply      = 0
	ICMPUnreachable    = 3
	ICMPEchoRequest    = 8
	ICMPTimeExceeded   = 11
	ICMPTimestamp      = 13
	ICMPTimestampReply = 14
	ICMPMaskRequest    = 17
	ICMPMaskReply      = 18

	ICMP6Unreachable    = 1
	ICMP6TimeExceeded   = 3
	ICMP6EchoRequest    = 128
	ICMP6EchoReply      = 129
	ICMP6NeighborSol    = 135
	ICMP6NeighborAdvert = 136
)

// Fragment says which part of an IP datagram a packet is.
type Fragment uint8

// Whole datagrams and first fragments carry the transport header; later
// fragments do not, and have no ports.
const (
	FragmentNone Fragment = iota
	FragmentFirst
	FragmentLater
)

// Packet is one frame, decoded into a fixed-size value without pointers.
// Fields that the frame does not have are zero.
type Packet struct {
	Time     int64  // capture time, nanoseconds since 1970-01-01 UTC
	Src, Dst Addr   // IP addresses; ARP: the sender's and the target's protocol address
	Seq, Ack uint32 // TCP
	Length   uint32 // frame on the wire, bytes
	Payload  uint32 // bytes above the TCP, UDP or ICMP header, by the IP header's length, captured or not
	SrcPort  uint16 // TCP, UDP; ICMP echo, timestamp and mask: the identifier
	DstPort  uint16 // TCP, UDP
	Proto    Proto
	Flags    Flags // TCP
	Type     uint8 // ICMP, ICMPv6: type; ARP: operation
	Code     uint8 // ICMP, ICMPv6
	TTL      uint8 // IPv4 time to live, IPv6 hop limit
	Fragment Fragment
	Group    bool // the link-layer destination is a group address
	Partial  bool // an answer may have come that nobody could see, as where packets are sampled: never true of what Decode gives
	Quote    Quote
}

// Quote is the start of the packet that an ICMP error returns (RFC 792, RFC
// 4443). For neighbour solicitations and advertisements Dst is the target
// address, and Valid is false.
type Quote struct {
	Src, Dst Addr
	SrcPort  uint16 // zero where the error cut them off
	DstPort  uint16
	Proto    Proto
	Flags    Flags // TCP flags; zero where the error quotes only eight bytes of TCP
	Valid    bool
	Ports    bool // the ports were quoted
}
