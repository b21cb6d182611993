package alert

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"edgescan/internal/detect"
)

// facility is daemon (3): a scan is no authentication event, and what reads
// auth.log expects lines of login programs.
const facility = 3

// Severities (RFC 5424, 6.2.1). The start asks for attention; what follows
// only adds to it.
const (
	warning = 4
	notice  = 5
)

const appName = "edgescan"

// sdID names the structured data element. 32473 is the enterprise number that
// IANA reserves for documentation (RFC 5612): the project has none of its own.
const sdID = "scan@32473"

func priority(s detect.State) int {
	if s == detect.Start || s == detect.Summary {
		return facility*8 + warning
	}
	return facility*8 + notice
}

// appendRFC3164 appends e as local daemons take it from syslog(3): local time
// without a year, no host name, tag and process.
func appendRFC3164(b []byte, e detect.Event, pid int, zone *time.Location) []byte {
	return fmt.Appendf(b, "<%d>%s %s[%d]: %s", priority(e.State),
		time.Unix(0, e.Time).In(zone).Format(time.Stamp), appName, pid, message(e))
}

// appendRFC5424 appends e with the fields of its JSON as structured data. No
// value holds a quote, backslash or bracket, so none is escaped. The text is
// ASCII, so that no byte order mark is due.
func appendRFC5424(b []byte, e detect.Event, pid int, host string) []byte {
	if e.State == detect.Summary && e.Folded != nil {
		return appendSummary(b, e, pid, host)
	}
	b = fmt.Appendf(b, "<%d>1 %s %s %s %d scan [%s", priority(e.State), timestamp(e.Time), host, appName, pid, sdID)
	params := []param{
		{"id", idString(e.ID)},
		{"state", stateWord(e.State)},
		{"kind", kindWord(e.Kind)},
		{"src_ip", sourceIP(e)},
		{"score", probability(e.Score)},
		{"first_seen", timestamp(e.FirstSeen)},
		{"last_seen", timestamp(e.LastSeen)},
		{"window_s", e.Window / int64(time.Second)},
		{"contacts", e.Contacts},
		{"hosts", e.Hosts},
		{"ports", e.Ports},
		{"answered", e.Answered},
		{"refused", e.Refused},
		{"silent", e.Silent},
		{"odd", e.Odd},
		{"protocols", strings.Join(protocolNames(e.Protocols), ",")},
		{"top_ports", numberList(topPorts(e.TopPorts))},
		{"example_dst", e.Example.Netip()},
	}
	if name := cleanName(e.Name); name != "" && groupOf(e) == nil {
		params = append(params, param{"src_name", name})
	}
	if id := communityID(e.Flow); id != "" {
		params = append(params, param{"community_id", id})
	}
	if g := groupOf(e); g != nil {
		params = append(params, param{"scope", g.Scope}, param{"src_prefix", g.SrcPrefix}, param{"dst_prefix", g.DstPrefix},
			param{"sources", g.Sources}, param{"src_ips", strings.Join(g.SrcIPs, ",")})
	}
	return fmt.Appendf(appendParams(b, params), "] %s", message(e))
}

// param is one value of the structured data.
type param struct {
	name  string
	value any
}

func appendParams(b []byte, params []param) []byte {
	for _, p := range params {
		b = fmt.Appendf(b, ` %s="%v"`, p.name, p.value)
	}
	return b
}

// appendSummary is appendRFC5424 of a Summary.
func appendSummary(b []byte, e detect.Event, pid int, host string) []byte {
	f := e.Folded
	b = fmt.Appendf(b, "<%d>1 %s %s %s %d scan_summary [%s", priority(e.State), timestamp(e.Time), host, appName, pid, sdID)
	b = appendParams(b, []param{
		{"started", f.Started}, {"updated", f.Updated}, {"ended", f.Ended}, {"ongoing", f.Ongoing},
		{"contacts", f.Contacts}, {"top_ports", numberList(topPorts(f.TopPorts))}, {"src_ips", strings.Join(examples(f), ",")},
	})
	return fmt.Appendf(b, "] %s", message(e))
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

// headerHost returns name as RFC 5424 allows it in a header, or "-".
func headerHost(name string) string {
	if name == "" || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' }) {
		return "-"
	}
	return name
}
