package featurize

import "edgescan/capture"

const (
	maxKeepAlive = 1       // bytes of payload that a keep-alive probe may carry (RFC 9293, 3.8.4)
	minEphemeral = 32768   // the least source port of Linux and nmap; Windows begins higher
	maxTransfer  = 1 << 24 // bytes that two acknowledgements of one transfer lie apart at most
)

// addTCP sorts a segment by what it can mean: an attempt, an answer to one, a
// part of a connection, or a probe that belongs to none.
func (t *Tracker) addTCP(p *capture.Packet) {
	if p.Dst.IsGroup() {
		return
	}
	switch f := p.Flags; {
	case f&capture.RST != 0:
		t.addReset(p)
	case f&capture.SYN != 0 && f&capture.ACK == 0:
		t.addSYN(p)
	case f&capture.SYN != 0:
		t.addSYNACK(p)
	default:
		t.addSegment(p)
	}
}

func (t *Tracker) addSYN(p *capture.Packet) {
	src, dst := t.ends(p)
	i, fresh := t.attempt(&src, &dst, capture.ProtoTCP, p.DstPort, p.SrcPort)
	c := &t.contacts[i]
	if c.isn != p.Seq { // another connection, to which the last one's answer does not belong
		c.marks &^= markRISN
	}
	c.isn = p.Seq
	c.marks |= markISN
	if fresh {
		t.open(i, Pending)
	}
}

// addSYNACK settles the attempt that it answers. Where none was seen, the
// other direction is not captured, or this is the backscatter of a flood with
// spoofed sources: the addressee gets a contact, the sender does not.
func (t *Tracker) addSYNACK(p *capture.Packet) {
	src, dst := t.ends(p)
	i := t.find(&dst, &src, capture.ProtoTCP, p.SrcPort)
	if i == 0 {
		i, _ = t.attempt(&dst, &src, capture.ProtoTCP, p.SrcPort, p.DstPort)
		t.open(i, Answered)
	}
	c := &t.contacts[i]
	c.risn = p.Seq
	c.marks |= markRISN
	t.settle(i, Answered)
}

// addReset takes a RST of either side of a connection, or one that answers a
// probe.
func (t *Tracker) addReset(p *capture.Packet) {
	src, dst := t.ends(p)
	if i := t.find(&dst, &src, capture.ProtoTCP, p.SrcPort); i != 0 {
		c := &t.contacts[i]
		switch {
		case c.marks&markMid != 0:
			t.settle(i, Odd)
		case c.Outcome != Odd:
			t.settle(i, Refused)
		}
		t.noteData(c, p, false)
		return
	}
	if i := t.find(&src, &dst, capture.ProtoTCP, p.DstPort); i != 0 {
		t.noteData(&t.contacts[i], p, true)
		return
	}
	// The answer to something that was not seen: a RST with ACK and no
	// sequence number refuses a SYN, one without ACK answers a stray ACK.
	// A client's own RST goes to the lower port, or to a server's port that
	// is none a client takes.
	if p.SrcPort >= p.DstPort || p.DstPort < minEphemeral {
		return
	}
	outcome := Odd
	if p.Flags&capture.ACK != 0 {
		if p.Seq != 0 {
			return // the end of a connection that began before the capture
		}
		outcome = Refused
	}
	i, _ := t.attempt(&dst, &src, capture.ProtoTCP, p.SrcPort, p.DstPort)
	t.open(i, outcome)
}

// addSegment takes a segment without SYN and RST.
func (t *Tracker) addSegment(p *capture.Packet) {
	src, dst := t.ends(p)
	if i := t.find(&src, &dst, capture.ProtoTCP, p.DstPort); i != 0 {
		t.addForward(i, p, &src, &dst)
		return
	}
	if i := t.find(&dst, &src, capture.ProtoTCP, p.SrcPort); i != 0 {
		c := &t.contacts[i]
		if c.Outcome != Odd || c.marks&markMid != 0 {
			t.settle(i, Answered)
		}
		t.noteData(c, p, false)
		return
	}
	if p.Flags&capture.ACK == 0 { // FIN, NULL, XMAS: no connection has such a segment
		i, _ := t.attempt(&src, &dst, capture.ProtoTCP, p.DstPort, p.SrcPort)
		t.open(i, Odd)
		return
	}
	t.addMidstream(p, &src, &dst)
}

// addForward takes a segment from the contact's source.
func (t *Tracker) addForward(i uint32, p *capture.Packet, src, dst *end) {
	c := &t.contacts[i]
	if p.Flags&capture.ACK == 0 {
		if c.Outcome == Odd {
			if i, fresh := t.attempt(src, dst, capture.ProtoTCP, p.DstPort, p.SrcPort); fresh {
				t.open(i, Odd)
			}
		}
		return
	}
	t.noteData(c, p, true)
	switch {
	case c.marks&markMid != 0:
		// Acknowledgements that move on are a transfer whose other side is
		// not captured; nmap's repeated ACK probes jump at random.
		if d := p.Ack - c.risn; c.CarriedData() || d > 0 && d < maxTransfer {
			t.mark(c, markData)
			t.settle(i, Answered)
		} else {
			c.again()
		}
	case c.marks&markISN != 0 && p.Seq != c.isn && c.Outcome != Odd:
		// The source acknowledges an answer that was not captured.
		t.settle(i, Answered)
	}
}

// addMidstream takes a segment of a connection whose start was not seen, or an
// ACK or Maimon probe, which looks the same at first: what comes back tells.
// The client is taken to be the side with the higher port; for an empty ACK,
// which a scan may send to any port, only where the ports leave no doubt.
func (t *Tracker) addMidstream(p *capture.Packet, src, dst *end) {
	carries := p.Payload > maxKeepAlive
	serves := p.SrcPort < 1024 || p.SrcPort < minEphemeral && p.DstPort >= minEphemeral
	if p.DstPort > p.SrcPort && (carries || p.Flags&capture.FIN != 0 || serves) {
		i, _ := t.attempt(dst, src, capture.ProtoTCP, p.SrcPort, p.DstPort)
		c := &t.contacts[i]
		c.marks |= markMid
		if carries {
			c.marks |= markData
		}
		t.open(i, Answered)
		return
	}
	i, _ := t.attempt(src, dst, capture.ProtoTCP, p.DstPort, p.SrcPort)
	c := &t.contacts[i]
	c.marks |= markMid
	c.risn = p.Ack
	if carries {
		c.marks |= markData
		t.open(i, Answered)
		return
	}
	t.open(i, Pending)
}

// noteData marks a contact that carried data, by the segment's payload or, at
// the end of a connection whose middle was not captured, by how far the
// sequence numbers have come.
func (t *Tracker) noteData(c *Contact, p *capture.Packet, forward bool) {
	if p.Flags&capture.RST == 0 && p.Payload > maxKeepAlive {
		t.mark(c, markData)
		return
	}
	if p.Flags&(capture.FIN|capture.RST) == 0 {
		return
	}
	isn, mark := c.risn, markRISN
	peer, peerMark := c.isn, markISN
	if forward {
		isn, mark, peer, peerMark = peer, peerMark, isn, mark
	}
	if c.marks&mark != 0 && advanced(isn, p.Seq) ||
		c.marks&peerMark != 0 && p.Flags&capture.ACK != 0 && advanced(peer, p.Ack) {
		t.mark(c, markData)
	}
}

// advanced reports whether seq lies beyond what SYN and FIN alone take up
// after the initial sequence number isn.
func advanced(isn, seq uint32) bool {
	d := seq - isn
	return d > 2 && d < 1<<31
}
