package netflow

import (
	"math"

	"edgescan/capture"
	"edgescan/flow"
)

// What fields say (IANA's registry, Cisco's for firewall events).
const (
	endActive = 2 // the flow goes on: it was told of because it lasts

	firewallCreated = 1
	firewallDenied  = 3
	firewallAlert   = 4
	firewallUpdate  = 5

	forwardingDropped  = 2 // of its upper two bits
	droppedByPolicer   = 138
	droppedByQueue     = 139     // WRED
	biflowInitiator    = 1       // the source is who began
	biflowReverse      = 2       // the source is who answers
	maxMilli           = 1 << 43 // milliseconds since 1970 that can be reckoned with in nanoseconds
	milli              = int64(1e6)
	secondsTo1970      = 2_208_988_800 // from NTP's beginning
	maxAge             = int64(24 * 3600e9)
	maxAheadDifference = int64(2e9) // by which one reading of a clock of seconds can be off, with the way
)

// flow makes a record of the values of one, if it is one of a flow.
func (d *Decoder) flow() {
	v, r := &d.values, &d.record
	*r = flow.Record{Time: d.at}
	if !d.ends() || !d.event() {
		d.stats.Ignored++
		return
	}
	d.counts()
	if r.Proto == capture.ProtoTCP {
		d.flags()
	}
	d.times()
	if r.Sampling = v.sampling(); r.Sampling == 0 {
		r.Sampling = d.domain.rate(v.number[samplerID], v.told(samplerID))
	}
	d.orient()
	d.continues()
	d.give()
}

// ends reads addresses, protocol, and ports or ICMP type. It reports false where
// they are not those of a flow that packets could show.
func (d *Decoder) ends() bool {
	v, r := &d.values, &d.record
	switch four := v.told(src4) && v.told(dst4); {
	case v.told(src6) && v.told(dst6) && !(four && v.addr[src6].IsUnspecified()):
		r.Src, r.Dst = v.addr[src6], v.addr[dst6]
	case four:
		r.Src, r.Dst = v.addr[src4], v.addr[dst4]
	default:
		return false
	}
	if !v.told(protocol) {
		return false
	}
	switch r.Proto = capture.Proto(min(v.number[protocol], math.MaxUint8)); r.Proto {
	case capture.ProtoTCP, capture.ProtoUDP:
		r.SrcPort, r.DstPort = v.port(srcPort), v.port(dstPort)
		return true
	case capture.ProtoICMP, capture.ProtoICMPv6:
		r.Type, r.Code = v.icmp(r.Proto)
		return true
	}
	return false
}

// port returns the port of a slot, or 0.
func (v *values) port(s slot) uint16 {
	if !v.told(s) {
		return 0
	}
	return uint16(v.number[s])
}

// icmp returns type and code: in fields of their own, together in one, or in place
// of the destination's port.
func (v *values) icmp(proto capture.Proto) (kind, code uint8) {
	if v.told(icmpType) {
		if v.told(icmpCode) {
			code = uint8(v.number[icmpCode])
		}
		return uint8(v.number[icmpType]), code
	}
	both := icmp4
	if proto == capture.ProtoICMPv6 {
		both = icmp6
	}
	n := v.port(dstPort)
	if v.told(both) {
		n = uint16(v.number[both])
	}
	return uint8(n >> 8), uint8(n)
}

// event reads what a firewall or router has done, and reports false of what tells
// of no packets: that a translation was made, or that a connection which will be
// told of at its end was let through.
func (d *Decoder) event() bool {
	v, r := &d.values, &d.record
	if v.told(natEvent) && v.number[natEvent] != 0 {
		return false
	}
	if v.told(firewallEvent) {
		switch v.number[firewallEvent] {
		case firewallCreated, firewallAlert:
			return false
		case firewallDenied:
			r.State = flow.StateSilent
			r.Facts |= flow.Oriented
		}
	}
	if v.told(forwarding) {
		switch n := v.number[forwarding] & math.MaxUint8; {
		case n == droppedByPolicer, n == droppedByQueue: // some of its packets
		case n>>6 == forwardingDropped:
			r.State = flow.StateSilent
		}
	}
	return true
}

