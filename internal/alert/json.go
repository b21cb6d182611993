package alert

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"

	"edgescan/internal/detect"
)

// JSON returns e as one JSON object without a line end, in the shape of
// Suricata's EVE. A Summary has an event_type of its own: what reads scan events
// by state, source or ID need not know of it.
func JSON(e detect.Event) []byte {
	head := []field{{"timestamp", moment(e.Time)}, {"event_type", "scan"}}
	if isSummary(e) {
		head[1].value = "scan_summary"
		return appendObject(nil, append(head, field{"scan_summary", summaryFields(e)}))
	}
	return appendObject(nil, slices.Concat(head, sourceFields(e), flowFields(e), []field{{"scan", scanFields(e)}}))
}

// appendObject appends the fields that are known as a JSON object.
func appendObject(b []byte, fields []field) []byte {
	b = append(b, '{')
	for i, f := range known(fields) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.name...), `":`...) // names are plain letters
		b = appendJSON(b, f.value)
	}
	return append(b, '}')
}

// appendJSON appends a field's value.
func appendJSON(b []byte, value any) []byte {
	switch v := value.(type) {
	case []field:
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
