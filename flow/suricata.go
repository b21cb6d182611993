package flow

import "edgescan/capture"

// What is read of Suricata's EVE.
const (
	eveEvent = iota
	eveTime
	eveSrc
	eveSrcPort
	eveDst
	eveDstPort
	eveProto
	eveType
	eveCode
	eveStart
	eveEnd
	eveOutPackets
	eveBackPackets
	eveOutBytes
	eveBackBytes
	eveOutFlags
	eveBackFlags
	evePackets
	eveBytes
	eveFlags
	eveState
	eveSession
)

var eveNames = map[string]int8{
	"event_type": eveEvent, "timestamp": eveTime,
	"src_ip": eveSrc, "src_port": eveSrcPort, "dest_ip": eveDst, "dest_port": eveDstPort, "proto": eveProto,
	"icmp_type": eveType, "icmp_code": eveCode,
	"flow.start": eveStart, "flow.end": eveEnd, "netflow.start": eveStart, "netflow.end": eveEnd,
	"flow.pkts_toserver": eveOutPackets, "flow.pkts_toclient": eveBackPackets,
	"flow.bytes_toserver": eveOutBytes, "flow.bytes_toclient": eveBackBytes,
	"tcp.tcp_flags_ts": eveOutFlags, "tcp.tcp_flags_tc": eveBackFlags,
	"netflow.pkts": evePackets, "netflow.bytes": eveBytes, "tcp.tcp_flags": eveFlags,
	"flow.state": eveState, "tcp.state": eveSession,
}

// suricata reads the events flow and netflow of Suricata's EVE JSON; a log may
// have any others. flow tells of both ways at once, netflow of one in each event.
type suricata struct {
	object
	written written
}

func detectSuricata(line []byte) format {
	f := &suricata{object: object{known: eveNames}}
	if !f.read(line) || !f.has[eveEvent] || !f.has[eveTime] {
		return nil
	}
	return f
}

func (f *suricata) parse(line []byte, r *Record) (bool, error) {
	switch {
	case len(line) == 0:
		return false, nil
	case !f.read(line):
		return false, errMalformed
	}
	event := string(f.value[eveEvent])
	if !f.has[eveEvent] || event != "flow" && event != "netflow" {
		return false, nil
	}
	if r.Proto, _ = protocol(f.told(eveProto)); r.Proto == capture.ProtoNone || r.Proto == capture.ProtoARP {
		return false, nil
	}
	if !f.times(r) || !f.ends(r) {
		return false, errMalformed
	}
	counts := f.flow
	if event == "netflow" {
		counts = f.netflow
	}
	switch {
	case !counts(r):
		return false, errMalformed
	case event == "flow" && !f.answer(r):
		return false, nil
	}
	return r.Out.Packets > 0 || r.Back.Packets > 0, nil
}

// told returns a value, empty where there is none.
func (f *suricata) told(which int) []byte {
	if !f.has[which] {
		return nil
	}
	return f.value[which]
}

// times reads when a flow began, and when it was written: when nothing had come for
// a while. Of captures, that is some other time.
func (f *suricata) times(r *Record) bool {
	start, ok1 := isoTime(f.told(eveStart))
	end, ok2 := isoTime(f.told(eveEnd))
	r.Start, r.Time = start, max(start, end)
	if at, ok := isoTime(f.told(eveTime)); ok && at > r.Time && at <= r.Time+mostHeld {
		r.Time = at
	}
	r.Time = f.written.at(r.Time)
	return ok1 && ok2
}

// ends reads addresses, and ports or ICMP type.
func (f *suricata) ends(r *Record) bool {
	var ok1, ok2, ok3, ok4 bool
	r.Src, ok1 = address(f.told(eveSrc))
	r.Dst, ok2 = address(f.told(eveDst))
	if isICMP(r.Proto) {
		r.Type, ok3 = octet(f.told(eveType))
		r.Code, ok4 = octet(f.told(eveCode))
	} else {
		r.SrcPort, ok3 = port(f.told(eveSrcPort))
		r.DstPort, ok4 = port(f.told(eveDstPort))
	}
	return ok1 && ok2 && ok3 && ok4
}

// flow reads an event of both ways.
func (f *suricata) flow(r *Record) bool {
	r.Facts |= Oriented | Both
	return f.half(r, &r.Out, eveOutPackets, eveOutBytes, eveOutFlags) && f.half(r, &r.Back, eveBackPackets, eveBackBytes, eveBackFlags)
}

// netflow reads an event of one way.
func (f *suricata) netflow(r *Record) bool {
	return f.half(r, &r.Out, evePackets, eveBytes, eveFlags)
}

// answer says how a flow of both ways was answered, where counts and flags do not, and
// reports whether it tells of one. Suricata counts ICMP errors of IPv4 among the
// packets of the flow that they are about.
func (f *suricata) answer(r *Record) bool {
	out, back := &r.Out, &r.Back
	switch {
	case r.Proto == capture.ProtoUDP && back.Packets > 0 && string(f.told(eveState)) == "new":
		r.State = StateRefused
	case r.Proto != capture.ProtoTCP || r.Facts.Has(NoFlags):
	case back.Packets > 0 && back.Flags == 0 && out.Flags&(capture.SYN|capture.ACK) == capture.SYN:
		r.State = StateRefused
	case out.Flags|back.Flags == 0 && !f.has[eveSession]:
		return r.sessionless()
	}
	return true
}

// sessionless judges a flow of TCP that Suricata has followed no session of, because it
// did not begin with a SYN: FIN, NULL, XMAS and ACK probes, and connections that were
// there before. It does not tell flags of them: the answer to a probe has the size of a
// RST, or there is none. It reports whether the flow tells of anything: not the last
// segments of a connection, or answers to what was not seen, such as those of the victim
// of a flood from forged addresses.
func (r *Record) sessionless() bool {
	out, back := &r.Out, &r.Back
	r.Facts |= NoFlags
	switch least := max(padded, r.headers(bareTCP)); {
	case out.Data || back.Data:
		r.State = StateAnswered
		r.Facts &^= Oriented // Suricata takes whose segment comes first for who began
	case back.Packets == 0 && portRank(r.DstPort) > portRank(r.SrcPort):
		return false
	case out.Packets > 0 && out.Packets < talking && back.Packets <= out.Packets && uint64(back.Bytes) <= least*uint64(back.Packets):
		r.State = StateOdd
	default:
		return false
	}
	return true
}

// half reads what went one way. Bytes are those of frames.
func (f *suricata) half(r *Record, h *Half, packets, octets, flags int) bool {
	n, ok1 := number(f.told(packets))
	frames, ok2 := number(f.told(octets))
	if !ok1 || !ok2 {
		return false
	}
	r.Count(h, n, frames-min(frames, n*linkHeader))
	if r.Proto != capture.ProtoTCP {
		return true
	}
	if !f.has[flags] {
		r.Facts |= NoFlags
		return true
	}
	bits, digits := hexadecimal(f.value[flags])
	h.Flags = capture.Flags(bits)
	if flags == eveFlags && bits == 0 {
		r.Facts |= NoFlags // no session was followed, see sessionless
	}
	return digits == len(f.value[flags]) && bits <= 0xff
}
