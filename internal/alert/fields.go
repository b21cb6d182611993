package alert

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// What lines say of an alert is listed here, once, by the names that EVE gives
// it. Users script against the names: fields may be added, not renamed or
// removed.

// field is a named value: a string, int, int64, uint16, float64, moment,
// netip.Addr, []string, []uint16, or fields within it.
type field struct {
	name  string
	value any
}

// moment is a time in nanoseconds since 1970.
type moment int64

// fields are in the order in which a line has them.
type fields []field

// add is not inlined: the device's binary would grow for each of the many
// fields.
//
//go:noinline
func (l *fields) add(name string, value any) { *l = append(*l, field{name, value}) }

// addText adds a text, but for an empty one, which stands for none.
func (l *fields) addText(name, text string) {
	if text != "" {
		l.add(name, text)
	}
}

// get returns a field's value, nil where there is none.
func (l fields) get(name string) any {
	for _, f := range l {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// addFlow adds an example of what the source sent, if there is one. The port it
// came from is that of src_ip only where this is a host.
func (l *fields) addFlow(e *detect.Event) {
	f := e.Flow
	if f.IsZero() {
		return
	}
	ported := len(withPorts([]capture.Proto{f.Proto})) > 0
	if ported && groupOf(*e) == nil {
		l.add("src_port", f.SrcPort)
	}
	l.add("dest_ip", f.Dst.Netip())
	if ported {
		l.add("dest_port", f.DstPort)
	}
	l.addText("proto", eveProtos[f.Proto])
	l.addText("community_id", communityID(f))
}

// eveProtos are the protocols' names as Suricata writes them at the top.
var eveProtos = map[capture.Proto]string{
	capture.ProtoTCP: "TCP", capture.ProtoUDP: "UDP", capture.ProtoICMP: "ICMP", capture.ProtoICMPv6: "IPv6-ICMP", capture.ProtoARP: "ARP",
}

// addIncident adds which incident it is.
func (l *fields) addIncident(e *detect.Event) {
	l.add("id", idString(e.ID))
	l.add("state", stateWord(e.State))
	l.add("kind", kindWord(e.Kind))
}

// addFigures adds what was seen.
func (l *fields) addFigures(e *detect.Event) {
	l.add("score", probability(e.Score))
	l.add("first_seen", moment(e.FirstSeen))
	l.add("last_seen", moment(e.LastSeen))
	l.add("window_s", e.Window/int64(time.Second))
	l.add("contacts", e.Contacts)
	l.add("hosts", e.Hosts)
	l.add("ports", e.Ports)
	l.add("answered", e.Answered)
	l.add("refused", e.Refused)
	l.add("silent", e.Silent)
	l.add("odd", e.Odd)
	l.add("protocols", protocolNames(e.Protocols))
	l.add("top_ports", topPorts(e.TopPorts))
	l.add("example_dst", e.Example.Netip())
}

// addContext adds from where to where it goes, and why a rule allows it.
func (l *fields) addContext(e *detect.Event) {
	l.addText("direction", e.Direction.String())
	l.addText("allowed", e.Allowed)
	l.addText("picture", e.Picture)
}

// addGroup adds what is to be said of a source that is many hosts, nothing for
// one that is a host: what all sources or all destinations have in common, how
// many sources there are, and some of them.
func (l *fields) addGroup(e *detect.Event) {
	g := groupOf(*e)
	if g == nil {
		return
	}
	l.add("scope", g.scope)
	l.add("src_prefix", g.srcPrefix)
	l.add("dst_prefix", g.dstPrefix)
	l.add("sources", e.Sources)
	l.add("src_ips", g.members)
}

// scanFields are what EVE's scan object holds.
func scanFields(e *detect.Event) (l fields) {
	l.addIncident(e)
	l.addFigures(e)
	l.addContext(e)
	l.addGroup(e)
	return l
}

// summaryFields are what EVE's scan_summary object holds.
func summaryFields(e *detect.Event) (l fields) {
	f := e.Folded
	var kinds fields
	for _, k := range []detect.Kind{detect.Block, detect.Horizontal, detect.Vertical} {
		if n := f.Kinds[k]; n != 0 {
			kinds.add(kindWord(k), n)
		}
	}
	l.add("since", moment(e.FirstSeen)) // counted from then to the line's time
	l.add("started", f.Started)
	l.add("updated", f.Updated)
	l.add("ended", f.Ended)
	l.add("ongoing", f.Ongoing)
	l.add("contacts", f.Contacts)
	l.add("kinds", kinds)
	l.add("top_ports", topPorts(f.TopPorts))
	l.add("src_ips", examples(f))
	return l
}

// headFields are what ECS and CEF say of every line, in place of EVE's
// event_type.
func headFields(e *detect.Event, h *Header) (l fields) {
	found, name, what := kindWord(e.Kind), kindWord(e.Kind)+" scan", stateWord(e.State)
	if isSummary(*e) {
		found, name, what = "summary", "scan summary", "summary"
	}
	l.add("timestamp", moment(e.Time))
	l.add("version", h.Version)
	l.add("rule_id", "scan-"+found) // what was found
	l.add("rule_name", name)
	l.add("severity", levels[h.severity(e.State)])
	l.add("action", "scan-"+what) // what the line tells of it
	if h.Host != "-" {
		l.addText("host", h.Host)
	}
	return l
}

// sourceName returns what a host is called, nothing for what is many hosts.
func sourceName(e *detect.Event) string {
	if groupOf(*e) != nil {
		return ""
	}
	return cleanName(e.Name)
}

// isSummary reports whether e is about many incidents.
func isSummary(e detect.Event) bool { return e.State == detect.Summary && e.Folded != nil }

// group is a source that is many hosts.
type group struct {
	scope     string // prefix, or distributed
	srcPrefix string
	dstPrefix string
	members   []string // some of them
}

// maxMembers bounds how many sources of a group a line lists.
const maxMembers = 5

// groupOf returns nil for a host.
func groupOf(e detect.Event) *group {
	g := &group{members: addresses(e.Members[:min(len(e.Members), maxMembers)])}
	switch e.Scope {
	case featurize.Prefix:
		g.scope, g.srcPrefix = "prefix", e.Prefix.String()
	case featurize.Target:
		g.scope, g.dstPrefix = "distributed", e.Prefix.String()
	default:
		return nil
	}
	return g
}

// addresses never returns nil.
func addresses(list []capture.Addr) []string {
	texts := []string{}
	for _, a := range list {
		texts = append(texts, a.Netip().String())
	}
	return texts
}

// sourceIP returns the address that a line gives as the source: a prefix's
// first one, and none in particular, 0.0.0.0 or ::, for many sources that have
// nothing in common, so that what blocks by address blocks no bystander.
func sourceIP(e detect.Event) netip.Addr {
	switch {
	case e.Scope != featurize.Target:
		return e.Source.Netip()
	case e.Source.Is4():
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// timestamp writes nanoseconds since 1970 as RFC 3339 in UTC with
// microseconds, which is also what RFC 5424 takes.
func timestamp(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// textOf returns a field's value as one text, lists with commas.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case moment:
		return timestamp(int64(v))
	case []string:
		return strings.Join(v, ",")
	case []uint16:
		return numberList(v)
	case fields:
		var parts []string
		for _, f := range v {
			parts = append(parts, f.name+":"+textOf(f.value))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(value) // numbers and addresses
}

func numberList(ports []uint16) string {
	var b []byte
	for i, p := range ports {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(p), 10)
	}
	return string(b)
}
