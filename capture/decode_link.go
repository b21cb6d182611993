package capture

import "math/bits"

// Ethertypes (IEEE 802 numbers).
const (
	etherMinimum  = 0x0600 // smaller values are the length of an LLC frame
	etherIPv4     = 0x0800
	etherARP      = 0x0806
	etherBridged  = 0x6558 // Ethernet within something, from its addresses on
	etherVLAN     = 0x8100
	etherIPv6     = 0x86dd
	etherMPLS     = 0x8847
	etherMPLSUp   = 0x8848 // upstream-assigned label
	etherPPPoE    = 0x8864 // session stage
	etherPPP      = 0x880b
	etherQinQ     = 0x88a8
	etherVNTag    = 0x8926 // Cisco VN-Tag
	etherQinQ9100 = 0x9100 // QinQ before 802.1ad
	etherUnknown  = 0xffff // reserved: stands for what has no ethertype
)

// PPP protocol numbers (RFC 1661, 2).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
	pppMPLS = 0x0281
)

// maxTags bounds nested VLAN tags, PPPoE and SNAP headers, and the labels of
// an MPLS stack.
const maxTags = 8

// Packet types of the Linux cooked headers.
const (
	sllBroadcast = 1
	sllMulticast = 2
)

// decodeLink strips the link-layer header and goes on above it.
func decodeLink(link LinkType, b []byte, cut int, p *Packet) Reason {
	switch link {
	case LinkTypeEthernet:
		return decodeEthernet(b, cut, 0, p)
	case LinkTypeRaw, LinkTypeRawBSD, LinkTypeRawOpen, LinkTypeIPv4, LinkTypeIPv6:
		return decodeIP(b, cut, 0, p)
	case LinkTypeLinuxSLL:
		if len(b) < 16 {
			return short(cut)
		}
		kind := be16(b)
		p.Group = kind == sllBroadcast || kind == sllMulticast
		return decodeEtherType(be16(b[14:]), b[16:], cut, 0, p)
	case LinkTypeLinuxSLL2:
		if len(b) < 20 {
			return short(cut)
		}
		p.Group = b[10] == sllBroadcast || b[10] == sllMulticast
		return decodeEtherType(be16(b), b[20:], cut, 0, p)
	case LinkTypeNull, LinkTypeLoop:
		return decodeLoopback(b, cut, p)
	case LinkTypePPP, LinkTypePPPSerial:
		return decodePPP(b, cut, 0, p)
	case LinkTypePPPoE:
		return decodeEtherType(etherPPPoE, b, cut, 0, p)
	case LinkTypeHDLC:
		return decodeHDLC(b, cut, 0, p)
	case LinkTypeFrameRelay:
		return decodeFrameRelay(b, cut, p)
	case LinkTypeFDDI:
		return decodeFDDI(b, cut, p)
	case LinkTypeIPoIB:
		return decodeIPoIB(b, cut, p)
	case LinkTypeNFLOG:
		return decodeNFLOG(b, cut, p)
	case LinkTypeBrcmTag:
		return decodeBrcmTag(b, cut, p)
	case LinkTypeWiFi:
		return decodeWiFi(b, cut, p)
	case LinkTypeRadiotap:
		return decodeRadiotap(b, cut, p)
	case LinkTypePrism:
		return decodePrism(b, cut, p)
	case LinkTypeAVS:
		return decodeAVS(b, cut, p)
	case LinkTypePPI:
		return decodePPI(b, cut, p)
	}
	return ReasonLinkType
}

// decodeEthernet reads the header of an Ethernet frame; depth counts the
// tunnels around it.
func decodeEthernet(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < 14 {
		return short(cut)
	}
	p.Group = b[0]&1 != 0
	return decodeEtherType(be16(b[12:]), b[14:], cut, depth, p)
}

// decodeEtherType strips tags and shims until the ethertype names a network
// protocol.
func decodeEtherType(kind uint16, b []byte, cut, depth int, p *Packet) Reason {
	for range maxTags {
		switch kind {
		case etherIPv4:
			return decodeIPv4(b, cut, depth, p)
		case etherIPv6:
			return decodeIPv6(b, cut, depth, p)
		case etherARP:
			return decodeARP(b, cut, p)
		case etherVLAN, etherQinQ, etherQinQ9100:
			if len(b) < 4 {
				return short(cut)
			}
			kind, b = be16(b[2:]), b[4:]
		case etherVNTag:
			if len(b) < 6 {
				return short(cut)
			}
			kind, b = be16(b[4:]), b[6:]
		case etherPPPoE:
			if len(b) < 8 {
				return short(cut)
			}
			kind, b = pppEtherType(be16(b[6:])), b[8:]
		case etherMPLS, etherMPLSUp:
			return decodeMPLS(b, cut, depth, p)
		default:
			if kind >= etherMinimum {
				return ReasonEtherType
			}
			var n int
			var r Reason
			if kind, n, r = llcEtherType(b, cut); r != ReasonOK {
				return r
			}
			b = b[n:]
		}
	}
	return ReasonDepth
}

