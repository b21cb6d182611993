package flow

import (
	"bytes"
	"time"

	"edgescan/capture"
)

// What is read of Zeek's conn.log.
const (
	zeekStart = iota
	zeekSrc
	zeekSrcPort
	zeekDst
	zeekDstPort
	zeekProto
	zeekDuration
	zeekOutPayload
	zeekBackPayload
	zeekState
	zeekHistory
	zeekOutPackets
	zeekOutBytes
	zeekBackPackets
	zeekBackBytes
)

var zeekNames = map[string]int8{
	"ts": zeekStart, "id.orig_h": zeekSrc, "id.orig_p": zeekSrcPort, "id.resp_h": zeekDst, "id.resp_p": zeekDstPort,
	"proto": zeekProto, "duration": zeekDuration, "orig_bytes": zeekOutPayload, "resp_bytes": zeekBackPayload,
	"conn_state": zeekState, "history": zeekHistory,
	"orig_pkts": zeekOutPackets, "orig_ip_bytes": zeekOutBytes, "resp_pkts": zeekBackPackets, "resp_ip_bytes": zeekBackBytes,
}

// zeekNeeded are the fields without which a log is none of connections.
var zeekNeeded = [...]int{zeekStart, zeekSrc, zeekSrcPort, zeekDst, zeekDstPort, zeekProto, zeekState}

// zeekStates are the values of conn_state that say how a TCP connection was
// answered, where history does not.
var zeekStates = map[string]State{
	"S0": StateSilent, "RSTOS0": StateSilent, "SH": StateSilent,
	"REJ": StateRefused,
	"S1":  StateAnswered, "S2": StateAnswered, "S3": StateAnswered, "SF": StateAnswered, "RSTO": StateAnswered, "RSTR": StateAnswered,
}

// zeek reads what is the same in both forms of a conn.log.
type zeek struct {
	has     *[maxWanted]bool
	value   *[maxWanted][]byte
	unset   []byte // what stands for a value that is not known
	written *written
}

// told returns a field, and whether Zeek knew it.
func (z zeek) told(which int) ([]byte, bool) {
	if !z.has[which] {
		return nil, false
	}
	b := z.value[which]
	return b, len(b) > 0 && !bytes.Equal(b, z.unset) && string(b) != "(empty)"
}

// count returns a number, 0 where it is not told.
func (z zeek) count(which int) (n uint64, ok bool) {
	b, told := z.told(which)
	if !told {
		return 0, true
	}
	return number(b)
}

func (z zeek) record(r *Record) (bool, error) {
	proto, told := z.told(zeekProto)
	if !told {
		return false, errMalformed
	}
	switch r.Proto, _ = protocol(proto); r.Proto {
	case capture.ProtoTCP, capture.ProtoUDP, capture.ProtoICMP:
	default: // Zeek calls both versions of ICMP icmp
		return false, nil
	}
	if !z.times(r) || !z.ends(r) || !z.counts(r) {
		return false, errMalformed
	}
	r.Facts |= Oriented | Both
	state, _ := z.told(zeekState)
	switch r.Proto {
	case capture.ProtoTCP:
		if !z.tcp(r, state) {
			return false, nil
		}
	case capture.ProtoUDP:
		if string(state) == "SF" {
			r.State = StateAnswered // of S0, an ICMP error may tell more
		}
	}
	return r.Out.Packets > 0 || r.Back.Packets > 0, nil
}

// times reads when a connection began, and for how long it went.
func (z zeek) times(r *Record) (ok bool) {
	start, _ := z.told(zeekStart)
	if len(start) > 4 && start[4] == '-' {
		r.Start, ok = isoTime(start)
	} else {
		r.Start, ok = epoch(start)
	}
	end := r.Start
	if duration, told := z.told(zeekDuration); ok && told {
		var ns int64
		ns, ok = interval(duration)
		end += min(ns, int64(24*time.Hour))
	}
	r.Time = z.written.at(end)
	return ok
}

// interval reads seconds, which Zeek's JSON writes as 9.5367431640625e-7 where they
// are few.
func interval(b []byte) (int64, bool) {
	mantissa, exponent, ok := bytes.Cut(b, []byte("e-"))
	ns, ok1 := seconds(mantissa)
	if !ok {
		return ns, ok1
	}
	n, ok2 := number(exponent)
	for ; n > 0 && ns > 0; n-- {
		ns /= 10
	}
	return ns, ok1 && ok2
}

// ends reads addresses, and ports or ICMP type and code, which Zeek tells as ports.
func (z zeek) ends(r *Record) bool {
	src, ok1 := address(z.value[zeekSrc])
	dst, ok2 := address(z.value[zeekDst])
	from, ok3 := port(z.value[zeekSrcPort])
	to, ok4 := port(z.value[zeekDstPort])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return false
	}
	r.Src, r.Dst = src, dst
	if r.Proto != capture.ProtoICMP {
		r.SrcPort, r.DstPort = from, to
		return true
	}
	if !src.Is4() {
		r.Proto = capture.ProtoICMPv6
	}
	r.Type, r.Code = uint8(from), uint8(to)
	return from <= 255 && to <= 255
}

// counts reads what went either way.
func (z zeek) counts(r *Record) bool {
	return z.half(r, &r.Out, zeekOutPackets, zeekOutBytes, zeekOutPayload) && z.half(r, &r.Back, zeekBackPackets, zeekBackBytes, zeekBackPayload)
}

