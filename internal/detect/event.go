package detect

import (
	"net/netip"
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
)

// State says where in an incident an Event stands.
type State string

// An incident has one start, at most one update an interval, and one end.
const (
	Start  State = "start"
	Update State = "update"
	End    State = "end"
)

// Summary is the State of an Event that is about many incidents, which Folded
// counts. An Engine makes none.
const Summary State = "summary"

// Folded counts the incidents of which there are no Events of their own, for
// they were too many, since the Summary before.
type Folded struct {
	Started  int            // incidents that began
	Updated  int            // updates of them and of those before
	Ended    int            // incidents that ended, of these and of those before
	Ongoing  int            // incidents that have begun and not ended, all in all
	Kinds    map[Kind]int   // of the started
	Contacts int            // of the started at their start, and of the ended at their end
	TopPorts []uint16       // that most of the started tried, at most 10
	Examples []capture.Addr // some of the started, at most 3
}

// Kind is the shape of a scan.
type Kind string

// Vertical is many ports of few hosts, horizontal few ports of many hosts,
// block many of both.
const (
	Vertical   Kind = "vertical"
	Horizontal Kind = "horizontal"
	Block      Kind = "block"
)

// Event is one line's worth of an incident: what is known of a scanning
// source when the line is written. Counts run from the incident's start.
type Event struct {
	ID        uint64 // the same in all events of one incident; derived from source and start time
	State     State
	Kind      Kind // of an update that of what is new, else of all
	Scope     featurize.Scope
	Source    capture.Addr   // of a Prefix its first address; of a Target the destination
	Prefix    netip.Prefix   // what Source stands for
	Sources   int            // of a group: how many are known
	Members   []capture.Addr // of a group: some of them, at most 5
	Score     float64        // probability of a scan, 0 to 1, at most four digits
	Time      int64          // capture time of this event, nanoseconds since 1970-01-01 UTC
	FirstSeen int64          // first contact counted, same clock
	LastSeen  int64          // latest contact that is not productive, same clock
	Window    int64          // nanoseconds: the window whose map showed the scan
	Contacts  int            // distinct (destination, protocol, port)
	Hosts     int
	Ports     int
	Answered  int
	Refused   int
	Silent    int // includes contacts still waiting for an answer
	Odd       int
	Protocols []capture.Proto
	TopPorts  []uint16     // most contacted first, at most 10
	Example   capture.Addr // one of the hosts
	Flow      Flow         // of a contact with it
	Folded    *Folded      // of a Summary: all there is besides State and times
	Name      string       // of the source, for who knows one to fill in; the Engine leaves it empty
	Picture   string       // the file that shows it, for who draws one; the Engine leaves it empty
	Targets   netip.Prefix // the least that holds the destinations tried in vain; of IPv4 and IPv6 at once not valid
	Direction Direction    // of most contacts tried in vain
	Allowed   string       // why a rule allows what is not to be named; empty: it is to be
}

// Clone returns a copy of an event that the Engine does not write to again.
func (e *Event) Clone() Event {
	c := *e
	c.Members, c.Protocols, c.TopPorts = slices.Clone(e.Members), slices.Clone(e.Protocols), slices.Clone(e.TopPorts)
	return c
}

// Flow is an example of what a source sent, to find it by in other logs. The
// zero Flow is none: of a group, whoever sent it may be forgotten.
type Flow struct {
	Src, Dst capture.Addr
	SrcPort  uint16 // TCP and UDP
	DstPort  uint16 // TCP and UDP; ICMP and ICMPv6: the type
	Proto    capture.Proto
}

// IsZero reports whether f is no flow.
func (f Flow) IsZero() bool { return f == Flow{} }
