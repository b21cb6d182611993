package flow

import (
	"bytes"
	"time"

	"edgescan/capture"
)

// The columns of nfdump's CSV. Their names changed with version 1.7.5; those of
// before are nfdump's own shorthands.
const (
	nfStart = iota
	nfEnd
	nfReceived
	nfDuration
	nfSrc
	nfDst
	nfSrcPort
	nfDstPort
	nfProto
	nfFlags
	nfPackets
	nfBytes
	nfBackPackets
	nfBackBytes
	nfType
	nfCode
)

var nfdumpColumns = map[string]int8{
	"ts": nfStart, "firstSeen": nfStart,
	"te": nfEnd, "lastSeen": nfEnd,
	"tr": nfReceived, "received": nfReceived,
	"td": nfDuration, "duration": nfDuration,
	"sa": nfSrc, "srcAddr": nfSrc,
	"da": nfDst, "dstAddr": nfDst,
	"sp": nfSrcPort, "srcPort": nfSrcPort,
	"dp": nfDstPort, "dstPort": nfDstPort,
	"pr": nfProto, "proto": nfProto,
	"flg": nfFlags, "flags": nfFlags,
	"ipkt": nfPackets, "inPackets": nfPackets, "packets": nfPackets,
	"ibyt": nfBytes, "inBytes": nfBytes, "bytes": nfBytes,
	"opkt": nfBackPackets, "outPackets": nfBackPackets,
	"obyt": nfBackBytes, "outBytes": nfBackBytes,
	"icmpType": nfType, "icmpTYpe": nfType, // 1.7.5 has a slip of the pen
	"icmpCode": nfCode,
}

// maxReceived is how long after its end a flow is received from an exporter. What
// came later was read from a file that was made before.
const maxReceived = int64(10 * time.Minute)

// nfdump reads what `nfdump -o csv`, `csv-fast` and `csv:FORMAT` write. Times
// without a zone are local ones. It does not tell of sampling.
type nfdump struct {
	headed
	over    bool // what follows is the summary
	flagged bool // some TCP flags were told: none at all are a NULL probe
}

func detectNfdump(line []byte) format {
	f := new(nfdump)
	if !f.begins(line) {
		return nil
	}
	return f
}

// begins reads a header line, if line is one of flows.
func (f *nfdump) begins(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("ts,")) && !bytes.Contains(line, []byte("firstSeen")) {
		return false
	}
	var h headed
	h.header(line, ',', nfdumpColumns)
	if !h.has[nfStart] || !h.has[nfSrc] || !h.has[nfDst] || !h.has[nfDstPort] || !h.has[nfProto] || !h.has[nfPackets] {
		return false
	}
	f.headed, f.over = h, false
	return true
}

func (f *nfdump) parse(line []byte, r *Record) (bool, error) {
	switch {
	case len(line) == 0 || f.begins(line):
		return false, nil
	case bytes.HasPrefix(line, []byte("Summary")):
		f.over = true
		return false, nil
	case f.over || bytes.HasPrefix(line, []byte("No matched flows")) || bytes.HasPrefix(line, []byte("No matching flows")):
		return false, nil
	case !f.row(line):
		return false, errMalformed
	}
	proto, ok := protocol(f.value[nfProto])
	if !ok {
		return false, errMalformed
	}
	if proto == capture.ProtoNone || proto == capture.ProtoARP {
		return false, nil
	}
	r.Proto = proto
	if !f.times(r) || !f.ends(r) || !f.counts(r) {
		return false, errMalformed
	}
	if r.Proto == capture.ProtoTCP {
		f.flags(r)
	}
	return true, nil
}

