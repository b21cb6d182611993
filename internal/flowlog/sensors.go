package flowlog

import (
	"fmt"
	"strings"
	"time"

	"edgescan/capture"
	"edgescan/flow"
)

const zeekHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n" +
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\tstring\tcount\tcount\tcount\tcount\n"

// conn is what Zeek would say of a connection.
type conn struct {
	proto, state, history string
	from, to              uint16 // ports, or ICMP type and code
	payload               [2]uint32
}

func connOf(r *flow.Record) conn {
	c := conn{proto: protocols[r.Proto], state: "OTH", from: r.SrcPort, to: r.DstPort}
	for i, h := range [...]*flow.Half{&r.Out, &r.Back} {
		if h.Data && (r.Proto != capture.ProtoTCP || h.Flags&capture.ACK != 0) { // several SYNs look so by their size
			c.payload[i] = h.Bytes - min(h.Bytes, h.Packets*40)
		}
	}
	switch r.Proto {
	case capture.ProtoTCP:
		c.state, c.history = tcpState(r), history(r)
	case capture.ProtoUDP:
		c.state, c.history = "S0", "D"
		if r.Back.Packets > 0 {
			c.state, c.history = "SF", "Dd"
		}
	default:
		c.proto = "icmp"
		c.from, c.to = uint16(r.Type), uint16(r.Code)
	}
	return c
}

// tcpState returns Zeek's conn_state.
func tcpState(r *flow.Record) string {
	const syn, ack, fin, rst = capture.SYN, capture.ACK, capture.FIN, capture.RST
	out, back := r.Out.Flags, r.Back.Flags
	accepted := back&(syn|ack) == syn|ack
	switch {
	case out&syn == 0 && accepted && back&fin != 0:
		return "SHR"
	case out&syn == 0 && accepted && back&rst != 0:
		return "RSTRH"
	case out&(syn|ack|fin) == fin && back&rst != 0:
		return "RSTR"
	case out&(syn|ack|fin) == fin && back == 0:
		return "SH"
	case out&syn == 0 && back&rst != 0:
		return "RSTRH"
	case out&syn == 0:
		return "OTH"
	case back&rst != 0 && !accepted:
		return "REJ"
	case !accepted && out&rst != 0:
		return "RSTOS0"
	case !accepted && out&fin != 0:
		return "SH"
	case !accepted:
		return "S0"
	case out&rst != 0:
		return "RSTO"
	case back&rst != 0:
		return "RSTR"
	case out&back&fin != 0:
		return "SF"
	case out&fin != 0:
		return "S2"
	case back&fin != 0:
		return "S3"
	}
	return "S1"
}

// history returns Zeek's letters, in some order.
func history(r *flow.Record) string {
	letters := func(h *flow.Half, initial string) string {
		var b strings.Builder
		for _, l := range [...]struct {
			set    bool
			letter string
		}{
			{h.Flags&capture.SYN != 0, initial},
			{h.Flags&capture.ACK != 0 && (h.Packets > 1 || h.Flags&(capture.SYN|capture.FIN|capture.RST) == 0 && !h.Data), "A"},
			{h.Data && h.Flags&capture.ACK != 0, "D"},
			{h.Flags&capture.FIN != 0, "F"},
			{h.Flags&capture.RST != 0, "R"},
		} {
			if l.set {
				b.WriteString(l.letter)
			}
		}
		return b.String()
	}
	back := "S"
	if r.Back.Flags&capture.ACK != 0 {
		back = "H"
	}
	answer := strings.ToLower(letters(&r.Back, back))
	if r.Back.Flags&capture.RST != 0 {
		answer = strings.ReplaceAll(answer, "a", "") // that of the RST itself
	}
	first := "S"
	if r.Out.Flags&capture.ACK != 0 && r.Back.Packets == 0 && r.SrcPort < r.DstPort { // the answers alone
		first = "H"
	}
	return letters(&r.Out, first) + answer
}

