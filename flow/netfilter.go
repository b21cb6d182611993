package flow

import (
	"bytes"
	"math"
	"time"

	"edgescan/capture"
)

// netfilter reads the lines that rules of iptables and nftables log, out of
// whatever else a syslog file, the journal or dmesg has. A line tells of one packet,
// and what became of it only by the words of its prefix: DROP and the like are
// silent, REJECT is refused; of others the answer cannot be known, as far as it is
// not logged as well.
type netfilter struct {
	now func() time.Time // in which year a time stamp without one is
}

func detectNetfilter(line []byte) format {
	f := netfilter{now: time.Now}
	var r Record
	if _, err := f.parse(line, &r); err != nil || r.Time == 0 || r.Proto == capture.ProtoNone {
		return nil
	}
	return f
}

// verdict is what a rule does with the packets that it logs.
type verdict uint8

const (
	passes verdict = iota // or it is not told
	drops
	rejects
)

// logged is one packet of a line.
type logged struct {
	src, dst, spt, dpt bool // are told
	kind               bool
	length             uint64
	proto              bool
}

func (f netfilter) parse(line []byte, r *Record) (bool, error) {
	body := bytes.Index(line, []byte(" SRC="))
	in := bytes.Index(line, []byte("IN="))
	if in < 0 || body < in || !bytes.Contains(line[body:], []byte(" PROTO=")) {
		return false, nil // another program's
	}
	var prefix []byte
	var ok bool
	if r.Time, prefix, ok = f.stamp(line[:in]); !ok {
		return false, errMalformed
	}
	r.Start = r.Time
	packet, quoted := line[body:], []byte(nil)
	if at := bytes.IndexByte(packet, '['); at >= 0 { // an ICMP error quotes what it answers
		packet, quoted = packet[:at], bytes.TrimPrefix(packet[at+1:], []byte("INCOMPLETE"))
	}
	p, ok := r.logged(packet)
	if !ok {
		return false, errMalformed
	}
	v := verdictOf(prefix)
	switch {
	case r.Proto == capture.ProtoNone || !p.whole(r):
		return false, nil
	case isICMP(r.Proto) && len(quoted) > 0:
		return v == passes && r.refusal(quoted), nil
	}
	r.Count(&r.Out, 1, p.length)
	return r.judge(v), nil
}

// whole reports whether all is told that a flow needs. Later fragments have no
// ports.
func (p *logged) whole(r *Record) bool {
	if isICMP(r.Proto) {
		return p.kind
	}
	return p.spt && p.dpt
}

// logged reads the fields of a packet.
func (r *Record) logged(fields []byte) (p logged, ok bool) {
	w := words{fields}
	for field := w.next(); len(field) > 0; field = w.next() {
		name, value, named := bytes.Cut(field, []byte{'='})
		if !named {
			if r.Proto == capture.ProtoTCP {
				r.Out.Flags |= flagNamed(field)
			}
			continue
		}
		switch string(name) {
		case "SRC":
			r.Src, p.src = address(value)
		case "DST":
			r.Dst, p.dst = address(value)
		case "LEN":
			if !p.proto { // UDP has another
				p.length, _ = number(value)
			}
		case "PROTO":
			r.Proto, p.proto = protocol(value)
		case "SPT":
			r.SrcPort, p.spt = port(value)
		case "DPT":
			r.DstPort, p.dpt = port(value)
		case "TYPE":
			r.Type, p.kind = octet(value)
		case "CODE":
			r.Code, _ = octet(value)
		}
	}
	return p, p.src && p.dst && p.proto
}

// refusal makes r, an ICMP error, a record of the flow that it quotes, and reports
// whether it refuses that.
func (r *Record) refusal(quoted []byte) bool {
	unreachable := r.Proto == capture.ProtoICMP && r.Type == capture.ICMPUnreachable && r.Code != fragmentNeeded ||
		r.Proto == capture.ProtoICMPv6 && r.Type == capture.ICMP6Unreachable
	q := Record{Time: r.Time, Start: r.Start, State: StateRefused}
	if p, ok := q.logged(quoted); !unreachable || !ok || q.Proto == capture.ProtoNone || !p.whole(&q) {
		return false
	}
	q.Out = Half{} // it was told before, or nobody logs it
	q.Facts = OneWay
	*r = q
	return true
}

const fragmentNeeded = 4 // code of an ICMP error that refuses nothing

// judge says what became of a packet, and reports whether it tells of a flow. Of
// what is dropped, an answer does not: nobody here has asked for it.
func (r *Record) judge(v verdict) bool {
	flags := r.Out.Flags
	if v == passes {
		r.Facts |= OneWay
		return true
	}
	switch r.Proto {
	case capture.ProtoTCP:
		if flags&capture.RST != 0 || flags&(capture.SYN|capture.ACK) == capture.SYN|capture.ACK {
			return false
		}
		if flags&capture.SYN == 0 {
			return true // odd, or a straggler
		}
	case capture.ProtoICMP, capture.ProtoICMPv6:
		if _, asks := replyTo(r.Proto, r.Type); !asks {
			return false
		}
	}
	r.Facts |= Oriented
	r.State = StateSilent
	if v == rejects {
		r.State = StateRefused
	}
	return true
}

// maxPrefix is how much of a rule's prefix is looked at: the kernel takes 127
// characters.
const maxPrefix = 128

