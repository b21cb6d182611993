package alert

import (
	"encoding/json"
	"net/netip"
	"strconv"

	"edgescan/internal/detect"
)

// JSON returns e as one JSON object without a line end, in the shape of
// Suricata's EVE. A Summary has an event_type of its own: what reads scan events
// by state, source or ID need not know of it.
func JSON(e detect.Event) []byte {
	var l fields
	l.add("timestamp", moment(e.Time))
	if isSummary(e) {
		l.add("event_type", "scan_summary")
		l.add("scan_summary", summaryFields(&e))
		return appendObject(nil, l)
	}
	l.add("event_type", "scan")
	l.add("src_ip", sourceIP(e))
	l.addText("src_name", sourceName(&e))
	l.addFlow(&e)
	l.add("scan", scanFields(&e))
	return appendObject(nil, l)
}

// appendObject appends fields as a JSON object, but for texts that are empty.
func appendObject(b []byte, l fields) []byte {
	b = append(b, '{')
	for _, f := range l {
		if f.value != "" {
			b = appendJSON(appendName(b, f.name), f.value)
		}
	}
	return append(b, '}')
}

// appendName appends the name of a field of an object.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), `":`...) // names are plain letters
}

// appendJSON appends a field's value.
func appendJSON(b []byte, value any) []byte {
	switch v := value.(type) {
	case fields:
		return appendObject(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint16:
		return strconv.AppendUint(b, uint64(v), 10)
	case float64: // within 0 to 100, with few digits
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case []uint16:
		return append(append(append(b, '['), numberList(v)...), ']')
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	case moment, netip.Addr, string:
		return appendString(b, textOf(v))
	}
	return append(b, "null"...) // no field has another type
}

// appendString appends s in quotes, escaped, and valid UTF-8 whatever it holds.
func appendString(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // it fails on no text
	return append(b, text...)
}