func zeek(l *Log, r *flow.Record) {
	c := connOf(r)
	h := c.history
	if h == "" {
		h = "-"
	}
	l.line(r.Time, "%s\tC%d\t%s\t%d\t%s\t%d\t%s\t-\t%s\t%d\t%d\t%s\t0\t%s\t%d\t%d\t%d\t%d",
		seconds(r.Start), len(l.made), r.Src.Netip(), c.from, r.Dst.Netip(), c.to, c.proto, seconds(r.Time-r.Start),
		c.payload[0], c.payload[1], c.state, h, r.Out.Packets, octets(r), r.Back.Packets, r.Back.Bytes)
}

func zeekJSON(l *Log, r *flow.Record) {
	c := connOf(r)
	h := ""
	if c.history != "" {
		h = fmt.Sprintf(`,"history":"%s"`, c.history)
	}
	l.line(r.Time, `{"ts":%s,"uid":"C%d","id.orig_h":"%s","id.orig_p":%d,"id.resp_h":"%s","id.resp_p":%d,"proto":"%s","duration":%s,"orig_bytes":%d,"resp_bytes":%d,"conn_state":"%s","missed_bytes":0%s,"orig_pkts":%d,"orig_ip_bytes":%d,"resp_pkts":%d,"resp_ip_bytes":%d}`,
		seconds(r.Start), len(l.made), r.Src.Netip(), c.from, r.Dst.Netip(), c.to, c.proto, seconds(r.Time-r.Start),
		c.payload[0], c.payload[1], c.state, h, r.Out.Packets, octets(r), r.Back.Packets, r.Back.Bytes)
}

// octets returns the bytes of r.Out. FIN, NULL and XMAS probes have no options, which a
// Meter does not know.
func octets(r *flow.Record) uint32 {
	switch {
	case r.Proto != capture.ProtoTCP || r.Out.Data || r.Out.Flags&(capture.SYN|capture.ACK|capture.RST) != 0:
		return r.Out.Bytes
	case r.Src.Is4():
		return 40 * r.Out.Packets
	}
	return 60 * r.Out.Packets
}

// linkHeader is what frames of Ethernet have besides IP, bytes.
const linkHeader = 14

