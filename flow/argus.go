package flow

import (
	"bytes"
	"strconv"
	"time"

	"edgescan/capture"
)

// The columns of Argus' ra, in the order of `-s stime,ltime,dur,...`.
const (
	argusStart = iota
	argusEnd
	argusDuration
	argusProto
	argusSrc
	argusSrcPort
	argusDir
	argusDst
	argusDstPort
	argusPackets
	argusBytes
	argusSrcPackets
	argusDstPackets
	argusSrcBytes
	argusDstBytes
	argusSrcApp
	argusDstApp
	argusState
)

var argusColumns = map[string]int8{
	"StartTime": argusStart, "LastTime": argusEnd, "Dur": argusDuration, "Proto": argusProto,
	"SrcAddr": argusSrc, "Sport": argusSrcPort, "Dir": argusDir, "DstAddr": argusDst, "Dport": argusDstPort,
	"TotPkts": argusPackets, "TotBytes": argusBytes,
	"SrcPkts": argusSrcPackets, "DstPkts": argusDstPackets, "SrcBytes": argusSrcBytes, "DstBytes": argusDstBytes,
	"SAppBytes": argusSrcApp, "DAppBytes": argusDstApp,
	"State": argusState,
}

const (
	linkHeader   = 14          // bytes of Ethernet, which Argus counts
	padded       = 60 - 14     // bytes of IP in the least frame of Ethernet
	statusWithin = time.Minute // of the record before, one of the same flow goes on with it
	argusFlows   = 1024        // of which it is remembered that they were told
)

// argus reads what `ra -c , -n -u` writes, with any other separator and columns,
// as long as times have a date. The flags of TCP are told with `-Z b`. Argus tells
// of a long flow every few seconds.
type argus struct {
	headed
	told [argusFlows]struct {
		key
		until int64
	}
}

func detectArgus(line []byte) format {
	f := new(argus)
	if !f.begins(line) {
		return nil
	}
	return f
}