// counts reads how much went either way.
func (d *Decoder) counts() {
	v, r := &d.values, &d.record
	switch {
	case v.told(outPackets) || v.told(outPayload):
		d.payload()
		return
	case v.told(packets) || v.told(octets):
		r.Count(&r.Out, v.count(packets), v.count(octets))
	default:
		r.Count(&r.Out, v.count(postPackets), v.count(postOctets))
	}
	if v.told(backPackets) || v.told(backOctets) {
		r.Count(&r.Back, v.count(backPackets), v.count(backOctets))
		r.Facts |= flow.Both
	}
}

// payload reads what the one who began and the other have sent, in payload. Where
// packets are not counted, nothing from the other may be an answer all the same.
func (d *Decoder) payload() {
	v, r := &d.values, &d.record
	r.Out.CountPayload(max(1, v.count(outPackets)), v.count(outPayload))
	r.Back.CountPayload(v.count(backPackets), v.count(backPayload))
	r.Facts |= flow.Both | flow.Oriented
	if !v.told(backPackets) && r.Back.Packets == 0 && r.State == flow.StateUnknown {
		r.Facts |= flow.OneWay
	}
}

// count returns a number, or 0 where it is not told.
func (v *values) count(s slot) uint64 {
	if !v.told(s) {
		return 0
	}
	return v.number[s]
}

// flags reads those of TCP. Some exporters have the field and never fill it in:
// none at all are taken for a NULL probe of those alone that do.
func (d *Decoder) flags() {
	v, r := &d.values, &d.record
	r.Out.Flags = capture.Flags(v.count(tcpFlags)) // of 16 bits, the lower are those of 8
	r.Back.Flags = capture.Flags(v.count(backFlags))
	d.flagged(v.told(tcpFlags))
	if r.Facts.Has(flow.Both) && !v.told(backFlags) && r.Back.Packets > 0 {
		r.Out.Flags = 0 // of one way, or of both together: of no use
		r.Facts |= flow.NoFlags
	}
}

// flagged notes whether a record's flags are told.
func (d *Decoder) flagged(told bool) {
	r := &d.record
	if r.Out.Flags|r.Back.Flags != 0 {
		d.domain.flagged = true
	}
	if !told || !d.domain.flagged {
		r.Facts |= flow.NoFlags
	}
}

// times reads when the flow began. The exporter's clock may be wrong: what counts
// is how long before the datagram that was, by the same clock.
func (d *Decoder) times() {
	age, duration := d.age()
	begin(&d.record, age, duration)
}

// begin sets the start of a flow that began so long before the datagram, and has
// lasted so long, both in nanoseconds. An age that cannot be is that of a file, or
// of a clock that was set since: then only the duration tells.
func begin(r *flow.Record, age, duration int64) {
	if age > maxAge {
		age = 0
	}
	r.Start = r.Time - min(max(age, duration, 0), maxAge)
}

// age returns how long before the datagram a flow began, below 0 where that is not
// told, and how long the flow has lasted, both in nanoseconds.
func (d *Decoder) age() (age, duration int64) {
	v := &d.values
	age = -1
	switch {
	case v.told(durationMilli):
		duration = int64(min(v.number[durationMilli], maxMilli)) * milli
	case v.told(durationMicro):
		duration = int64(min(v.number[durationMicro], maxMilli)) * 1000
	}
	if v.told(startDelta) {
		return int64(min(v.number[startDelta], maxMilli)) * 1000, duration
	}
	if d.version == 9 && v.told(startUptime) {
		if v.told(endUptime) {
			duration = upMilli(uint32(v.number[endUptime]) - uint32(v.number[startUptime]))
		}
		return upMilli(d.export.uptime - uint32(v.number[startUptime])), duration
	}
	start, ok := d.instant(startUptime, startSeconds)
	if !ok {
		return age, duration
	}
	if end, ok := d.instant(endUptime, endSeconds); ok {
		duration = end - start
		d.refine(end)
	}
	return d.at - d.domain.ahead - start, duration
}

