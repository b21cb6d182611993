package capture

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// When a flow of UDP is bulk, and how long it is left in the kernel. Whatever
// its rate, the 256 packets of every ten seconds that pass cost next to nothing.
const (
	shedAfter    = 256 // packets
	shedInterval = 1e9 // within which they come, nanoseconds
	shedFor      = 10e9
	shedPause    = 20e6 // between two programs
	shedFlows    = 64   // at most
	shedSlots    = 256  // flows that are counted at a time, a power of two
)

// udpFlow is a stream of UDP in one direction.
type udpFlow struct {
	src, dst         Addr
	srcPort, dstPort uint16
}

// shed finds the flows of UDP that are bulk: streams, calls, QUIC, VPNs. What
// they are to a scan detector is decided by their first packets, and those
// that follow cost the more. The kernel is told to drop them for a while, after
// which some pass again: the flow is known to go on, or is forgotten.
//
// Nothing can hide behind a flow: its packets are all of the same addresses
// and ports, and what answers it or reports an error is another.
type shed struct {
	slots    [shedSlots]shedSlot
	interval int64 // start of the present interval, nanoseconds since 1970
	number   uint32
	flows    []shedFlow // in the program, or to be in the next
	stale    bool       // the program has other flows
	changed  int64      // when it was last replaced
	most     int        // flows that the kernel is taken to have room for
	total    uint64     // flows that were shed
}

// shedSlot counts the packets of one flow within the interval of that number.
type shedSlot struct {
	flow   udpFlow
	number uint32
	count  uint32
}

// shedFlow is a flow that is bulk until a time.
type shedFlow struct {
	udpFlow
	until int64
}

// note counts a packet and reports whether it is time for another program.
func (s *shed) note(p *Packet) bool {
	if p.Proto != ProtoUDP || p.Fragment != FragmentNone {
		return false
	}
	if d := p.Time - s.interval; d >= shedInterval || d < 0 {
		s.interval = p.Time
		s.number++
		s.expire(p.Time)
	}
	f := udpFlow{p.Src, p.Dst, p.SrcPort, p.DstPort}
	slot := &s.slots[f.hash()%shedSlots]
	switch {
	case slot.number != s.number || slot.count == 0:
		*slot = shedSlot{f, s.number, 1}
	case slot.flow != f:
		slot.count-- // the flow with most packets stays
	default:
		slot.count++
		if slot.count == shedAfter && len(s.flows) < s.most && !s.sheds(f) {
			s.flows = append(s.flows, shedFlow{f, p.Time + shedFor})
			s.stale = true
			s.total++
		}
	}
	return s.due(p.Time)
}

// lapse lets flows go whose time is up, and reports whether it is time for another
// program. Where all UDP that there is is shed no packet would bring that about.
func (s *shed) lapse(now int64) bool {
	if len(s.flows) == 0 && !s.stale {
		return false
	}
	s.expire(now)
	return s.due(now)
}

// due reports whether it is time for another program, and takes it for made.
func (s *shed) due(now int64) bool {
	if d := now - s.changed; !s.stale || d < shedPause && d >= 0 {
		return false
	}
	s.changed = now
	return true
}

// sheds reports whether the flow is one of those already: what comes of it came
// before the program.
func (s *shed) sheds(f udpFlow) bool {
	return slices.ContainsFunc(s.flows, func(known shedFlow) bool { return known.udpFlow == f })
}

// expire lets flows go that have been dropped for long enough.
func (s *shed) expire(now int64) {
	n := len(s.flows)
	s.flows = slices.DeleteFunc(s.flows, func(f shedFlow) bool { return f.until <= now || f.until > now+2*shedFor })
	s.stale = s.stale || len(s.flows) < n
}

// program returns the flows for the next program.
func (s *shed) program() []udpFlow {
	s.stale = false
	flows := make([]udpFlow, len(s.flows))
	for i, f := range s.flows {
		flows[i] = f.udpFlow
	}
	return flows
}

// fewer makes do with half as many flows, where the kernel has no room for more.
func (s *shed) fewer() {
	s.most = len(s.flows) / 2
	s.flows = s.flows[:s.most]
}

// hash spreads flows over the slots. Who makes flows collide has theirs counted
// as one or not at all, and they pass.
func (f *udpFlow) hash() uint32 {
	from, to := f.src.fold(), f.dst.fold()
	high, low := bits.Mul64(from^uint64(f.srcPort)<<16, 0x9e3779b97f4a7c15)
	high, low = bits.Mul64(high^low^to^uint64(f.dstPort), 0x9e3779b97f4a7c15)
	return uint32(high ^ low)
}

// fold makes 64 bits of an address.
func (a *Addr) fold() uint64 {
	return binary.LittleEndian.Uint64(a[8:]) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(a[:8]), 32)
}
