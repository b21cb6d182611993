package flow

import "edgescan/capture"

// MaxPackets is how many packets a flow is played as at most.
const MaxPackets = 16

// maxAttempts is how many packets an attempt is played as at most: enough for
// what a map can show, and for datagrams that nobody answers to count as a stream.
const maxAttempts = 9

// Packets appends the fewest packets that tell what r tells, in the order in
// which they must have come, and all at r.Start: the attempts, the answer to them,
// and that data was carried. It expects Src to be who began, as it is behind a
// Joiner.
func (r *Record) Packets(to []capture.Packet) []capture.Packet {
	w := writer{r: r, to: to}
	switch r.Proto {
	case capture.ProtoTCP:
		w.tcp()
	case capture.ProtoUDP:
		w.udp()
	case capture.ProtoICMP, capture.ProtoICMPv6:
		w.icmp()
	}
	return w.to
}

// writer writes the packets of one flow.
type writer struct {
	r       *Record
	to      []capture.Packet
	partial bool // of what is written: see capture.Packet
}

// out writes a packet from the one who began, and returns it to be filled in. It
// is valid until the next.
func (w *writer) out() *capture.Packet {
	r := w.r
	w.to = append(w.to, capture.Packet{
		Time: r.Start, Src: r.Src, Dst: r.Dst, SrcPort: r.SrcPort, DstPort: r.DstPort,
		Proto: r.Proto, Partial: w.partial || r.sampled() || r.Facts.Has(OneWay),
	})
	return &w.to[len(w.to)-1]
}

// back writes a packet the other way.
func (w *writer) back() *capture.Packet {
	p := w.out()
	p.Src, p.Dst = p.Dst, p.Src
	p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
	return p
}

// attempts returns as how many packets those of a Half are played.
func attempts(h *Half) uint32 { return max(1, min(h.Packets, maxAttempts)) }

// Sequence numbers, which flows do not tell: those of a connection that has
// carried nothing. Data is told by payload.
const (
	seqAfter = 1   // of a SYN, which has 0
	somewhat = 100 // bytes of payload
)

func (w *writer) tcp() {
	switch state := w.r.tcpState(); state {
	case StateOdd:
		w.odd()
	case StateSilent, StateUnknown:
		w.partial = state == StateUnknown
		w.syn(attempts(&w.r.Out))
	case StateRefused:
		w.syn(1)
		p := w.back()
		p.Flags, p.Ack = capture.RST|capture.ACK, seqAfter
	default:
		w.connection()
	}
}

// Outcome returns how a flow was answered, as far as r tells.
func (r *Record) Outcome() State {
	switch {
	case r.Proto == capture.ProtoTCP:
		return r.tcpState()
	case r.State != StateUnknown:
		return r.State
	case r.Back.Packets > 0:
		return StateAnswered
	case r.sampled() || r.Facts.Has(OneWay):
		return StateUnknown
	}
	return StateSilent
}

// tcpState returns what the flags and counts of a TCP flow tell, where its source
// does not say so itself.
func (r *Record) tcpState() State {
	out, back := &r.Out, &r.Back
	switch {
	case r.State != StateUnknown:
		return r.State
	case r.Facts.Has(NoFlags):
		return r.countedState()
	case out.Packets == 0: // the answers alone
		if back.Flags&(capture.SYN|capture.RST) == capture.RST && !back.carried() {
			return StateRefused
		}
		return StateAnswered
	case out.Flags&(capture.SYN|capture.ACK) == 0: // RST is left to a connection's end
		if out.Flags&capture.RST != 0 || back.goesOn() {
			return StateAnswered
		}
		return StateOdd
	case out.Flags&capture.SYN == 0:
		return r.middleState()
	case back.Packets > 0 && back.Flags&(capture.SYN|capture.RST) == capture.RST && !out.carried() && !back.carried():
		return StateRefused
	case back.Packets > 0, out.Flags&(capture.ACK|capture.RST) != 0: // who goes on has been answered
		return StateAnswered
	}
	return StateSilent
}

// goesOn reports whether one way of a TCP flow has segments of a connection, and no RST:
// nobody answers a probe so.
func (h *Half) goesOn() bool {
	return h.Flags&capture.RST == 0 && h.Flags&(capture.FIN|capture.ACK) != 0
}

// carried reports whether one way of a TCP flow had payload. By its size a number
// of SYNs alone looks so, but what has no ACK carries none; and what goes on for
// long, and is not refused again and again, does.
func (h *Half) carried() bool {
	switch long := h.Packets >= talking; {
	case h.Flags&(capture.SYN|capture.ACK) == capture.SYN:
		return false
	case long && h.Flags&(capture.ACK|capture.RST) == capture.ACK, long && h.Flags == 0 && h.Bytes == 0:
		return true
	}
	return h.Data
}

// middleState is tcpState of a flow whose beginning is not in the record: more of
// a connection that was told of before, or an ACK probe.
func (r *Record) middleState() State {
	empty := !r.Out.carried() && !r.Back.carried() && r.Out.Packets < talking
	if empty && r.Back.Packets > 0 && r.Back.Flags&(capture.RST|capture.SYN|capture.ACK) == capture.RST {
		return StateOdd
	}
	return StateAnswered
}

