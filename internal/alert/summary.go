package alert

import (
	"encoding/json"
	"fmt"
	"strings"

	"edgescan/internal/detect"
)

// eveSummary is the line about many incidents. Its event_type is one of its
// own: what reads scan events by state, source or ID need not know of it.
type eveSummary struct {
	Timestamp string      `json:"timestamp"`
	EventType string      `json:"event_type"`
	Summary   scanSummary `json:"scan_summary"`
}

type scanSummary struct {
	Since    string         `json:"since"` // counted from then to timestamp
	Started  int            `json:"started"`
	Updated  int            `json:"updated"`
	Ended    int            `json:"ended"`
	Ongoing  int            `json:"ongoing"`
	Contacts int            `json:"contacts"`
	Kinds    map[string]int `json:"kinds"`
	TopPorts []uint16       `json:"top_ports"`
	SrcIPs   []string       `json:"src_ips"`
}

// summaryKinds are the kinds in the order in which a line names them.
var summaryKinds = []detect.Kind{detect.Vertical, detect.Horizontal, detect.Block}

func summaryJSON(e detect.Event) []byte {
	f := e.Folded
	kinds := map[string]int{}
	for _, k := range summaryKinds {
		if n := f.Kinds[k]; n != 0 {
			kinds[kindWord(k)] = n
		}
	}
	line, _ := json.Marshal(eveSummary{ // it has nothing that JSON lacks
		Timestamp: timestamp(e.Time),
		EventType: "scan_summary",
		Summary: scanSummary{
			Since: timestamp(e.FirstSeen), Started: f.Started, Updated: f.Updated, Ended: f.Ended, Ongoing: f.Ongoing,
			Contacts: f.Contacts, Kinds: kinds, TopPorts: topPorts(f.TopPorts), SrcIPs: examples(f),
		},
	})
	return line
}

// examples returns addresses of some sources. It never returns nil.
func examples(f *detect.Folded) []string {
	list := []string{}
	for _, a := range f.Examples[:min(len(f.Examples), maxExamples)] {
		list = append(list, a.Netip().String())
	}
	return list
}

// summaryMessage is the line about many incidents, such as
//
//	scan summary: 312 more sources began to scan, such as 198.51.100.7, 203.0.113.9 (10 vertical, 302 horizontal), most of them on ports telnet 23, ssh 22; of those not named 5 ended, 307 go on
func summaryMessage(f *detect.Folded) string {
	var b strings.Builder
	b.WriteString("scan summary: ")
	if f.Started > 0 {
		fmt.Fprintf(&b, "%s began to scan", plural(f.Started, "more source"))
		if such := examples(f); len(such) > 0 {
			fmt.Fprintf(&b, ", such as %s", strings.Join(such, ", "))
		}
		var kinds []string
		for _, k := range summaryKinds {
			if n := f.Kinds[k]; n > 0 {
				kinds = append(kinds, fmt.Sprintf("%d %s", n, kindWord(k)))
			}
		}
		if len(kinds) > 0 {
			fmt.Fprintf(&b, " (%s)", strings.Join(kinds, ", "))
		}
		if ports := portNamesOf(f.TopPorts); ports != "" {
			fmt.Fprintf(&b, ", most of them on ports %s", ports)
		}
		b.WriteString("; ")
	}
	fmt.Fprintf(&b, "of those not named %d ended, %d go on", f.Ended, f.Ongoing)
	return b.String()
}

func portNamesOf(ports []uint16) string {
	var names []string
	for _, p := range topPorts(ports) {
		names = append(names, portName(p))
	}
	return strings.Join(names, ", ")
}
