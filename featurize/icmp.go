package featurize

import "edgescan/capture"

// Codes of ICMP errors that set them apart from others of their type.
const (
	codeTooBig    = 4 // destination unreachable: send smaller packets (RFC 1191); nobody refuses
	codeInTransit = 0 // time exceeded: on the way; else the destination waited for fragments
)

// addICMP takes requests, their replies, and errors that settle other
// contacts.
func (t *Tracker) addICMP(p *capture.Packet) {
	switch p.Type {
	case capture.ICMPEchoRequest, capture.ICMPTimestamp, capture.ICMPMaskRequest:
		t.ask(p, capture.ProtoICMP, &p.Dst, uint16(p.Type))
	case capture.ICMPEchoReply:
		t.answer(p, capture.ProtoICMP, &p.Src, capture.ICMPEchoRequest)
	case capture.ICMPTimestampReply:
		t.answer(p, capture.ProtoICMP, &p.Src, capture.ICMPTimestamp)
	case capture.ICMPMaskReply:
		t.answer(p, capture.ProtoICMP, &p.Src, capture.ICMPMaskRequest)
	case capture.ICMPUnreachable:
		if p.Code != codeTooBig {
			t.addError(p, false)
		}
	case capture.ICMPTimeExceeded:
		if p.Code == codeInTransit {
			t.addError(p, true)
		}
	}
}

func (t *Tracker) addICMPv6(p *capture.Packet) {
	switch p.Type {
	case capture.ICMP6EchoRequest:
		t.ask(p, capture.ProtoICMPv6, &p.Dst, uint16(p.Type))
	case capture.ICMP6EchoReply:
		t.answer(p, capture.ProtoICMPv6, &p.Src, capture.ICMP6EchoRequest)
	case capture.ICMP6NeighborSol:
		t.ask(p, capture.ProtoARP, &p.Quote.Dst, 0)
	case capture.ICMP6NeighborAdvert:
		t.answer(p, capture.ProtoARP, &p.Quote.Dst, 0)
	case capture.ICMP6Unreachable:
		t.addError(p, false)
	case capture.ICMP6TimeExceeded:
		if p.Code == codeInTransit {
			t.addError(p, true)
		}
	}
}

func (t *Tracker) addARP(p *capture.Packet) {
	switch p.Type {
	case capture.ARPRequest:
		t.ask(p, capture.ProtoARP, &p.Dst, 0)
	case capture.ARPReply:
		t.answer(p, capture.ProtoARP, &p.Src, 0)
	}
}

// ask records a request to target, which for ARP and neighbour discovery is
// not the packet's destination.
func (t *Tracker) ask(p *capture.Packet, proto capture.Proto, target *capture.Addr, port uint16) {
	if target.IsGroup() || *target == p.Src || (p.Group && proto != capture.ProtoARP) {
		return
	}
	src, dst := t.endOf(&p.Src), t.endOf(target)
	if i, fresh := t.attempt(&src, &dst, proto, port, 0); fresh {
		t.open(i, Pending)
	}
}

// answer settles the request that the packet's destination sent to from.
func (t *Tracker) answer(p *capture.Packet, proto capture.Proto, from *capture.Addr, port uint16) {
	src, dst := t.endOf(&p.Dst), t.endOf(from)
	if i := t.find(&src, &dst, proto, port); i != 0 {
		t.mark(&t.contacts[i], markData)
		t.settle(i, Answered)
	}
}

// addError settles the contact whose packet an ICMP error quotes. An error
// that quotes no known contact says nothing: it may be forged, or answer an
// answer.
func (t *Tracker) addError(p *capture.Packet, expired bool) {
	q := &p.Quote
	if !q.Valid || p.Dst != q.Src {
		return
	}
	i := t.findQuoted(q)
	if i == 0 {
		return
	}
	if expired {
		t.mark(&t.contacts[i], markExpired)
	}
	t.settle(i, Refused)
}

// findQuoted returns the contact whose packet is quoted, or 0. Which ICMP
// request it was is not quoted: the one that waits for its answer.
func (t *Tracker) findQuoted(q *capture.Quote) uint32 {
	src, dst := t.endOf(&q.Src), t.endOf(&q.Dst)
	switch {
	case q.Proto == capture.ProtoICMPv6:
		return t.find(&src, &dst, q.Proto, capture.ICMP6EchoRequest)
	case q.Proto == capture.ProtoICMP:
		var last uint32
		for _, request := range [...]uint16{capture.ICMPEchoRequest, capture.ICMPTimestamp, capture.ICMPMaskRequest} {
			if i := t.find(&src, &dst, q.Proto, request); i != 0 {
				last = i
				if t.contacts[i].Outcome == Pending {
					break
				}
			}
		}
		return last
	case q.Ports:
		return t.find(&src, &dst, q.Proto, q.DstPort)
	}
	return 0
}