// times reads when the flow was.
func (f *nfdump) times(r *Record) bool {
	start, ok := nfdumpTime(f.value[nfStart])
	if !ok {
		return false
	}
	r.Start, r.Time = start, start
	switch {
	case f.has[nfEnd]:
		if r.Time, ok = nfdumpTime(f.value[nfEnd]); !ok {
			return false
		}
	case f.has[nfDuration]:
		duration, ok := seconds(f.value[nfDuration])
		if !ok {
			duration, ok = timeOfDay(f.value[nfDuration])
		}
		if !ok {
			return false
		}
		r.Time += min(duration, int64(24*time.Hour))
	}
	if received, ok := nfdumpTime(f.value[nfReceived]); ok && received > r.Time && received <= r.Time+maxReceived {
		r.Time = received
	}
	r.Time = max(r.Time, start)
	return true
}

// nfdumpTime reads a date with time, seconds since 1970, or milliseconds.
func nfdumpTime(b []byte) (int64, bool) {
	if len(b) > 4 && b[4] == '-' {
		return localTime(b)
	}
	return epoch(b)
}

// ends reads the addresses, and ports or ICMP type.
func (f *nfdump) ends(r *Record) (ok bool) {
	if r.Src, ok = address(f.value[nfSrc]); !ok {
		return false
	}
	if r.Dst, ok = address(f.value[nfDst]); !ok {
		return false
	}
	if isICMP(r.Proto) {
		return f.icmp(r)
	}
	if r.DstPort, ok = port(f.value[nfDstPort]); !ok {
		return false
	}
	if f.has[nfSrcPort] {
		r.SrcPort, ok = port(f.value[nfSrcPort])
	}
	return ok
}

// icmp reads type and code: 8.0, or one number of 16 bits, in place of the port, or
// columns of their own.
func (f *nfdump) icmp(r *Record) bool {
	kind, code, dotted := bytes.Cut(f.value[nfDstPort], []byte{'.'})
	if f.has[nfType] && f.has[nfCode] {
		kind, code, dotted = f.value[nfType], f.value[nfCode], true
	}
	if !dotted {
		n, ok := port(kind)
		r.Type, r.Code = uint8(n>>8), uint8(n)
		return ok
	}
	var ok1, ok2 bool
	r.Type, ok1 = octet(kind)
	r.Code, ok2 = octet(code)
	return ok1 && ok2
}

// counts reads packets and bytes, of both directions if there are: nfdump -B, and
// exporters of biflows.
func (f *nfdump) counts(r *Record) bool {
	packets, ok := number(f.value[nfPackets])
	if !ok {
		return false
	}
	octets, ok := f.optional(nfBytes)
	if !ok {
		return false
	}
	r.Count(&r.Out, packets, octets)
	backPackets, ok1 := f.optional(nfBackPackets)
	backOctets, ok2 := f.optional(nfBackBytes)
	if !ok1 || !ok2 {
		return false
	}
	if backPackets > 0 {
		r.Count(&r.Back, backPackets, backOctets)
		r.Facts |= Both
		if r.refuses() {
			r.Turn()
		}
	}
	return true
}

// refuses reports whether the sizes of a flow of TCP are those of a connection that
// Dst asked for and Src refused: what nfdump -B makes of it if the refused port is
// one of those that clients take.
func (r *Record) refuses() bool {
	return r.Proto == capture.ProtoTCP && !r.Back.Data && r.Out.Packets == r.Back.Packets &&
		uint64(r.Out.Bytes) == r.headers(bareTCP)*uint64(r.Out.Packets) && r.Back.Bytes > r.Out.Bytes
}

// optional reads a number that may not be told: then it is 0.
func (f *nfdump) optional(which int) (uint64, bool) {
	if !f.has[which] {
		return 0, true
	}
	return number(f.value[which])
}

// flags reads the letters of a TCP flow's flags. There is one set of them: of a
// biflow, those of one direction or of both together, and so of no use.
func (f *nfdump) flags(r *Record) {
	flags := flagLetters(f.value[nfFlags])
	f.flagged = f.flagged || flags != 0
	if r.Facts.Has(Both) || !f.flagged {
		r.Facts |= NoFlags
		return
	}
	r.Out.Flags = flags
}
