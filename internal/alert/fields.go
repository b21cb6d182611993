package alert

import (
	"fmt"
	"net/netip"
	"slices"
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
// netip.Addr, []string, []uint16, or fields within it. A text that is empty
// stands for none.
type field struct {
	name  string
	value any
}

// known returns fields without those that are none.
func known(fields []field) []field {
	return slices.DeleteFunc(fields, func(f field) bool { return f.value == "" })
}

// moment is a time in nanoseconds since 1970.
type moment int64

// sourceFields say who scans. The name is that of a host.
func sourceFields(e detect.Event) []field {
	fields := []field{{"src_ip", sourceIP(e)}}
	if name := cleanName(e.Name); name != "" && groupOf(e) == nil {
		fields = append(fields, field{"src_name", name})
	}
	return fields
}

// flowFields are an example of what the source sent, none where there is none.
// The port it came from is that of src_ip only where this is a host.
func flowFields(e detect.Event) []field {
	f := e.Flow
	if f.IsZero() {
		return nil
	}
	var fields []field
	ported := len(withPorts([]capture.Proto{f.Proto})) > 0
	if ported && groupOf(e) == nil {
		fields = append(fields, field{"src_port", f.SrcPort})
	}
	fields = append(fields, field{"dest_ip", f.Dst.Netip()})
	if ported {
		fields = append(fields, field{"dest_port", f.DstPort})
	}
	return append(fields, field{"proto", eveProtos[f.Proto]}, field{"community_id", communityID(f)})
}

// eveProtos are the protocols' names as Suricata writes them at the top.
var eveProtos = map[capture.Proto]string{
	capture.ProtoTCP: "TCP", capture.ProtoUDP: "UDP", capture.ProtoICMP: "ICMP", capture.ProtoICMPv6: "IPv6-ICMP", capture.ProtoARP: "ARP",
}

// incidentFields say which incident it is.
func incidentFields(e detect.Event) []field {
	return []field{{"id", idString(e.ID)}, {"state", stateWord(e.State)}, {"kind", kindWord(e.Kind)}}
}

// figureFields say what was seen.
func figureFields(e detect.Event) []field {
	return []field{
		{"score", probability(e.Score)},
		{"first_seen", moment(e.FirstSeen)},
		{"last_seen", moment(e.LastSeen)},
		{"window_s", e.Window / int64(time.Second)},
		{"contacts", e.Contacts},
		{"hosts", e.Hosts},
		{"ports", e.Ports},
		{"answered", e.Answered},
		{"refused", e.Refused},
		{"silent", e.Silent},
		{"odd", e.Odd},
		{"protocols", protocolNames(e.Protocols)},
		{"top_ports", topPorts(e.TopPorts)},
		{"example_dst", e.Example.Netip()},
	}
}

// contextFields say from where to where it goes, and why a rule allows it.
func contextFields(e detect.Event) []field {
	return []field{{"direction", e.Direction.String()}, {"allowed", e.Allowed}}
}

// groupFields are what is to be said of a source that is many hosts, none for
// one that is a host: what all sources or all destinations have in common, how
// many sources there are, and some of them.
func groupFields(e detect.Event) []field {
	g := groupOf(e)
	if g == nil {
		return nil
	}
	return []field{
		{"scope", g.scope}, {"src_prefix", g.srcPrefix}, {"dst_prefix", g.dstPrefix},
		{"sources", e.Sources}, {"src_ips", g.members},
	}
}

// scanFields are what EVE's scan object holds.
func scanFields(e detect.Event) []field {
	return slices.Concat(incidentFields(e), figureFields(e), contextFields(e), groupFields(e))
}

// summaryFields are what EVE's scan_summary object holds.
func summaryFields(e detect.Event) []field {
	f := e.Folded
	kinds := []field{}
	for _, k := range []detect.Kind{detect.Block, detect.Horizontal, detect.Vertical} {
		if n := f.Kinds[k]; n != 0 {
			kinds = append(kinds, field{kindWord(k), n})
		}
	}
	return []field{
		{"since", moment(e.FirstSeen)}, // counted from then to the line's time
		{"started", f.Started},
		{"updated", f.Updated},
		{"ended", f.Ended},
		{"ongoing", f.Ongoing},
		{"contacts", f.Contacts},
		{"kinds", kinds},
		{"top_ports", topPorts(f.TopPorts)},
		{"src_ips", examples(f)},
	}
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
	case []field:
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