// begins reads a header line, if line is one. The separator is what stands behind
// the first column.
func (f *argus) begins(line []byte) bool {
	first := []byte("StartTime")
	if !bytes.Contains(line, first) || !bytes.Contains(line, []byte("SrcAddr")) {
		return false
	}
	name := bytes.TrimLeft(line, " ")
	at := bytes.IndexFunc(name, func(c rune) bool { return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') })
	if at < 0 || name[at] == ' ' {
		return false // columns of a terminal, where long addresses are cut off
	}
	var h headed
	h.header(line, name[at], argusColumns)
	for _, which := range [...]int{argusStart, argusProto, argusSrc, argusSrcPort, argusDir, argusDst, argusDstPort, argusState} {
		if !h.has[which] {
			return false
		}
	}
	if !h.has[argusPackets] && (!h.has[argusSrcPackets] || !h.has[argusDstPackets]) {
		return false
	}
	f.headed = h
	return true
}

func (f *argus) parse(line []byte, r *Record) (bool, error) {
	if len(line) == 0 || f.begins(line) {
		return false, nil
	}
	if !f.row(line) {
		return false, errMalformed
	}
	switch string(f.value[argusProto]) {
	case "rtp", "rtcp", "udt": // what Argus takes datagrams for
		r.Proto = capture.ProtoUDP
	default:
		r.Proto, _ = protocol(f.value[argusProto])
	}
	if r.Proto == capture.ProtoNone || r.Proto == capture.ProtoARP {
		return false, nil
	}
	if !f.times(r) || !f.ends(r) || !f.counts(r) {
		return false, errMalformed
	}
	r.Facts |= Both
	f.answer(r)
	f.direct(r)
	f.goesOn(r)
	return true, nil
}

// times reads when the flow was. A time of day alone is none: ra wants -u.
func (f *argus) times(r *Record) (ok bool) {
	if r.Start, ok = argusTime(f.value[argusStart]); !ok {
		return false
	}
	r.Time = r.Start
	switch {
	case f.has[argusEnd]:
		r.Time, ok = argusTime(f.value[argusEnd])
	case f.has[argusDuration]:
		var duration int64
		duration, ok = seconds(f.value[argusDuration])
		r.Time += min(duration, int64(24*time.Hour))
	}
	r.Time = max(r.Time, r.Start)
	return ok
}

// argusTime reads seconds since 1970, or a date with time.
func argusTime(b []byte) (int64, bool) {
	if len(b) > 4 && (b[4] == '-' || b[4] == '/') {
		return localTime(b)
	}
	return seconds(b)
}

// ends reads the addresses, and ports or ICMP type.
func (f *argus) ends(r *Record) (ok bool) {
	if r.Src, ok = address(f.value[argusSrc]); !ok {
		return false
	}
	if r.Dst, ok = address(f.value[argusDst]); !ok {
		return false
	}
	if isICMP(r.Proto) { // 0x0103: code and type; of ICMPv6 the type alone
		n, err := strconv.ParseUint(string(f.value[argusSrcPort]), 0, 16)
		r.Type, r.Code = uint8(n), uint8(n>>8)
		return err == nil
	}
	if r.SrcPort, ok = argusPort(f.value[argusSrcPort]); !ok {
		return false
	}
	r.DstPort, ok = argusPort(f.value[argusDstPort])
	return ok
}

// argusPort reads a port, decimal or hexadecimal. Fragments have none.
func argusPort(b []byte) (uint16, bool) {
	if n, ok := port(b); ok || len(b) == 0 {
		return n, true
	}
	n, err := strconv.ParseUint(string(b), 0, 16)
	return uint16(n), err == nil
}

// counts reads packets and bytes. If only those of both directions together are
// told, half of them went either way, if any did.
func (f *argus) counts(r *Record) bool {
	var n [argusState]uint64
	for which := argusPackets; which < argusState; which++ {
		if !f.has[which] {
			continue
		}
		var ok bool
		if n[which], ok = number(f.value[which]); !ok {
			return false
		}
	}
	if !f.has[argusDstBytes] && n[argusBytes] > n[argusSrcBytes] {
		n[argusDstBytes] = n[argusBytes] - n[argusSrcBytes]
	}
	if !f.has[argusSrcPackets] || !f.has[argusDstPackets] {
		out, back := true, f.twoWay(r)
		if f.has[argusSrcBytes] {
			out, back = n[argusSrcBytes] > 0, n[argusDstBytes] > 0
		}
		n[argusSrcPackets], n[argusDstPackets] = share(n[argusPackets], out, back)
		if !f.has[argusSrcBytes] {
			r.together(n[argusSrcPackets], n[argusDstPackets], bare(n[argusBytes], n[argusPackets]))
			return true
		}
	}
	r.Count(&r.Out, n[argusSrcPackets], bare(n[argusSrcBytes], n[argusSrcPackets]))
	r.Count(&r.Back, n[argusDstPackets], bare(n[argusDstBytes], n[argusDstPackets]))
	if f.has[argusSrcApp] && f.has[argusDstApp] && n[argusSrcApp]+n[argusDstApp] > 0 { // 0 as well where it was not looked at
		r.Out.Data, r.Back.Data = n[argusSrcApp] > 0, n[argusDstApp] > 0
	}
	return true
}

// together counts what went both ways where bytes are not told apart. Whether there was
// payload follows from what two packets that begin a connection, and others, have.
func (r *Record) together(out, back, octets uint64) {
	r.Count(&r.Out, out, 0)
	r.Count(&r.Back, back, 0)
	data := false
	switch r.Proto {
	case capture.ProtoTCP:
		data = octets > 2*mostSYN+(max(out+back, 2)-2)*mostTCP
	case capture.ProtoUDP:
		data = octets > (out+back)*bareUDP
	}
	r.Out.Data = r.Out.Data || data && out > 0
	r.Back.Data = r.Back.Data || data && back > 0
}

// bare takes the link headers away.
func bare(octets, packets uint64) uint64 {
	if octets < packets*linkHeader {
		return 0
	}
	return octets - packets*linkHeader
}

// share divides packets between the directions that there were.
func share(packets uint64, out, back bool) (uint64, uint64) {
	switch {
	case out && back:
		return max(1, (packets+1)/2), max(1, packets/2)
	case back:
		return 0, packets
	}
	return packets, 0
}

// twoWay says whether packets went both ways, where they are not counted apart.
func (f *argus) twoWay(r *Record) bool {
	if out, back, ok := f.flags(); ok && r.Proto == capture.ProtoTCP {
		return out != 0 && back != 0
	}
	if r.Proto != capture.ProtoTCP {
		return bytes.Contains(f.value[argusDir], []byte("<")) && bytes.Contains(f.value[argusDir], []byte(">"))
	}
	switch string(f.value[argusState]) {
	case "REQ", "INT":
		return false
	}
	return true
}

// flags reads the flags of both directions, as ra -Z b has them for a state:
// FSPA_FSPA.
func (f *argus) flags() (out, back capture.Flags, ok bool) {
	a, b, ok := bytes.Cut(f.value[argusState], []byte{'_'})
	return flagLetters(a), flagLetters(b), ok
}

// answer says how the flow was answered, as far as Argus tells.
func (f *argus) answer(r *Record) {
	if r.Proto != capture.ProtoTCP {
		return
	}
	if out, back, ok := f.flags(); ok {
		r.Out.Flags, r.Back.Flags = out, back
		r.Out.Data = r.Out.Data && out&capture.ACK != 0 // several SYNs are no data
		return
	}
	r.Facts |= NoFlags
	began := !bytes.Contains(f.value[argusDir], []byte("?"))
	switch string(f.value[argusState]) {
	case "REQ":
		r.State = StateSilent
	case "RST":
		r.State = reset(r, began)
	case "ACC", "EST", "CON", "FIN", "CLO":
		r.State = StateAnswered
		if !began {
			r.Facts |= Continued // no SYN was seen
		}
	}
}

// reset is the state of a flow that ended with a RST. Who is refused sends no more
// packets than come back; they are smaller than what accepts.
func reset(r *Record, began bool) State {
	out, back := &r.Out, &r.Back
	empty := uint64(back.Bytes) <= max(padded, r.headers(bareTCP))*uint64(back.Packets)
	switch {
	case !began && !out.Data && empty && back.Packets > 0 && out.Packets < talking:
		return StateOdd
	case began && !out.Data && empty && back.Packets > 0 && out.Packets <= back.Packets:
		return StateRefused
	}
	return StateAnswered
}

// direct turns a record whose destination began.
func (f *argus) direct(r *Record) {
	dir := f.value[argusDir]
	left, right := bytes.Contains(dir, []byte("<")), bytes.Contains(dir, []byte(">"))
	if left && !right {
		if r.Proto == capture.ProtoTCP || r.Out.Packets == 0 {
			r.Turn()
		}
	}
	if !bytes.Contains(dir, []byte("?")) && r.Out.Packets > 0 {
		r.Facts |= Oriented
	}
}

// goesOn notes whether an earlier record has told of the same flow.
func (f *argus) goesOn(r *Record) {
	if r.Proto != capture.ProtoTCP || !r.Facts.Has(NoFlags) {
		return // the flags tell
	}
	k := keyOf(r)
	told := &f.told[k.slot()%argusFlows]
	if told.key == k && r.Start <= told.until+int64(statusWithin) && r.State == StateAnswered {
		r.Facts |= Continued
	}
	told.key, told.until = k, r.Time
}

// slot is a hash of a key.
func (k *key) slot() uint32 {
	h := uint32(2166136261)
	for i := range k.low {
		h = (h ^ uint32(k.low[i])) * 16777619
		h = (h ^ uint32(k.high[i])) * 16777619
	}
	h = (h ^ uint32(k.lowPort)) * 16777619
	h = (h ^ uint32(k.highPort)) * 16777619
	return h ^ h>>15
}