// upMilli returns a difference of two system uptimes in nanoseconds. They are
// counted in milliseconds, and begin anew after 49 days.
func upMilli(difference uint32) int64 { return int64(int32(difference)) * milli }

// instant returns a time by the exporter's clock, in nanoseconds since 1970: of its
// system's uptime, or of the slot of seconds or one of the finer ones behind it.
func (d *Decoder) instant(uptime, seconds slot) (ns int64, ok bool) {
	v := &d.values
	if ns, ok := v.instant(seconds); ok || !v.told(uptime) {
		return ns, ok
	}
	came := d.domain.initTime
	if v.told(initTime) {
		came = int64(min(v.number[initTime], maxMilli))
	}
	return (came + int64(uint32(v.number[uptime]))) * milli, came != 0
}

// instant returns the time of first, which is startSeconds or endSeconds, or of the
// finer ones behind it.
func (v *values) instant(first slot) (ns int64, ok bool) {
	step := startMilli - startSeconds
	switch seconds, ms, micro, nano := first, first+step, first+2*step, first+3*step; {
	case v.told(ms):
		return int64(min(v.number[ms], maxMilli)) * milli, true
	case v.told(micro):
		return ntp(v.number[micro]), true
	case v.told(nano):
		return ntp(v.number[nano]), true
	case v.told(seconds):
		return int64(min(v.number[seconds], math.MaxUint32)) * 1e9, true
	}
	return 0, false
}

// ntp converts 32 bits of seconds since 1900 and 32 of their fraction (RFC 7011, 6.1.9).
func ntp(n uint64) int64 {
	return (int64(n>>32)-secondsTo1970)*1e9 + int64(n&math.MaxUint32)*1e9>>32
}

// clock reckons how far the exporter's clock of seconds is behind ours. A datagram
// says when it was sent in whole seconds: the least difference is the nearest.
func (d *Decoder) clock() {
	ahead := d.at - d.export.time*milli
	old := d.domain.ahead
	if !d.domain.clocked || ahead < old || ahead > old+maxAheadDifference {
		d.domain.ahead, d.domain.clocked = ahead, true
	}
}

// refine corrects how far the clock is behind by a flow that ended since: no flow
// ends after it was told of.
func (d *Decoder) refine(end int64) {
	if late := end - (d.at - d.domain.ahead); late > 0 && late < maxAheadDifference {
		d.domain.ahead -= late
	}
}

// continues notes a flow that will be told of again, and says of one that was told
// of before that it is the same.
func (d *Decoder) continues() {
	v, r := &d.values, &d.record
	active := v.told(endReason) && v.number[endReason] == endActive ||
		v.told(firewallEvent) && v.number[firewallEvent] == firewallUpdate
	if (v.told(endReason) || v.told(firewallEvent)) && d.going.tell(d.domain.key.exporter, r, active) {
		r.Facts |= flow.Continued
	}
}

// orient turns a record of both ways round, if its source is who answers. Unless it
// says who began, that is open: softflowd takes the lower address for the source.
func (d *Decoder) orient() {
	v, r := &d.values, &d.record
	if v.told(biflow) {
		switch v.number[biflow] {
		case biflowInitiator:
			r.Facts |= flow.Oriented
		case biflowReverse:
			r.Turn()
			r.Facts |= flow.Oriented
		}
	}
	if !r.Facts.Has(flow.Both) || r.Facts.Has(flow.Oriented) {
		return
	}
	if r.Out.Packets == 0 && r.Back.Packets > 0 {
		r.Turn()
	}
	if r.Back.Packets == 0 && (r.Proto == capture.ProtoICMP || r.Proto == capture.ProtoICMPv6) {
		r.Facts &^= flow.Both // by its type, the answer is another flow to some
	}
}