func suricata(l *Log, r *flow.Record) {
	stamp := func(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000-0700") }
	proto := map[capture.Proto]string{capture.ProtoTCP: "TCP", capture.ProtoUDP: "UDP", capture.ProtoICMP: "ICMP", capture.ProtoICMPv6: "IPv6-ICMP"}[r.Proto]
	ports := fmt.Sprintf(`"src_port":%d,"dest_port":%d`, r.SrcPort, r.DstPort)
	tcp := ""
	switch {
	case r.Proto == capture.ProtoTCP:
		out, back := uint8(r.Out.Flags), uint8(r.Back.Flags)
		if r.Out.Flags&capture.SYN == 0 { // Suricata follows no session of it
			out, back = 0, 0
		}
		tcp = fmt.Sprintf(`,"tcp":{"tcp_flags":"%02x","tcp_flags_ts":"%02x","tcp_flags_tc":"%02x"}`, out|back, out, back)
	case isICMP(r):
		ports = fmt.Sprintf(`"icmp_type":%d,"icmp_code":%d`, r.Type, r.Code)
	}
	l.line(r.Time, `{"timestamp":"%s","flow_id":%d,"event_type":"flow","src_ip":"%s","dest_ip":"%s",%s,"proto":"%s","flow":{"pkts_toserver":%d,"pkts_toclient":%d,"bytes_toserver":%d,"bytes_toclient":%d,"start":"%s","end":"%s","state":"closed","reason":"timeout","alerted":false}%s}`,
		stamp(r.Time), len(l.made), r.Src.Netip(), r.Dst.Netip(), ports, proto, r.Out.Packets, r.Back.Packets,
		octets(r)+linkHeader*r.Out.Packets, r.Back.Bytes+linkHeader*r.Back.Packets, stamp(r.Start), stamp(r.Time), tcp)
}

const awsHeader = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags type\n"

func aws(l *Log, r *flow.Record) {
	flags := r.Out.Flags & (capture.FIN | capture.SYN | capture.RST)
	if r.Out.Flags&(capture.SYN|capture.ACK) == capture.SYN|capture.ACK && (l.answers(r) || r.Out.Packets == 1) {
		flags |= capture.ACK
	}
	l.last = *r
	kind := "IPv6"
	if r.Src.Is4() {
		kind = "IPv4"
	}
	l.line(r.Time, "5 123456789012 eni-0123456789abcdef0 %s %s %d %d %d %d %d %d %d ACCEPT OK %d %s",
		r.Src.Netip(), r.Dst.Netip(), r.SrcPort, r.DstPort, r.Proto, r.Out.Packets, octets(r), r.Start/1e9, (r.Time+1e9-1)/1e9, flags, kind)
}

// answers reports whether a record is of the other way of the one before.
func (l *Log) answers(r *flow.Record) bool {
	return l.last.Src == r.Dst && l.last.SrcPort == r.DstPort && l.last.Dst == r.Src && l.last.DstPort == r.SrcPort
}

const nfdumpHeader = "firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,flags,packets,bytes\n"

func nfdump(l *Log, r *flow.Record) {
	to := fmt.Sprint(r.DstPort)
	if isICMP(r) {
		to = fmt.Sprintf("%d.%d", r.Type, r.Code)
	}
	letters := []byte("CEUAPRSF")
	for bit := range letters {
		if r.Out.Flags&(1<<(7-bit)) == 0 {
			letters[bit] = '.'
		}
	}
	l.line(r.Time, "%s,%s,%d,%s,%d,%s,%s,%s,%d,%d", seconds(r.Start)[:len(seconds(r.Start))-3], seconds(r.Time)[:len(seconds(r.Time))-3],
		r.Proto, r.Src.Netip(), r.SrcPort, r.Dst.Netip(), to, letters, r.Out.Packets, r.Out.Bytes)
}

const argusHeader = "StartTime,LastTime,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,SrcPkts,DstPkts,SrcBytes,DstBytes,State\n"

func argus(l *Log, r *flow.Record) {
	from, to, state := fmt.Sprint(r.SrcPort), fmt.Sprint(r.DstPort), "CON"
	proto, dir := protocols[r.Proto], "->"
	if r.Proto != capture.ProtoTCP && r.Back.Packets > 0 {
		dir = "<->"
	}
	switch {
	case r.Proto == capture.ProtoTCP:
		state = flagsOf(r.Out.Flags) + "_" + flagsOf(r.Back.Flags)
	case isICMP(r):
		from, to = fmt.Sprintf("0x%02x%02x", r.Code, r.Type), "0x0001"
		if r.Proto == capture.ProtoICMPv6 {
			proto = "ipv6-icmp"
		}
	}
	l.line(r.Time, "%s,%s,%s,%s,%s,%s,%s,%s,%d,%d,%d,%d,%s", seconds(r.Start), seconds(r.Time), proto, r.Src.Netip(), from, dir, r.Dst.Netip(), to,
		r.Out.Packets, r.Back.Packets, r.Out.Bytes+linkHeader*r.Out.Packets, r.Back.Bytes+linkHeader*r.Back.Packets, state)
}

// flagsOf writes TCP flags as ra -Z b does.
func flagsOf(f capture.Flags) string {
	var b strings.Builder
	for _, l := range [...]struct {
		flag   capture.Flags
		letter byte
	}{{capture.FIN, 'F'}, {capture.SYN, 'S'}, {capture.RST, 'R'}, {capture.PSH, 'P'}, {capture.ACK, 'A'}, {capture.URG, 'U'}} {
		if f&l.flag != 0 {
			b.WriteByte(l.letter)
		}
	}
	return b.String()
}
