package capture

// Tunnels. What counts is the packet inside: of a scan through a tunnel its
// source is the scanner, and the tunnel's ends are not. Nothing here looks at
// keys, network identifiers, checksums or sequence numbers: the inner packets
// of all tunnels are of one world, as are the packets of all VLANs.

// Protocols that GRE carries, beside ethertypes.
const (
	greWCCP    = 0x883e // RFC draft-param-wccp-v2
	greERSPAN  = 0x88be // ERSPAN types I and II
	greERSPAN3 = 0x22eb
)

// GRE flags (RFC 2784, RFC 2890; RFC 2637 for version 1).
const (
	greChecksum = 0x8000
	greRouting  = 0x4000 // RFC 1701, long gone
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080 // version 1
	greVersion  = 0x0007
)

// UDP ports of tunnels that carry Ethernet.
const (
	portVXLAN      = 4789 // RFC 7348
	portVXLANLinux = 8472 // what Linux takes when told nothing, and what container networks use
	portGeneve     = 6081 // RFC 8926
)

// decodeTunnel unwraps IP in IP (RFC 2003, RFC 4213), GRE and EtherIP. size is
// the length by the outer IP header, of which b holds what was captured.
func decodeTunnel(protocol uint8, b []byte, size, depth int, p *Packet) Reason {
	if p.Fragment == FragmentLater {
		return ReasonProtocol
	}
	if depth >= maxTunnels {
		return ReasonDepth
	}
	// The inner packet was sent whole, even if the tunnel is fragmented.
	p.Fragment = FragmentNone
	cut := size - len(b)
	switch protocol {
	case ipGRE:
		return decodeGRE(b, cut, depth+1, p)
	case ipEtherIP: // RFC 3378
		if len(b) < 2 {
			return short(cut)
		}
		if b[0]>>4 != 3 {
			return ReasonProtocol
		}
		return decodeInner(etherBridged, b[2:], cut, depth+1, p)
	}
	return decodeIP(b, cut, depth+1, p)
}

// decodeGRE skips the GRE header of version 0, or of version 1, which carries
// PPP (PPTP), and reads what follows.
func decodeGRE(b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < 4 {
		return short(cut)
	}
	flags, kind := be16(b), be16(b[2:])
	if flags&greRouting != 0 || flags&greVersion > 1 {
		return ReasonProtocol
	}
	n := 4
	for _, field := range [...]uint16{greChecksum, greKey, greSequence} {
		if flags&field != 0 {
			n += 4
		}
	}
	if flags&greVersion == 1 && flags&greAck != 0 {
		n += 4
	}
	if len(b)+cut <= n {
		return ReasonProtocol // an acknowledgement or a keep-alive, with nothing inside
	}
	if len(b) < n {
		return ReasonTruncated
	}
	b = b[n:]
	switch kind {
	case etherPPP:
		return decodePPP(b, cut, depth, p)
	case greERSPAN:
		if flags&greSequence != 0 { // type II has a header, type I none
			return skipInner(8, b, cut, depth, p)
		}
		kind = etherBridged
	case greERSPAN3:
		if len(b) < 12 {
			return short(cut)
		}
		if b[10]>>2&0x1f != 0 {
			return ReasonEtherType // a mirrored frame other than Ethernet
		}
		return skipInner(12+8*int(b[11]&1), b, cut, depth, p)
	case greWCCP:
		kind = etherIPv4
		if len(b) > 0 && b[0]>>4 != 4 { // version 2 has a header of four bytes, which is nowhere announced
			if len(b) < 4 {
				return short(cut)
			}
			b = b[4:]
		}
	}
	return decodeInner(kind, b, cut, depth, p)
}

// skipInner reads the Ethernet frame that begins n bytes on.
func skipInner(n int, b []byte, cut, depth int, p *Packet) Reason {
	if len(b) < n {
		return short(cut)
	}
	return decodeInner(etherBridged, b[n:], cut, depth, p)
}

// decodeInner reads the payload of a tunnel that names it by an ethertype. Of
// the outer packet an Ethernet frame leaves nothing, lest ARP have a TTL.
func decodeInner(kind uint16, b []byte, cut, depth int, p *Packet) Reason {
	switch {
	case kind == etherBridged:
		*p = Packet{Time: p.Time, Length: p.Length}
		return decodeEthernet(b, cut, depth, p)
	case kind < etherMinimum:
		return ReasonEtherType // not the length that it would be in Ethernet
	}
	return decodeEtherType(kind, b, cut, depth, p)
}

// overlayPort reports whether UDP to a port may be a tunnel.
func overlayPort(port uint16) bool {
	return port == portVXLAN || port == portVXLANLinux || port == portGeneve
}

// decodeOverlay unwraps VXLAN or Geneve. size is the length by the IP header,
// of which b, from the UDP header on, holds what was captured.
//
// It returns ReasonProtocol, and leaves p as it was, where the datagram is to
// be taken for an ordinary one: it is no tunnel, or what it carries cannot be
// read. A probe of these ports is thereby seen whatever its payload.
func decodeOverlay(b []byte, size, depth int, p *Packet) Reason {
	outer := *p
	p.Fragment = FragmentNone
	r := decodeOverlayPayload(b, size-len(b), depth, p)
	if r == ReasonOK || r == ReasonDepth || r == ReasonTruncated && size > len(b) {
		return r
	}
	*p = outer
	return ReasonProtocol
}

// decodeOverlayPayload looks at the tunnel's header, which sets next to no bits
// that it need not, and reads what follows.
func decodeOverlayPayload(b []byte, cut, depth int, p *Packet) Reason {
	const udp, header = 8, 8 // bytes
	if len(b) < udp+header {
		return short(cut)
	}
	h, n, kind := b[udp:], udp+header, uint16(etherBridged)
	if p.DstPort == portGeneve {
		if h[0]>>6 != 0 || h[1]&0x3f != 0 || h[7] != 0 {
			return ReasonProtocol
		}
		n += 4 * int(h[0]&0x3f)
		kind = be16(h[2:])
	} else if h[0]&0x7f != 0x08 || h[1]&^0x48 != 0 || h[7] != 0 { // the bits allowed are those of group policies
		return ReasonProtocol
	}
	if depth >= maxTunnels {
		return ReasonDepth
	}
	if len(b) < n {
		return short(cut)
	}
	return decodeInner(kind, b[n:], cut, depth+1, p)
}
