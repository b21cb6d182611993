package alert

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// ecsVersion is that of the Elastic Common Schema whose fields ECS writes.
const ecsVersion = "8.11.0"

// ECS returns e as one JSON object without a line end, in the fields of the
// Elastic Common Schema, and what that has no field for below edgescan.
func ECS(e detect.Event, h Header) []byte {
	dataset, own := "scan", field{"scan", scanFields(e)}
	if isSummary(e) {
		dataset, own = "scan_summary", field{"scan_summary", summaryFields(e)}
	}
	event := slices.Concat(ecsKind(e), []field{
		{"action", ruleAction(e)},
		{"module", product},
		{"dataset", product + "." + dataset},
		{"start", moment(e.FirstSeen)},
		{"end", moment(e.LastSeen)},
		{"duration", max(0, e.LastSeen-e.FirstSeen)},
		{"severity", h.level(e.State)},
	})
	object := []field{
		{"@timestamp", moment(e.Time)},
		{"ecs", []field{{"version", ecsVersion}}},
		{"message", message(e)},
		{"rule", []field{{"id", ruleID(e)}, {"name", ruleName(e)}}},
		{"observer", []field{
			{"vendor", product}, {"product", product}, {"type", "ids"}, {"version", h.Version}, {"hostname", h.host()},
		}},
	}
	if isSummary(e) {
		object = append(object, field{"event", event}, field{"related", []field{{"ip", examples(e.Folded)}}})
	} else {
		event = append(event, field{"risk_score", math.Round(probability(e.Score)*1e4) / 100})
		object = append(object, field{"event", event})
		object = append(object, ecsFlow(e)...)
	}
	return appendObject(nil, append(object, field{product, []field{own}}))
}

// ecsKind returns the four fields by which ECS sorts events. What a rule allows
// is no alert.
func ecsKind(e detect.Event) []field {
	kind, types := "alert", []string{"info"}
	switch {
	case e.Allowed != "":
		kind, types[0] = "event", "allowed"
	case e.State == detect.Start:
		types = append(types, "start")
	case e.State == detect.End:
		types = append(types, "end")
	}
	return []field{{"kind", kind}, {"category", []string{"network", "intrusion_detection"}}, {"type", types}, {"reason", e.Allowed}}
}

// ecsFlow returns who scans whom, as far as it is known.
func ecsFlow(e detect.Event) []field {
	address := sourceIP(e).String()
	if g := groupOf(e); g != nil {
		address = g.srcPrefix
	}
	source := []field{{"address", address}}
	destination := []field{}
	network := []field{{"direction", ecsDirection(e.Direction)}}
	for _, f := range slices.Concat(sourceFields(e), flowFields(e)) {
		switch f.name {
		case "src_ip":
			source = append(source, field{"ip", f.value})
		case "src_name":
			source = append(source, field{"domain", f.value})
		case "src_port":
			source = append(source, field{"port", f.value})
		case "dest_ip":
			destination = append(destination, field{"address", f.value}, field{"ip", f.value})
			network = append(network, field{"type", networkType(e.Flow)})
		case "dest_port":
			destination = append(destination, field{"port", f.value})
		case "proto":
			if e.Flow.Proto != capture.ProtoARP {
				network = append(network, field{"transport", strings.ToLower(textOf(f.value))})
			}
		case "community_id":
			network = append(network, field{"community_id", f.value})
		}
	}
	object := []field{{"source", source}}
	for _, f := range []struct {
		name   string
		fields []field
	}{{"destination", destination}, {"network", known(network)}} {
		if len(f.fields) > 0 {
			object = append(object, field{f.name, f.fields})
		}
	}
	return append(object, field{"related", []field{{"ip", relatedIPs(e)}}})
}

// ecsDirection returns the name that ECS has for a direction.
func ecsDirection(d detect.Direction) string {
	if d == detect.Transit {
		return "external"
	}
	return d.String()
}

// networkType returns what carries a flow.
func networkType(f detect.Flow) string {
	switch {
	case f.Proto == capture.ProtoARP:
		return "arp"
	case f.Dst.Is4():
		return "ipv4"
	}
	return "ipv6"
}

// relatedIPs returns all addresses of hosts that a line names, each once.
func relatedIPs(e detect.Event) []string {
	var ips []string
	add := func(s string) {
		if !slices.Contains(ips, s) {
			ips = append(ips, s)
		}
	}
	if g := groupOf(e); g != nil {
		for _, s := range g.members {
			add(s)
		}
	} else {
		add(sourceIP(e).String())
	}
	for _, a := range []netip.Addr{e.Example.Netip(), e.Flow.Dst.Netip()} {
		if !a.IsUnspecified() {
			add(a.String())
		}
	}
	return ips
}
