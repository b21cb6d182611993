package capture

// ICMP and ICMPv6 types that only the decoder reads: further errors, which
// quote the packet that caused them.
const (
	icmpSourceQuench = 4
	icmpRedirect     = 5
	icmpParameter    = 12
	icmp6TooBig      = 2
	icmp6Parameter   = 4
)

// icmpHeader is the length of the ICMP and ICMPv6 headers that are read here.
const icmpHeader = 8

// decodeICMP reads ICMP (RFC 792).
func decodeICMP(b []byte, size int, p *Packet) (header int, r Reason) {
	if len(b) < 2 {
		return 0, short(size - len(b))
	}
	p.Type, p.Code = b[0], b[1]
	switch p.Type {
	case ICMPUnreachable, ICMPTimeExceeded, icmpSourceQuench, icmpRedirect, icmpParameter:
		if len(b) > icmpHeader {
			quoteIP(b[icmpHeader:], &p.Quote)
		}
	case ICMPEchoRequest, ICMPEchoReply, ICMPTimestamp, ICMPTimestampReply, ICMPMaskRequest, ICMPMaskReply:
		if len(b) < 6 {
			return 0, short(size - len(b))
		}
		p.SrcPort = be16(b[4:])
	}
	return icmpHeader, ReasonOK
}

// decodeICMPv6 reads ICMPv6 (RFC 4443), and the target of neighbour discovery
// (RFC 4861, 4.3 and 4.4).
func decodeICMPv6(b []byte, size int, p *Packet) (header int, r Reason) {
	if len(b) < 2 {
		return 0, short(size - len(b))
	}
	p.Type, p.Code = b[0], b[1]
	switch p.Type {
	case ICMP6Unreachable, ICMP6TimeExceeded, icmp6TooBig, icmp6Parameter:
		if len(b) > icmpHeader {
			quoteIP(b[icmpHeader:], &p.Quote)
		}
	case ICMP6NeighborSol, ICMP6NeighborAdvert:
		if len(b) < icmpHeader+16 {
			return 0, short(size - len(b))
		}
		p.Quote.Dst = Addr(b[icmpHeader : icmpHeader+16])
	case ICMP6EchoRequest, ICMP6EchoReply:
		if len(b) < 6 {
			return 0, short(size - len(b))
		}
		p.SrcPort = be16(b[4:])
	}
	return icmpHeader, ReasonOK
}

// quoteIP reads the packet that an ICMP error quotes, as far as it goes.
// Lengths in it are not to be believed: routers have changed them.
func quoteIP(b []byte, q *Quote) {
	var protocol uint8
	var fragment Fragment
	switch {
	case b[0]>>4 == 4 && len(b) >= 20 && b[0]&0x0f >= 5:
		q.Src, q.Dst = addr4(b[12:]), addr4(b[16:])
		protocol = b[9]
		if be16(b[6:])&0x1fff != 0 {
			fragment = FragmentLater
		}
		b = b[min(int(b[0]&0x0f)*4, len(b)):]
	case b[0]>>4 == 6 && len(b) >= 40:
		q.Src, q.Dst = Addr(b[8:24]), Addr(b[24:40])
		var n int
		var r Reason
		protocol, n, fragment, r = skipExtensions(b[6], b[40:])
		if r != ReasonOK {
			q.Valid = true // addresses only
			return
		}
		b = b[40+n:]
	default:
		return
	}
	q.Valid = true
	quoteTransport(protocol, fragment, b, q)
}

// quoteTransport reads the ports and flags of a quoted packet.
func quoteTransport(protocol uint8, fragment Fragment, b []byte, q *Quote) {
	switch Proto(protocol) {
	case ProtoTCP, ProtoUDP, ProtoICMP, ProtoICMPv6:
		q.Proto = Proto(protocol)
	}
	if fragment == FragmentLater || len(b) < 4 {
		return
	}
	switch q.Proto {
	case ProtoTCP:
		if len(b) >= 14 {
			q.Flags = Flags(b[13])
		}
		fallthrough
	case ProtoUDP:
		q.SrcPort, q.DstPort, q.Ports = be16(b), be16(b[2:]), true
	case ProtoICMP, ProtoICMPv6:
		if query := b[0] == ICMPEchoRequest || b[0] == ICMP6EchoRequest; query && len(b) >= 6 {
			q.SrcPort = be16(b[4:])
		}
	}
}
