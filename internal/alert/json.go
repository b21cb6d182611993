package alert

import (
	"encoding/json"
	"time"

	"edgescan/internal/detect"
)

// eve is one line in the shape of Suricata's EVE. Users script against the
// names: fields may be added, not renamed or removed.
type eve struct {
	Timestamp string `json:"timestamp"` // capture time
	EventType string `json:"event_type"`
	SrcIP     string `json:"src_ip"`
	Scan      scan   `json:"scan"`
}

type scan struct {
	ID         string   `json:"id"`
	State      string   `json:"state"`
	Kind       string   `json:"kind"`
	Score      float64  `json:"score"`
	FirstSeen  string   `json:"first_seen"`
	LastSeen   string   `json:"last_seen"`
	WindowS    int64    `json:"window_s"`
	Contacts   int      `json:"contacts"`
	Hosts      int      `json:"hosts"`
	Ports      int      `json:"ports"`
	Answered   int      `json:"answered"`
	Refused    int      `json:"refused"`
	Silent     int      `json:"silent"`
	Odd        int      `json:"odd"`
	Protocols  []string `json:"protocols"`
	TopPorts   []uint16 `json:"top_ports"`
	ExampleDst string   `json:"example_dst"`
}

// JSON returns e as one EVE JSON object without a line end.
func JSON(e detect.Event) []byte {
	// Marshal fails on types and numbers that JSON lacks: eve has none, since
	// probability removes them.
	line, _ := json.Marshal(eve{
		Timestamp: timestamp(e.Time),
		EventType: "scan",
		SrcIP:     e.Source.Netip().String(),
		Scan: scan{
			ID:         idString(e.ID),
			State:      stateWord(e.State),
			Kind:       kindWord(e.Kind),
			Score:      probability(e.Score),
			FirstSeen:  timestamp(e.FirstSeen),
			LastSeen:   timestamp(e.LastSeen),
			WindowS:    e.Window / int64(time.Second),
			Contacts:   e.Contacts,
			Hosts:      e.Hosts,
			Ports:      e.Ports,
			Answered:   e.Answered,
			Refused:    e.Refused,
			Silent:     e.Silent,
			Odd:        e.Odd,
			Protocols:  protocolNames(e.Protocols),
			TopPorts:   topPorts(e.TopPorts),
			ExampleDst: e.Example.Netip().String(),
		},
	})
	return line
}

// timestamp writes nanoseconds since 1970 as RFC 3339 in UTC with
// microseconds, which is also what RFC 5424 takes.
func timestamp(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000Z")
}
