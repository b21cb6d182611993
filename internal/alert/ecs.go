package alert

import (
	"math"
	"slices"
	"strings"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// ecsFields are the fields of the Elastic Common Schema that lines have, those
// of one set together: what every line says there, or the name of the field
// whose value it has.
var ecsFields = []struct{ set, name, constant, from string }{
	{"", "@timestamp", "", "timestamp"},
	{"", "message", "", "message"},
	{"ecs", "version", "8.11.0", ""},
	{"event", "kind", "", "event_kind"},
	{"event", "category", "", "event_category"},
	{"event", "type", "", "event_type"},
	{"event", "action", "", "action"},
	{"event", "reason", "", "allowed"},
	{"event", "module", product, ""},
	{"event", "dataset", "", "dataset"},
	{"event", "start", "", "first_seen"},
	{"event", "start", "", "since"},
	{"event", "end", "", "last_seen"},
	{"event", "duration", "", "duration"},
	{"event", "severity", "", "severity"},
	{"event", "risk_score", "", "risk_score"},
	{"rule", "id", "", "rule_id"},
	{"rule", "name", "", "rule_name"},
	{"source", "address", "", "src_address"},
	{"source", "ip", "", "src_ip"},
	{"source", "domain", "", "src_name"},
	{"source", "port", "", "src_port"},
	{"destination", "address", "", "dest_ip"},
	{"destination", "ip", "", "dest_ip"},
	{"destination", "port", "", "dest_port"},
	{"network", "direction", "", "perimeter"},
	{"network", "type", "", "carrier"},
	{"network", "transport", "", "transport"},
	{"network", "community_id", "", "community_id"},
	{"related", "ip", "", "related"},
	{"observer", "vendor", product, ""},
	{"observer", "product", product, ""},
	{"observer", "type", "ids", ""},
	{"observer", "version", "", "version"},
	{"observer", "hostname", "", "host"},
	{product, "scan", "", "scan"},
	{product, "scan_summary", "", "scan_summary"},
}

// ECS returns e as one JSON object without a line end, in the fields of the
// Elastic Common Schema, and what that has no field for below edgescan.
func ECS(e detect.Event, h Header) []byte {
	l := ecsValues(&e, &h)
	b, set := []byte{'{'}, ""
	for _, f := range ecsFields {
		value := l.get(f.from)
		if f.constant != "" {
			value = f.constant
		}
		if value == nil || value == "" {
			continue
		}
		if f.set != set {
			if set != "" {
				b = append(b, '}')
			}
			b, set = append(appendName(b, f.set), '{'), f.set
		}
		b = appendJSON(appendName(b, f.name), value)
	}
	return append(b, "}}"...)
}

// ecsValues returns the values that ecsFields names.
func ecsValues(e *detect.Event, h *Header) fields {
	l := headFields(e, h)
	l.add("message", message(*e))
	l.add("duration", max(0, e.LastSeen-e.FirstSeen))
	l.addKind(e)
	own, name := scanFields(e), "scan"
	if isSummary(*e) {
		own, name = summaryFields(e), "scan_summary"
		l.add("last_seen", moment(e.LastSeen))
		l.add("related", examples(e.Folded))
	} else {
		l.add("risk_score", math.Round(probability(e.Score)*1e4)/100)
		l.addEnds(e)
	}
	l = append(l, own...)
	l.add("dataset", product+"."+name)
	l.add(name, own)
	return l
}

// addKind adds the fields by which ECS sorts events. What a rule allows is no
// alert.
func (l *fields) addKind(e *detect.Event) {
	kind, types := "alert", []string{"info"}
	switch {
	case e.Allowed != "":
		kind, types[0] = "event", "allowed"
	case e.State == detect.Start || e.State == detect.End:
		types = append(types, string(e.State))
	}
	l.add("event_kind", kind)
	l.add("event_category", []string{"network", "intrusion_detection"})
	l.add("event_type", types)
}

// addEnds adds who scans whom, and over what, as far as it is known.
func (l *fields) addEnds(e *detect.Event) {
	address := sourceIP(*e).String()
	related := []string{address}
	if g := groupOf(*e); g != nil {
		address, related = g.srcPrefix, g.members
	}
	l.addText("src_address", address)
	l.add("src_ip", sourceIP(*e))
	l.addText("src_name", sourceName(e))
	l.addFlow(e)
	perimeter := e.Direction.String()
	if e.Direction == detect.Transit {
		perimeter = "external"
	}
	l.addText("perimeter", perimeter)
	if f := e.Flow; !f.IsZero() {
		carrier := "ipv6"
		switch {
		case f.Proto == capture.ProtoARP:
			carrier = "arp"
		case f.Dst.Is4():
			carrier = "ipv4"
		}
		l.add("carrier", carrier)
		if carrier != "arp" {
			l.addText("transport", strings.ToLower(eveProtos[f.Proto]))
		}
	}
	for _, a := range []capture.Addr{e.Example, e.Flow.Dst} {
		if s := a.Netip().String(); !a.Netip().IsUnspecified() && !slices.Contains(related, s) {
			related = append(related, s)
		}
	}
	l.add("related", related)
}
