package capture

// decodeTransport reads what IP carries. size is the length by the IP header,
// of which b holds what was captured. Of a tunnel it gives what is inside.
func decodeTransport(protocol uint8, b []byte, size, depth int, p *Packet) Reason {
	switch Proto(protocol) {
	case ProtoTCP, ProtoUDP, ProtoICMP, ProtoICMPv6:
	case ipIPv4, ipIPv6, ipGRE, ipEtherIP:
		return decodeTunnel(protocol, b, size, depth, p)
	default:
		return ReasonProtocol
	}
	if p.Fragment == FragmentLater {
		p.Proto = Proto(protocol)
		p.Payload = uint32(size)
		return ReasonOK
	}
	var header int
	var r Reason
	switch Proto(protocol) {
	case ProtoTCP:
		header, r = decodeTCP(b, size, p)
	case ProtoUDP:
		header, r = decodeUDP(b, size, p)
		if r == ReasonOK && overlayPort(p.DstPort) {
			if inner := decodeOverlay(b, size, depth, p); inner != ReasonProtocol {
				return inner
			}
		}
	case ProtoICMP:
		header, r = decodeICMP(b, size, p)
	case ProtoICMPv6:
		header, r = decodeICMPv6(b, size, p)
	}
	if r != ReasonOK {
		return r
	}
	p.Proto = Proto(protocol)
	p.Payload = uint32(max(size-header, 0))
	return ReasonOK
}

// decodeTCP reads TCP (RFC 9293, 3.1) and returns the header's length. It is
// content with 14 bytes, up to the flags; of a first fragment with the ports.
func decodeTCP(b []byte, size int, p *Packet) (header int, r Reason) {
	if len(b) < 14 {
		if p.Fragment != FragmentFirst || len(b) < size || len(b) < 8 {
			return 0, short(size - len(b))
		}
		p.SrcPort, p.DstPort, p.Seq = be16(b), be16(b[2:]), be32(b[4:])
		return size, ReasonOK
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.Seq, p.Ack = be32(b[4:]), be32(b[8:])
	p.Flags = Flags(b[13])
	return max(int(b[12]>>4)*4, 20), ReasonOK
}

// decodeUDP reads the ports (RFC 768).
func decodeUDP(b []byte, size int, p *Packet) (header int, r Reason) {
	if len(b) < 4 {
		return 0, short(size - len(b))
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	return 8, ReasonOK
}

// decodeARP reads ARP (RFC 826) for IPv4 over hardware addresses of any
// length.
func decodeARP(b []byte, cut int, p *Packet) Reason {
	if len(b) < 8 {
		return short(cut)
	}
	hardware, protocol := int(b[4]), int(b[5])
	if be16(b[2:]) != etherIPv4 || protocol != 4 {
		return ReasonMalformed
	}
	sender := 8 + hardware
	target := sender + 4 + hardware
	if len(b) < target+4 {
		return short(cut)
	}
	p.Src, p.Dst = addr4(b[sender:]), addr4(b[target:])
	p.Type = b[7]
	p.Proto = ProtoARP
	return ReasonOK
}
