package capture

// Numbers of the IP protocols and IPv6 extension headers that lead on to
// something (IANA, Assigned Internet Protocol Numbers).
const (
	ipHopByHop    = 0
	ipIPv4        = 4
	ipIPv6        = 41
	ipRouting     = 43
	ipFragment    = 44
	ipGRE         = 47
	ipESP         = 50
	ipAH          = 51
	ipDestOptions = 60
	ipEtherIP     = 97
	ipMobility    = 135
	ipHIP         = 139
	ipShim6       = 140
)

const (
	maxExtensions = 16 // IPv6 extension headers of one packet
	maxTunnels    = 4  // IP headers within what IP carries
)

// decodeIP reads an IP packet of the version that its first nibble says.
// depth counts the tunnels around it.
func decodeIP(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) == 0 {
		return short(cut)
	}
	switch b[0] >> 4 {
	case 4:
		return decodeIPv4(b, cut, depth, p)
	case 6:
		return decodeIPv6(b, cut, depth, p)
	}
	return ReasonMalformed
}

// decodeIPv4 reads an IPv4 header (RFC 791). A total length of zero is what
// segmentation offload leaves; the frame's length stands in for it.
func decodeIPv4(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < 20 {
		return short(cut)
	}
	header := int(b[0]&0x0f) * 4
	total := int(be16(b[2:]))
	if total == 0 {
		total = len(b) + cut
	}
	if b[0]>>4 != 4 || header < 20 || total < header {
		return ReasonMalformed
	}
	p.Src, p.Dst = addr4(b[12:]), addr4(b[16:])
	p.TTL = b[8]
	switch fragment := be16(b[6:]); {
	case fragment&0x1fff != 0:
		p.Fragment = FragmentLater
	case fragment&0x2000 != 0:
		p.Fragment = FragmentFirst
	}
	if len(b) < header {
		return short(cut)
	}
	protocol := b[9]
	size := total - header
	b = b[header:]
	if len(b) > size {
		b = b[:size] // Ethernet padding
	}
	return decodeTransport(protocol, b, size, depth, p)
}

// decodeIPv6 reads an IPv6 header and its extensions (RFC 8200). A payload
// length of zero is a jumbogram's or a segmentation offload's.
func decodeIPv6(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < 40 {
		return short(cut)
	}
	if b[0]>>4 != 6 {
		return ReasonMalformed
	}
	p.Src, p.Dst = Addr(b[8:24]), Addr(b[24:40])
	p.TTL = b[7]
	next := b[6]
	size := int(be16(b[4:]))
	b = b[40:]
	if size == 0 {
		size = len(b) + cut
	}
	if len(b) > size {
		b = b[:size]
	}
	protocol, n, fragment, r := skipExtensions(next, b)
	if r != ReasonOK {
		if r == ReasonTruncated {
			r = short(size - len(b))
		}
		return r
	}
	if fragment != FragmentNone {
		p.Fragment = fragment
	}
	return decodeTransport(protocol, b[n:], size-n, depth, p)
}

// skipExtensions walks the IPv6 extension headers at the start of b, of which
// the first is of type next. It returns the protocol above them, the bytes
// that they fill, and which fragment this is. A fragment header with offset
// zero and nothing to follow is no fragment (RFC 6946).
func skipExtensions(next uint8, b []byte) (protocol uint8, n int, fragment Fragment, r Reason) {
	for range maxExtensions {
		switch next {
		case ipHopByHop, ipRouting, ipFragment, ipAH, ipDestOptions, ipMobility, ipHIP, ipShim6:
		default:
			return next, n, fragment, ReasonOK
		}
		if len(b)-n < 8 {
			return 0, 0, fragment, ReasonTruncated
		}
		h := b[n:]
		size := 8 + 8*int(h[1])
		switch next {
		case ipAH:
			size = 8 + 4*int(h[1])
		case ipFragment:
			size = 8
			if offset := be16(h[2:]); offset&0xfff8 != 0 {
				return h[0], n + size, FragmentLater, ReasonOK
			} else if offset&1 != 0 {
				fragment = FragmentFirst
			}
		}
		if len(b)-n < size {
			return 0, 0, fragment, ReasonTruncated
		}
		next = h[0]
		n += size
	}
	return 0, 0, fragment, ReasonDepth
}

// addr4 maps four bytes of IPv4 address.
func addr4(b []byte) Addr {
	return Addr{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
}
