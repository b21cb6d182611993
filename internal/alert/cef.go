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

// cefKeys are the keys of CEF's dictionary for fields, and the labels that go
// with its custom keys. What is not here gets a key that begins with the
// product's name, as the dictionary wants it.
var cefKeys = []struct{ name, key, label string }{
	{"timestamp", "rt", ""},
	{"action", "act", ""},
	{"host", "dvchost", ""},
	{"src_ip", "src", ""},
	{"src_name", "shost", ""},
	{"src_port", "spt", ""},
	{"dest_ip", "dst", ""},
	{"dest_port", "dpt", ""},
	{"proto", "proto", ""},
	{"community_id", "cs3", "communityId"},
	{"id", "externalId", ""},
	{"kind", "cs1", "kind"},
	{"score", "cfp1", "score"},
	{"first_seen", "start", ""},
	{"last_seen", "end", ""},
	{"since", "start", ""},
	{"contacts", "cnt", ""},
	{"hosts", "cn1", "hosts"},
	{"ports", "cn2", "ports"},
	{"sources", "cn3", "sources"},
	{"protocols", "cs5", "protocols"},
	{"top_ports", "cs4", "topPorts"},
	{"direction", "cs2", "direction"},
	{"allowed", "reason", ""},
	{"src_prefix", "cs6", "srcPrefix"},
	{"message", "msg", ""},
}

// cefHeader are the fields of the header behind vendor and product.
var cefHeader = []string{"version", "rule_id", "rule_name", "severity"}

// appendCEF appends e in ArcSight's Common Event Format, version 0, with the
// fields of its JSON. It is printable ASCII.
func appendCEF(b []byte, e detect.Event, h Header) []byte {
	l := headFields(&e, &h)
	b = append(b, "CEF:0|"+product+"|"+product...)
	for _, name := range cefHeader {
		b = appendEscaped(append(b, '|'), textOf(l.get(name)), '|')
	}
	b = append(b, '|')
	for _, f := range append(l, cefFields(e)...) {
		if text := textOf(f.value); text != "" && !slices.Contains(cefHeader, f.name) {
			b = appendExtension(b, f, text)
		}
	}
	return b[:len(b)-1] // without the last space
}

// cefFields returns what extensions say of e. A receiver need not take long
// lines, so that what another key says as well is left out.
func cefFields(e detect.Event) (l fields) {
	if isSummary(e) {
		l = summaryFields(&e)
		l.add("last_seen", moment(e.LastSeen))
	} else {
		l.add("src_ip", sourceIP(e))
		l.addText("src_name", sourceName(&e))
		l.addFlow(&e)
		for _, f := range scanFields(&e) {
			if f.name != "state" && (f.name != "example_dst" || e.Flow.IsZero()) {
				l = append(l, f)
			}
		}
	}
	e.Flow = detect.Flow{} // whose ID the message has at its end
	l.add("message", message(e))
	return l
}

// appendExtension appends a field by its key, with its label where it has one,
// and a space.
func appendExtension(b []byte, f field, text string) []byte {
	key, label := product+camel(f.name), ""
	for _, k := range cefKeys {
		if k.name == f.name {
			key, label = k.key, k.label
		}
	}
	switch v := f.value.(type) {
	case moment:
		text = strconv.FormatInt(time.Unix(0, int64(v)).UnixMilli(), 10)
	case netip.Addr:
		switch { // version 0 has src and dst for IPv4 alone
		case key == "src" && v.Is6():
			key, label = "c6a2", "Source IPv6 Address"
		case key == "dst" && v.Is6():
			key, label = "c6a3", "Destination IPv6 Address"
		}
	}
	b = append(append(b, key...), '=')
	b = append(appendEscaped(b, text, '='), ' ')
	if label != "" {
		b = append(append(append(append(b, key...), "Label="...), label...), ' ')
	}
	return b
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