// half reads what went one way. Payload is told where it is known; logs can be made
// without packets and their bytes.
func (z zeek) half(r *Record, h *Half, packets, octets, payload int) bool {
	n, ok1 := z.count(packets)
	bytes, ok2 := z.count(octets)
	carried, ok3 := z.count(payload)
	if !ok1 || !ok2 || !ok3 {
		return false
	}
	r.Count(h, n, bytes)
	if _, told := z.told(payload); told {
		h.CountPayload(n, carried)
	}
	if h == &r.Out && !z.has[packets] && h.Packets == 0 {
		h.Packets, h.Data = 1, r.Proto == capture.ProtoUDP // as most datagrams
	}
	return true
}

// tcp reads how a connection of TCP was answered, and reports whether it tells of one.
// History is surer than the state: Zeek calls a FIN that nobody answers SH, and one
// that a RST answers RSTR, as if there had been a connection.
func (z zeek) tcp(r *Record, state []byte) bool {
	if !z.has[zeekHistory] {
		r.Facts |= NoFlags
		r.State = zeekStates[string(state)]
		return true
	}
	history, _ := z.told(zeekHistory)
	for _, c := range history {
		r.letter(c)
	}
	out, back := &r.Out, &r.Back
	switch began := bytes.IndexByte(history, 'S') >= 0; {
	case !began && bytes.IndexByte(history, 'H') >= 0: // Zeek takes who answers for who began, if it sees no SYN
		r.Turn()
		r.State = StateAnswered
	case out.Flags|back.Flags == capture.RST && (out.Packets == 0 || back.Packets == 0):
		return false // the end of what was told before, or of what was never seen
	case string(state) == "REJ", string(state) == "RSTOS0":
		r.State = zeekStates[string(state)]
	case out.Flags == capture.FIN && uint64(out.Bytes) > uint64(out.Packets)*r.headers(bareTCP):
		out.Flags |= capture.ACK // which history does not tell of: with options, it is in a connection
	case out.Flags&(capture.SYN|capture.ACK) == 0 && back.Flags&(capture.SYN|capture.ACK|capture.FIN) != 0:
		out.Flags |= capture.ACK // nobody answers a probe so
	}
	return true
}

// letter reads a letter of history, which tells of a kind of packet: a capital is from
// who began.
func (r *Record) letter(c byte) {
	flags := zeekFlags(c | 0x20)
	if flags == 0 {
		return
	}
	half := &r.Back
	if c&0x20 == 0 {
		half = &r.Out
	}
	half.Flags |= flags
	half.Packets = max(half.Packets, 1)
	half.Data = half.Data || c|0x20 == 'd'
}

// zeekFlags returns what flags a letter of history tells of.
func zeekFlags(letter byte) capture.Flags {
	switch letter {
	case 's':
		return capture.SYN
	case 'h':
		return capture.SYN | capture.ACK
	case 'a', 'd', 't':
		return capture.ACK
	case 'f':
		return capture.FIN
	case 'r':
		return capture.RST
	case 'i':
		return capture.FIN | capture.RST
	case 'q':
		return capture.SYN | capture.FIN
	}
	return 0
}

// zeekTSV reads a conn.log in Zeek's own form, whose columns a line #fields names.
type zeekTSV struct {
	headed
	unset   []byte // see zeek
	other   bool   // what follows is another log
	written written
}

func detectZeekTSV(line []byte) format {
	f := &zeekTSV{unset: []byte{'-'}, other: true}
	if f.sign(line) && string(f.unset) != "-" { // which comes before the columns
		return f
	}
	if !f.begins(line) || f.other {
		return nil
	}
	return f
}

// sign reads the line that says what stands for values that are not known, if line is
// one.
func (f *zeekTSV) sign(line []byte) bool {
	unset, ok := bytes.CutPrefix(line, []byte("#unset_field"))
	if !ok || len(unset) == 0 {
		return false
	}
	f.unset = append(f.unset[:0], unset[1:]...)
	return true
}

// begins reads a line that names columns, if line is one.
func (f *zeekTSV) begins(line []byte) bool {
	names, ok := bytes.CutPrefix(line, []byte("#fields"))
	if !ok || len(names) == 0 {
		return false
	}
	f.header(names[1:], names[0], zeekNames)
	f.other = false
	for _, which := range zeekNeeded {
		f.other = f.other || !f.has[which]
	}
	return true
}

func (f *zeekTSV) parse(line []byte, r *Record) (bool, error) {
	if len(line) == 0 || line[0] == '#' {
		if !f.sign(line) {
			f.begins(line)
		}
		return false, nil
	}
	if f.other {
		return false, nil
	}
	if !f.row(line) {
		return false, errMalformed
	}
	return zeek{&f.has, &f.value, f.unset, &f.written}.record(r)
}

// zeekJSON reads a conn.log of Zeek's JSON, which leaves out what is not known.
type zeekJSON struct {
	object
	historied bool // history was told: where there is none, no flag was set
	written   written
}

func detectZeekJSON(line []byte) format {
	f := &zeekJSON{object: object{known: zeekNames}}
	if !f.read(line) || !f.complete() {
		return nil
	}
	return f
}

var jsonNull = []byte("null")

// complete reports whether the line that was read is of a connection.
func (f *zeekJSON) complete() bool {
	for _, which := range zeekNeeded {
		if !f.has[which] {
			return false
		}
	}
	return true
}

func (f *zeekJSON) parse(line []byte, r *Record) (bool, error) {
	switch {
	case len(line) == 0:
		return false, nil
	case !f.read(line):
		return false, errMalformed
	case !f.complete():
		return false, nil // of another log
	}
	f.historied = f.historied || f.has[zeekHistory]
	if !f.has[zeekHistory] {
		f.has[zeekHistory], f.value[zeekHistory] = f.historied, nil
	}
	return zeek{&f.has, &f.value, jsonNull, &f.written}.record(r)
}
