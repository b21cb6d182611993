package netflow

import "edgescan/capture"

// slot is where a field of a record is kept while it is read.
type slot uint8

// What is read of a record. Everything else is skipped.
const (
	skipped slot = iota
	src4
	dst4
	src6
	dst6
	srcPort
	dstPort
	protocol
	tcpFlags
	octets
	packets
	postOctets
	postPackets
	endUptime
	startUptime
	startSeconds
	endSeconds
	startMilli
	endMilli
	startMicro
	endMicro
	startNano
	endNano
	startDelta
	durationMilli
	durationMicro
	initTime
	icmp4
	icmp6
	icmpType
	icmpCode
	forwarding
	endReason
	natEvent
	firewallEvent
	biflow
	outPayload
	backPayload
	outPackets
	backPackets
	backOctets
	backFlags
	samplerID
	samplingInterval
	sampleTaken
	sampleSpace
	numSlots
)

// reversePEN is the enterprise whose elements are those of IANA the other way
// (RFC 5103).
const reversePEN = 29305

// slotOf returns where an information element of IANA's is kept. Those below 128
// are the field types of NetFlow v9 too.
func slotOf(element uint16) slot {
	for _, e := range elements {
		if e.number == element {
			return e.slot
		}
	}
	return skipped
}

var elements = [...]struct {
	number uint16
	slot   slot
}{
	{1, octets}, {85, octets}, {2, packets}, {86, packets}, {23, postOctets}, {24, postPackets},
	{8, src4}, {12, dst4}, {27, src6}, {28, dst6},
	{4, protocol}, {6, tcpFlags},
	{7, srcPort}, {180, srcPort}, {182, srcPort}, {11, dstPort}, {181, dstPort}, {183, dstPort},
	{32, icmp4}, {139, icmp6}, {176, icmpType}, {178, icmpType}, {177, icmpCode}, {179, icmpCode},
	{22, startUptime}, {21, endUptime}, {150, startSeconds}, {151, endSeconds}, {152, startMilli}, {153, endMilli},
	{154, startMicro}, {155, endMicro}, {156, startNano}, {157, endNano}, {158, startDelta},
	{160, initTime}, {161, durationMilli}, {162, durationMicro},
	{89, forwarding}, {136, endReason}, {230, natEvent}, {233, firewallEvent}, {239, biflow},
	{231, outPayload}, {232, backPayload}, {298, outPackets}, {299, backPackets},
	{48, samplerID}, {302, samplerID}, {34, samplingInterval}, {50, samplingInterval}, {305, sampleTaken}, {306, sampleSpace},
}

// reverseSlot is slotOf for the elements of reversePEN.
func reverseSlot(element uint16) slot {
	switch slotOf(element) {
	case octets:
		return backOctets
	case packets:
		return backPackets
	case tcpFlags:
		return backFlags
	}
	return skipped
}

// field is a field of a template as it is read: a run of those that are skipped is
// one.
type field struct {
	length uint16 // bytes; variable is RFC 7011's mark of those that tell it themselves
	slot   slot
}

const variable = 0xffff

// values are what a record has said.
type values struct {
	has    uint64 // bits by slot
	number [numSlots]uint64
	addr   [dst6 + 1]capture.Addr
}

func (v *values) told(s slot) bool { return v.has&(1<<s) != 0 }

// set keeps what a field says. One of a length that it cannot have, or that says
// again what another element of the record has said with more than 0, is skipped.
func (v *values) set(s slot, b []byte) {
	switch s {
	case skipped:
		return
	case src4, dst4:
		if len(b) != 4 {
			return
		}
		v.addr[s] = capture.Addr{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
	case src6, dst6:
		if len(b) != 16 {
			return
		}
		v.addr[s] = capture.Addr(b)
	default:
		if len(b) > 8 {
			return
		}
		var n uint64
		for _, c := range b {
			n = n<<8 | uint64(c)
		}
		if v.told(s) && n == 0 {
			return
		}
		v.number[s] = n
	}
	v.has |= 1 << s
}

// next reads the record that b begins with, and returns its length. It reports
// false where b holds no whole record: it is over, or the rest is padding.
func (v *values) next(fields []field, b []byte) (n int, ok bool) {
	v.has = 0
	for _, f := range fields {
		size := int(f.length)
		if f.length == variable {
			if n >= len(b) {
				return 0, false
			}
			size = int(b[n])
			n++
			if size == 255 {
				if n+2 > len(b) {
					return 0, false
				}
				size = int(b[n])<<8 | int(b[n+1])
				n += 2
			}
		}
		if n+size > len(b) {
			return 0, false
		}
		v.set(f.slot, b[n:n+size])
		n += size
	}
	return n, n > 0
}
