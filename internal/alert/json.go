package alert

import (
	"encoding/json"
	"net/netip"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// eve is one line in the shape of Suricata's EVE. Users script against the
// names: fields may be added, not renamed or removed.
type eve struct {
	Timestamp   string  `json:"timestamp"` // capture time
	EventType   string  `json:"event_type"`
	SrcIP       string  `json:"src_ip"`
	SrcName     string  `json:"src_name,omitempty"`
	SrcPort     *uint16 `json:"src_port,omitempty"` // from here on an example of what the source sent
	DestIP      string  `json:"dest_ip,omitempty"`
	DestPort    *uint16 `json:"dest_port,omitempty"`
	Proto       string  `json:"proto,omitempty"`
	CommunityID string  `json:"community_id,omitempty"`
	Scan        scan    `json:"scan"`
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

// eveProtos are the protocols' names as Suricata writes them at the top.
var eveProtos = map[capture.Proto]string{
	capture.ProtoTCP: "TCP", capture.ProtoUDP: "UDP", capture.ProtoICMP: "ICMP", capture.ProtoICMPv6: "IPv6-ICMP", capture.ProtoARP: "ARP",
}

// addFlow adds the example. The port it came from is that of src_ip only where
// this is a host.
func (l *eve) addFlow(e detect.Event) {
	f := e.Flow
	if f.IsZero() {
		return
	}
	l.DestIP, l.Proto, l.CommunityID = f.Dst.Netip().String(), eveProtos[f.Proto], communityID(f)
	if len(withPorts([]capture.Proto{f.Proto})) == 0 {
		return
	}
	l.DestPort = &f.DstPort
	if groupOf(e) == nil {
		l.SrcPort = &f.SrcPort
	}
}

// JSON returns e as one EVE JSON object without a line end.
func JSON(e detect.Event) []byte {
	if e.State == detect.Summary && e.Folded != nil {
		return summaryJSON(e)
	}
	object := eve{
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
	}
	if object.Scan.group == nil {
		object.SrcName = cleanName(e.Name)
	}
	object.addFlow(e)
	// Marshal fails on types and numbers that JSON lacks: eve has none, since
	// probability removes them.
	line, _ := json.Marshal(object)
	return line
}

// timestamp writes nanoseconds since 1970 as RFC 3339 in UTC with
// microseconds, which is also what RFC 5424 takes.
func timestamp(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000Z")
}
