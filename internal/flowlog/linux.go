package flowlog

import (
	"fmt"
	"strings"
	"time"

	"edgescan/capture"
	"edgescan/flow"
)

// answerTime is how long an answer takes to come, nanoseconds: a record does not
// tell.
const answerTime = int64(time.Millisecond)

// conntrack writes the events of a connection: that it began, how it was answered,
// and that it was forgotten, with what it has carried. FIN, NULL and XMAS probes make
// no connection.
func conntrack(l *Log, r *flow.Record) {
	name := fmt.Sprintf("%-8s %d", protocols[r.Proto], r.Proto)
	there := fmt.Sprintf("src=%s dst=%s sport=%d dport=%d", r.Src.Netip(), r.Dst.Netip(), r.SrcPort, r.DstPort)
	here := fmt.Sprintf("src=%s dst=%s sport=%d dport=%d", r.Dst.Netip(), r.Src.Netip(), r.DstPort, r.SrcPort)
	if isICMP(r) {
		there = fmt.Sprintf("src=%s dst=%s type=%d code=%d id=1", r.Src.Netip(), r.Dst.Netip(), r.Type, r.Code)
		here = fmt.Sprintf("src=%s dst=%s type=%d code=%d id=1", r.Dst.Netip(), r.Src.Netip(), r.Type, r.Code)
	}
	began := ""
	switch {
	case r.Proto == capture.ProtoTCP && r.Out.Flags&capture.SYN != 0:
		began = "SYN_SENT "
	case r.Proto == capture.ProtoTCP && r.Out.Flags&capture.ACK != 0:
		began = "ESTABLISHED "
	case r.Proto == capture.ProtoTCP:
		return
	}
	event := func(at int64, kind, state, middle string) {
		l.line(at, "[%s]\t%9s %s %s%s %s%s", seconds(at), "["+kind+"]", name, state, there, middle, here)
	}
	event(r.Start, "NEW", "30 "+began, "[UNREPLIED] ")
	answered := min(r.Start+answerTime, max(r.Time, r.Start+1000))
	switch outcome := r.Outcome(); {
	case outcome == flow.StateAnswered && r.Proto == capture.ProtoTCP:
		event(answered, "UPDATE", "60 SYN_RECV ", "")
		there += fmt.Sprintf(" packets=%d bytes=%d", r.Out.Packets, r.Out.Bytes)
		here += fmt.Sprintf(" packets=%d bytes=%d [ASSURED]", r.Back.Packets, r.Back.Bytes)
		event(max(r.Time, answered), "DESTROY", "TIME_WAIT ", "")
	case outcome == flow.StateAnswered:
		event(answered, "UPDATE", "30 ", "")
	case r.Proto == capture.ProtoTCP && r.Back.Flags&capture.RST != 0:
		event(answered, "DESTROY", "CLOSE ", "[UNREPLIED] ")
	}
}

// netfilter writes what rules log of the first packet of a flow: dropped where
// nobody answered, rejected where it was refused, else accepted.
func netfilter(l *Log, r *flow.Record) {
	prefix := map[flow.State]string{flow.StateSilent: "DROP", flow.StateRefused: "REJECT"}[r.Outcome()]
	if prefix == "" {
		prefix = "ACCEPT"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s router kernel: %s: IN=eth0 OUT= SRC=%s DST=%s LEN=60 TTL=64 ID=1 ", time.Unix(0, r.Start).UTC().Format("2006-01-02T15:04:05.000000Z07:00"), prefix, r.Src.Netip(), r.Dst.Netip())
	switch r.Proto {
	case capture.ProtoTCP:
		fmt.Fprintf(&b, "PROTO=TCP SPT=%d DPT=%d WINDOW=64240 RES=0x00 ", r.SrcPort, r.DstPort)
		first := r.Out.Flags
		if first&capture.SYN != 0 {
			first = capture.SYN
		}
		for _, f := range [...]struct {
			flag capture.Flags
			name string
		}{{capture.URG, "URG"}, {capture.ACK, "ACK"}, {capture.PSH, "PSH"}, {capture.RST, "RST"}, {capture.SYN, "SYN"}, {capture.FIN, "FIN"}} {
			if first&f.flag != 0 {
				b.WriteString(f.name + " ")
			}
		}
		b.WriteString("URGP=0")
	case capture.ProtoUDP:
		fmt.Fprintf(&b, "PROTO=UDP SPT=%d DPT=%d LEN=40", r.SrcPort, r.DstPort)
	case capture.ProtoICMP:
		fmt.Fprintf(&b, "PROTO=ICMP TYPE=%d CODE=%d ID=1 SEQ=1", r.Type, r.Code)
	case capture.ProtoICMPv6:
		fmt.Fprintf(&b, "PROTO=ICMPv6 TYPE=%d CODE=%d ID=1 SEQ=1", r.Type, r.Code)
	}
	l.line(r.Start, "%s", b.String())
}
