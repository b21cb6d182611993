package alert

import (
	"encoding/json"
	"net/netip"
	"time"

	"edgescan/featurize"
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
	Direction  string   `json:"direction,omitempty"`
	Allowed    string   `json:"allowed,omitempty"` // why a rule allows it
	*group              // of a source that is one host there is none
}

// group is what a line says of a source that is many hosts.
type group struct {
	Scope     string   `json:"scope"`                // prefix, or distributed
	SrcPrefix string   `json:"src_prefix,omitempty"` // that all sources have in common
	DstPrefix string   `json:"dst_prefix,omitempty"` // that all destinations have in common
	Sources   int      `json:"sources"`
	SrcIPs    []string `json:"src_ips"` // some of them
}

// maxMembers bounds how many sources of a group a line lists.
const maxMembers = 5

// groupOf returns what is to be said of a group, nil for a host.
func groupOf(e detect.Event) *group {
	g := &group{Sources: e.Sources, SrcIPs: []string{}}
	for _, a := range e.Members[:min(len(e.Members), maxMembers)] {
		g.SrcIPs = append(g.SrcIPs, a.Netip().String())
	}
	switch e.Scope {
	case featurize.Prefix:
		g.Scope, g.SrcPrefix = "prefix", e.Prefix.String()
	case featurize.Target:
		g.Scope, g.DstPrefix = "distributed", e.Prefix.String()
	default:
		return nil
	}
	return g
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

// JSON returns e as one EVE JSON object without a line end.
func JSON(e detect.Event) []byte {
	// Marshal fails on types and numbers that JSON lacks: eve has none, since
	// probability removes them.
	line, _ := json.Marshal(eve{
		Timestamp: timestamp(e.Time),
		EventType: "scan",
		SrcIP:     sourceIP(e).String(),
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
			Direction:  e.Direction.String(),
			Allowed:    e.Allowed,
			group:      groupOf(e),
		},
	})
	return line
}

// timestamp writes nanoseconds since 1970 as RFC 3339 in UTC with
// microseconds, which is also what RFC 5424 takes.
func timestamp(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000Z")
}
