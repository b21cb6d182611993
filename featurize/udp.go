package featurize

import (
	"time"

	"edgescan/capture"
)

// activeFor is how long what comes to a UDP port counts as an answer to what
// was sent from it.
const activeFor = uint32(5 * time.Minute / time.Second)

// addUDP takes a datagram: the answer to a contact, a further one of a
// contact, an answer that comes from elsewhere, or an attempt.
func (t *Tracker) addUDP(p *capture.Packet) {
	if p.Group || p.Dst.IsGroup() {
		t.setActive(p)
		return
	}
	src, dst := t.ends(p)
	if i := t.find(&dst, &src, capture.ProtoUDP, p.SrcPort); i != 0 && !t.probesFromService(p) {
		if p.Payload > 0 {
			t.mark(&t.contacts[i], markData)
		}
		t.settle(i, Answered)
		return
	}
	i := t.find(&src, &dst, capture.ProtoUDP, p.DstPort)
	if i == 0 {
		if t.isActive(p) {
			t.answerElsewhere(p)
			return
		}
		if answersFromService(p) && !t.sweepsFromService(p) {
			i, _ := t.attempt(&dst, &src, capture.ProtoUDP, p.SrcPort, p.DstPort)
			t.contacts[i].marks |= markData
			t.open(i, Answered)
			return
		}
	}
	t.setActive(p)
	i, fresh := t.attempt(&src, &dst, capture.ProtoUDP, p.DstPort, p.SrcPort)
	c := &t.contacts[i]
	switch {
	case fresh:
		if p.Payload == 0 {
			c.marks |= markEmpty
		}
		t.open(i, Pending)
	case p.Payload > 0:
		c.marks &^= markEmpty
		if c.Attempts >= streamDatagrams && c.Outcome != Answered && c.Outcome != Refused {
			t.mark(c, markData)
			t.settle(i, Answered)
		}
	}
}

// isService reports whether a UDP port is one that a server answers from. A
// datagram from such a port to an ephemeral one is an answer, even if the
// question was not captured or is long ago.
func isService(port uint16) bool {
	switch port {
	case 53, 67, 69, 88, 123, 137, 138, 161, 162, 389, 443, 500, 514, 1194, 1812, 1900, 3478, 3702, 4500, 5060, 5351, 5353, 5355, 51820:
		return true
	}
	return false
}

// answersFromService reports whether the ports are those of a server's answer.
func answersFromService(p *capture.Packet) bool {
	if p.SrcPort == 67 && p.DstPort == 68 {
		return true // DHCP: what the client asked was broadcast, from no address
	}
	return isService(p.SrcPort) && p.DstPort >= 1024 && !isService(p.DstPort)
}

// probesFromService reports whether a datagram comes from a service's port,
// but goes to one that no client asks from and that its host does not use: a
// scan that poses as answers (nmap -sU -g 53), whatever else the two hosts
// have to do with each other. Some services ask each other from their own port.
func (t *Tracker) probesFromService(p *capture.Packet) bool {
	return isService(p.SrcPort) && p.SrcPort != p.DstPort && !answersFromService(p) &&
		(p.DstPort < 1024 || isService(p.DstPort)) && !t.isActive(p)
}

// sweepHosts is how many hosts may have what look like answers of one server
// come to the same port of theirs, before it is taken for a sweep. Clients
// choose their ports at random.
const sweepHosts = 3

// sweepsFromService counts a datagram to a host that is not known to have
// asked, and reports whether the same port of more than sweepHosts hosts was
// sent to of late.
func (t *Tracker) sweepsFromService(p *capture.Packet) bool {
	if p.DstPort == 68 {
		return false
	}
	for n := range uint64(sweepHosts) {
		h := t.key.mix(t.key.endpoint(&p.Src, p.DstPort), n+1)
		s := &t.active[h&uint64(len(t.active)-1)]
		if s.tag != uint32(h>>32) || t.seconds()-s.seconds > activeFor {
			*s = activeSlot{uint32(h >> 32), t.seconds()}
			return false
		}
	}
	return true
}

// nearbyContacts is how many contacts are searched for one that was answered
// from another port.
const nearbyContacts = 4

// answerElsewhere settles the attempt that a datagram from another port of the
// same host answers, as TFTP does (RFC 1350): one of the latest.
func (t *Tracker) answerElsewhere(p *capture.Packet) {
	s := t.findSource(&p.Dst)
	if s == 0 {
		return
	}
	i := t.sources[s].contacts.head
	for n := 0; i != 0 && n < nearbyContacts; n++ {
		c := &t.contacts[i]
		if c.Outcome == Pending && c.Proto == capture.ProtoUDP && c.Dst == p.Src {
			t.mark(c, markData)
			t.settle(i, Answered)
			return
		}
		i = c.bySource.next
	}
}

// setActive notes that the sender uses its source port.
func (t *Tracker) setActive(p *capture.Packet) {
	h := t.key.endpoint(&p.Src, p.SrcPort)
	t.active[h&uint64(len(t.active)-1)] = activeSlot{uint32(h >> 32), t.seconds()}
}

// isActive reports whether the destination port is one that its host has sent
// from of late.
func (t *Tracker) isActive(p *capture.Packet) bool {
	h := t.key.endpoint(&p.Dst, p.DstPort)
	s := t.active[h&uint64(len(t.active)-1)]
	return s.tag == uint32(h>>32) && t.seconds()-s.seconds <= activeFor
}

// seconds is the clock in whole seconds; it wraps.
func (t *Tracker) seconds() uint32 { return uint32(t.now / int64(time.Second)) }

// The UDP ports that traceroute counts up from, and how many probes it sends
// at once.
const (
	traceFirst = 33434
	traceLast  = traceFirst + 3*64
	traceBurst = 16
)

// followsTrace reports whether a failed contact is one of the last probes of a
// traceroute, which reach the host or a filter before it: those a little
// before it expired on the way.
func (t *Tracker) followsTrace(c *Contact) bool {
	if c.Proto != capture.ProtoUDP || c.Port <= traceFirst || c.Port > traceLast || c.Outcome == Answered {
		return false
	}
	for port := c.Port - 1; port >= traceFirst && port >= c.Port-traceBurst; port-- {
		if i := t.findOf(c.source, &c.Dst, c.Proto, port); i != 0 && t.contacts[i].Expired() {
			return true
		}
	}
	return false
}
