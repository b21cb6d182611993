package alert

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"edgescan/internal/detect"
)

// product is what CEF and ECS give as vendor and product.
const product = "edgescan"

// cefKeys are the keys of CEF's dictionary for fields; what has none gets one
// that begins with the product's name, as the dictionary wants it. A custom key
// goes with a label.
var cefKeys = map[string]struct{ key, label string }{
	"timestamp":    {"rt", ""},
	"action":       {"act", ""},
	"host":         {"dvchost", ""},
	"src_name":     {"shost", ""},
	"src_port":     {"spt", ""},
	"dest_port":    {"dpt", ""},
	"proto":        {"proto", ""},
	"community_id": {"cs3", "communityId"},
	"id":           {"externalId", ""},
	"kind":         {"cs1", "kind"},
	"score":        {"cfp1", "score"},
	"first_seen":   {"start", ""},
	"last_seen":    {"end", ""},
	"since":        {"start", ""},
	"contacts":     {"cnt", ""},
	"hosts":        {"cn1", "hosts"},
	"ports":        {"cn2", "ports"},
	"sources":      {"cn3", "sources"},
	"protocols":    {"cs5", "protocols"},
	"top_ports":    {"cs4", "topPorts"},
	"direction":    {"cs2", "direction"},
	"allowed":      {"reason", ""},
	"src_prefix":   {"cs6", "srcPrefix"},
	"message":      {"msg", ""},
}

// cefAddresses are the keys of addresses, IPv4 and IPv6: the dictionary of
// version 0 has src and dst for IPv4 alone.
var cefAddresses = map[string]struct{ four, six, label string }{
	"src_ip":  {"src", "c6a2", "Source IPv6 Address"},
	"dest_ip": {"dst", "c6a3", "Destination IPv6 Address"},
}

// appendCEF appends e in ArcSight's Common Event Format, version 0, with the
// fields of its JSON. It is printable ASCII.
func appendCEF(b []byte, e detect.Event, h Header) []byte {
	b = append(b, "CEF:0"...)
	for _, s := range []string{product, product, h.Version, ruleID(e), ruleName(e), strconv.Itoa(h.level(e.State))} {
		b = appendEscaped(append(b, '|'), s, '|')
	}
	b = append(b, '|')
	for i, f := range cefFields(e, h) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(append(b, f.name...), '=')
		b = appendEscaped(b, textOf(f.value), '=')
	}
	return b
}

// cefFields returns the fields by the names of CEF. A receiver need not take
// long lines, so that what another key says as well is left out.
func cefFields(e detect.Event, h Header) []field {
	fields := []field{{"timestamp", moment(e.Time)}, {"action", ruleAction(e)}, {"host", h.host()}}
	if isSummary(e) {
		fields = slices.Concat(fields, summaryFields(e), []field{{"last_seen", moment(e.LastSeen)}})
	} else {
		flow := flowFields(e)
		fields = slices.Concat(fields, sourceFields(e), flow, slices.DeleteFunc(scanFields(e), func(f field) bool {
			return f.name == "state" || f.name == "example_dst" && len(flow) > 0
		}))
	}
	e.Flow = detect.Flow{} // whose ID the message has at its end
	var named []field
	for _, f := range append(fields, field{"message", message(e)}) {
		if textOf(f.value) != "" { // lists too
			named = append(named, cefField(f)...)
		}
	}
	return named
}

// cefField returns a field by its name in CEF, with its label where it has one.
func cefField(f field) []field {
	var key, label string
	if address, ok := f.value.(netip.Addr); ok && cefAddresses[f.name].four != "" {
		key = cefAddresses[f.name].four
		if address.Is6() {
			key, label = cefAddresses[f.name].six, cefAddresses[f.name].label
		}
	} else if k, ok := cefKeys[f.name]; ok {
		key, label = k.key, k.label
	} else {
		key = product + camel(f.name)
	}
	if t, ok := f.value.(moment); ok {
		f.value = time.Unix(0, int64(t)).UnixMilli() // CEF's times
	}
	fields := []field{{key, f.value}}
	if label != "" {
		fields = append(fields, field{key + "Label", label})
	}
	return fields
}

// camel writes window_s as WindowS.
func camel(name string) string {
	var b []byte
	upper := true
	for _, c := range []byte(name) {
		switch {
		case c == '_':
			upper = true
			continue
		case upper:
			c -= 'a' - 'A'
		}
		b, upper = append(b, c), false
	}
	return string(b)
}

// appendEscaped appends s with backslashes before itself, end and line ends,
// as CEF wants: end is the pipe in a header, the equals sign in an extension.
// What else is not printable ASCII becomes a question mark.
func appendEscaped(b []byte, s string, end byte) []byte {
	for _, c := range []byte(s) {
		switch {
		case c == '\\' || c == end:
			b = append(b, '\\', c)
		case c == '\n' && end == '=':
			b = append(b, `\n`...)
		case c == '\r' && end == '=':
			b = append(b, `\r`...)
		default:
			b = append(b, clean(c))
		}
	}
	return b
}

// ruleID names what was found, as scan-vertical.
func ruleID(e detect.Event) string {
	if isSummary(e) {
		return "scan-summary"
	}
	return "scan-" + kindWord(e.Kind)
}

// ruleName is ruleID in words.
func ruleName(e detect.Event) string {
	if isSummary(e) {
		return "scan summary"
	}
	return kindWord(e.Kind) + " scan"
}

// ruleAction says what a line tells of it, as scan-start.
func ruleAction(e detect.Event) string {
	if isSummary(e) {
		return "scan-summary"
	}
	return "scan-" + stateWord(e.State)
}