// countedState is tcpState where flags are not known. A RST is the smallest
// packet that there is; a SYN that accepts says what segments it takes. Of
// packets that nobody answers, all are SYNs, if they can be.
func (r *Record) countedState() State {
	out, back := &r.Out, &r.Back
	switch {
	case back.Packets == 0 && uint64(out.Bytes) <= uint64(out.Packets)*r.headers(mostSYN):
		return StateSilent
	case back.Packets > 0 && back.Bytes > 0 && uint64(back.Bytes) <= uint64(back.Packets)*r.headers(bareTCP):
		return StateRefused
	case out.carried(), back.carried(), back.Bytes > 0:
		return StateAnswered
	}
	return StateUnknown
}

func (w *writer) syn(n uint32) {
	for range n {
		w.out().Flags = capture.SYN
	}
}

// odd writes probes that belong to no connection, and their answer.
func (w *writer) odd() {
	flags := w.r.Out.Flags
	for range attempts(&w.r.Out) {
		p := w.out()
		p.Flags = flags
	}
	if w.r.Back.Packets > 0 {
		p := w.back()
		p.Flags, p.Ack = capture.RST|capture.ACK, seqAfter
	}
}

// connection writes one that came about, or one in its middle.
func (w *writer) connection() {
	r := w.r
	begins := r.Facts.Has(NoFlags) || r.State == StateAnswered || (r.Out.Flags|r.Back.Flags)&capture.SYN != 0
	if begins && !r.Facts.Has(Continued) {
		if r.Out.Packets > 0 {
			w.syn(1)
		}
		p := w.back()
		p.Flags, p.Ack = capture.SYN|capture.ACK, seqAfter
	}
	for _, half := range [...]struct {
		*Half
		write func() *capture.Packet
	}{{&r.Out, w.out}, {&r.Back, w.back}} {
		data := half.carried()
		if half.Packets == 0 || begins && !data {
			continue
		}
		p := half.write()
		p.Flags, p.Seq, p.Ack = capture.ACK, seqAfter, seqAfter
		if data {
			p.Payload = somewhat
		}
	}
}

func (w *writer) udp() {
	r := w.r
	if r.Out.Packets > 0 || r.State != StateUnknown {
		for range attempts(&r.Out) {
			p := w.out()
			if r.Out.Data {
				p.Payload = somewhat
			}
		}
	}
	switch {
	case r.State == StateRefused:
		w.unreachable()
	case r.Back.Packets > 0 || r.State == StateAnswered:
		w.back().Payload = somewhat
	}
}

// unreachable writes the ICMP error that refuses a datagram.
func (w *writer) unreachable() {
	r := w.r
	p := w.back()
	p.SrcPort, p.DstPort = 0, 0
	p.Proto, p.Type, p.Code = unreachablePort(&r.Src)
	p.Quote = capture.Quote{
		Src: r.Src, Dst: r.Dst, SrcPort: r.SrcPort, DstPort: r.DstPort,
		Proto: r.Proto, Valid: true, Ports: true,
	}
}

// unreachablePort returns protocol, type and code of the ICMP error that says to a
// host of that address that nobody listens at the port that it asked.
func unreachablePort(a *capture.Addr) (proto capture.Proto, kind, code uint8) {
	if a.Is4() {
		return capture.ProtoICMP, capture.ICMPUnreachable, 3
	}
	return capture.ProtoICMPv6, capture.ICMP6Unreachable, 4
}

func (w *writer) icmp() {
	r := w.r
	reply, asks := replyTo(r.Proto, r.Type)
	if !asks {
		return // an error says nothing without what it quotes
	}
	for range attempts(&r.Out) {
		w.out().Type = r.Type
	}
	if r.Back.Packets > 0 || r.State == StateAnswered {
		w.back().Type = reply
	}
}

// replyTo returns the type that answers a request, and whether it is one.
func replyTo(proto capture.Proto, request uint8) (reply uint8, asks bool) {
	for _, pair := range icmpPairs {
		if pair.proto == proto && pair.request == request {
			return pair.reply, true
		}
	}
	return 0, false
}

// Request returns the type of request that is answered by a reply, or the
// type itself if it is none.
func Request(proto capture.Proto, reply uint8) uint8 {
	for _, pair := range icmpPairs {
		if pair.proto == proto && pair.reply == reply {
			return pair.request
		}
	}
	return reply
}

var icmpPairs = [...]struct {
	proto          capture.Proto
	request, reply uint8
}{
	{capture.ProtoICMP, capture.ICMPEchoRequest, capture.ICMPEchoReply},
	{capture.ProtoICMP, capture.ICMPTimestamp, capture.ICMPTimestampReply},
	{capture.ProtoICMP, capture.ICMPMaskRequest, capture.ICMPMaskReply},
	{capture.ProtoICMPv6, capture.ICMP6EchoRequest, capture.ICMP6EchoReply},
}