// llcEtherType reads an LLC header (IEEE 802.2) and returns the ethertype of
// what follows it after n bytes: SNAP names it (RFC 1042, and the OUI of
// IEEE 802.1H for bridges), or the service access points are those of IP.
func llcEtherType(b []byte, cut int) (kind uint16, n int, r Reason) {
	switch {
	case len(b)+cut < 3:
		return 0, 0, ReasonEtherType
	case len(b) < 3:
		return 0, 0, ReasonTruncated
	case b[0] == 0x06 && b[1]&^1 == 0x06 && b[2] == 0x03:
		return etherIPv4, 3, ReasonOK
	case b[0] != 0xaa || b[1]&^1 != 0xaa || b[2] != 0x03 || len(b)+cut < 8:
		return 0, 0, ReasonEtherType
	case len(b) < 8:
		return 0, 0, ReasonTruncated
	case b[3]|b[4] != 0 || b[5] != 0 && b[5] != 0xf8:
		return 0, 0, ReasonEtherType
	}
	if kind = be16(b[6:]); kind < etherMinimum {
		return 0, 0, ReasonEtherType // not an ethertype, whatever it is
	}
	return kind, 8, ReasonOK
}

// decodeLLC reads what begins with an LLC header.
func decodeLLC(b []byte, cut, depth int, p *Packet) Reason {
	kind, n, r := llcEtherType(b, cut)
	if r != ReasonOK {
		return r
	}
	return decodeEtherType(kind, b[n:], cut, depth, p)
}

// decodeMPLS skips the label stack (RFC 3032). Nothing in it says what follows;
// as routers do, it takes the IP version's place for the answer.
func decodeMPLS(b []byte, cut, depth int, p *Packet) Reason {
	for range maxTags {
		if len(b) < 4 {
			return short(cut)
		}
		bottom := b[2]&1 != 0
		b = b[4:]
		if bottom {
			if len(b) > 0 && b[0]>>4 != 4 && b[0]>>4 != 6 {
				return ReasonEtherType // a pseudowire
			}
			return decodeIP(b, cut, depth, p)
		}
	}
	return ReasonDepth
}

// decodeLoopback reads the BSD address family, in either byte order: that of
// the capturing host, which the file need not share.
func decodeLoopback(b []byte, cut int, p *Packet) Reason {
	if len(b) < 4 {
		return short(cut)
	}
	family := be32(b)
	if family > 0xffff {
		family = bits.ReverseBytes32(family)
	}
	switch family {
	case 2:
		return decodeIPv4(b[4:], cut, 0, p)
	case 10, 24, 28, 30: // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin
		return decodeIPv6(b[4:], cut, 0, p)
	}
	return ReasonEtherType
}

// decodePPP reads a PPP frame with or without the HDLC address and control
// bytes; where those are Cisco's, what follows is Cisco HDLC. The protocol may
// be compressed to one byte, which is odd (RFC 1661, 6.5).
func decodePPP(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < 4 {
		return short(cut)
	}
	switch {
	case b[0] == 0xff && b[1] == 0x03:
		b = b[2:]
	case b[0] == 0x0f || b[0] == 0x8f:
		return decodeHDLC(b, cut, depth, p)
	}
	if b[0]&1 != 0 {
		return decodeEtherType(pppEtherType(uint16(b[0])), b[1:], cut, depth, p)
	}
	return decodeEtherType(pppEtherType(be16(b)), b[2:], cut, depth, p)
}

// decodeHDLC reads Cisco HDLC: address, control, ethertype.
func decodeHDLC(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < 4 {
		return short(cut)
	}
	return decodeEtherType(be16(b[2:]), b[4:], cut, depth, p)
}

// pppEtherType translates a PPP protocol number.
func pppEtherType(protocol uint16) uint16 {
	switch protocol {
	case pppIPv4:
		return etherIPv4
	case pppIPv6:
		return etherIPv6
	case pppMPLS:
		return etherMPLS
	}
	return etherUnknown
}