// verdictOf reads a rule's prefix. The last word counts: a chain may be named for
// what another of its rules does.
func verdictOf(prefix []byte) verdict {
	var lower [maxPrefix]byte
	b := lower[:copy(lower[:], prefix[max(0, len(prefix)-maxPrefix):])]
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	v, at := passes, -1
	for _, word := range verdicts {
		if i := bytes.LastIndex(b, word.stem); i > at {
			v, at = word.verdict, i
		}
	}
	return v
}

var verdicts = [...]struct {
	stem []byte
	verdict
}{
	{[]byte("drop"), drops}, {[]byte("block"), drops}, {[]byte("deny"), drops}, {[]byte("denied"), drops},
	{[]byte("discard"), drops}, {[]byte("blacklst"), drops},
	{[]byte("reject"), rejects},
	{[]byte("accept"), passes}, {[]byte("allow"), passes}, {[]byte("audit"), passes}, {[]byte("pass"), passes},
}

// Time stamps.

// stamp reads the time at the beginning of a line, and returns the rule's prefix
// at its end.
func (f netfilter) stamp(head []byte) (at int64, prefix []byte, ok bool) {
	if len(head) > 0 && head[0] == '<' { // a priority, as syslog sends and the kernel keeps it
		if end := bytes.IndexByte(head, '>'); end >= 0 && end <= 4 {
			head = head[end+1:]
		}
	}
	at, rest, ok := f.date(head)
	if !ok {
		return 0, nil, false
	}
	if _, after, kernel := bytes.Cut(rest, []byte("kernel:")); kernel {
		rest = after
	} else if head[0] > '9' && head[0] != '[' { // ulogd: the host, and no name of a program
		w := words{rest}
		w.next()
		rest = w.rest
	}
	return at, bytes.TrimSpace(rest), true
}

// date reads a time stamp: of dmesg or the kernel, of logread, of RFC 3164, ISO 8601,
// or seconds since 1970.
func (f netfilter) date(b []byte) (at int64, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
		return 0, nil, false
	case b[0] == '[':
		inside, rest, ok := bytes.Cut(b[1:], []byte{']'})
		if !ok {
			return 0, nil, false
		}
		inside = bytes.TrimSpace(inside)
		if at, ok := seconds(inside); ok {
			return at, rest, true // since the start of the machine
		}
		at, _, ok = f.date(inside) // dmesg -T
		return at, rest, ok
	case b[0] >= '0' && b[0] <= '9':
		word, rest, _ := bytes.Cut(b, []byte{' '})
		if len(word) > 4 && word[4] == '-' {
			at, ok = isoTime(word)
		} else {
			at, ok = seconds(word)
		}
		return at, rest, ok
	}
	return f.named(b)
}

// named reads a date with the name of its month: "Nov 23 07:18:54", or "Mon Nov 23
// 07:18:54 2026".
func (f netfilter) named(b []byte) (at int64, rest []byte, ok bool) {
	w := words{b}
	month, ok := monthNamed(w.next())
	weekday := !ok
	if weekday {
		if month, ok = monthNamed(w.next()); !ok {
			return 0, nil, false
		}
	}
	day, ok1 := number(w.next())
	ns, ok2 := timeOfDay(w.next())
	if !ok1 || !ok2 || day > 31 {
		return 0, nil, false
	}
	after := w
	if year, ok := number(after.next()); ok && weekday && year < math.MaxInt16 {
		at, ok = dated(int(year), month, int(day), ns, time.Local)
		return at, after.rest, ok
	}
	at, ok = f.nearest(month, int(day), ns)
	return at, w.rest, ok
}

// nearest returns the last time that a day of the year was, a day ahead of now at
// most.
func (f netfilter) nearest(month time.Month, day int, ns int64) (int64, bool) {
	limit := f.now().Add(24 * time.Hour)
	at, ok := dated(limit.Year(), month, day, ns, time.Local)
	if ok && at > limit.UnixNano() {
		at, ok = dated(limit.Year()-1, month, day, ns, time.Local)
	}
	return at, ok
}

func monthNamed(b []byte) (time.Month, bool) {
	if len(b) != 3 {
		return 0, false
	}
	at := bytes.Index([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), b)
	return time.Month(at/3 + 1), at >= 0 && at%3 == 0
}

// isoTime reads 2026-11-23T07:18:54.123456+01:00, with or without a zone, colon and
// decimals.
func isoTime(b []byte) (int64, bool) {
	if len(b) < len("2026-11-23T07:18:54") {
		return 0, false
	}
	end := len("2026-11-23T07:18:54")
	for end < len(b) && (b[end] == '.' || b[end] == ',' || b[end] >= '0' && b[end] <= '9') {
		end++
	}
	zone := b[end:]
	if len(zone) == 0 {
		return localTime(b)
	}
	offset, ok := hoursOff(zone)
	if !ok {
		return 0, false
	}
	at, ok := zonedTime(b[:end], time.UTC)
	return at - offset, ok
}

// hoursOff reads a zone, as Z, +0100 or +01:00, in nanoseconds ahead of UTC.
func hoursOff(b []byte) (int64, bool) {
	if string(b) == "Z" {
		return 0, true
	}
	if len(b) != 5 && len(b) != 6 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	hours, ok1 := number(b[1:3])
	minutes, ok2 := number(b[len(b)-2:])
	offset := int64(hours)*int64(time.Hour) + int64(minutes)*int64(time.Minute)
	if b[0] == '-' {
		offset = -offset
	}
	return offset, ok1 && ok2 && hours <= 14 && minutes < 60
}
