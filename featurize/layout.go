package featurize

import "edgescan/capture"

// Layout says how fine a map is. Its columns are, from left to right: TCP port
// 80, TCP port 443, the other TCP ports; UDP port 53, UDP port 443, the other
// UDP ports; ICMP; ARP and neighbour discovery; one that stays empty, so that no
// kernel mixes contacts with the last, which tells the window.
type Layout struct {
	Rows     int // for hosts; a power of two
	TCP, UDP Spread
}

// Spread is the number of columns over which ports are spread by their
// remainder, each at least 1.
type Spread struct {
	WellKnown  int // below 1024
	Registered int // below 32768
	Ephemeral  int // from there on
}

// DefaultLayout returns the layout of the maps that the detector looks at.
func DefaultLayout() Layout {
	return Layout{Rows: Rows, TCP: Spread{14, 8, 4}, UDP: Spread{6, 4, 4}}
}

// The ports with columns of their own, which come first.
var (
	favouriteTCP = [2]uint16{80, 443}
	favouriteUDP = [2]uint16{53, 443}
)

// The columns behind those of the ports.
const (
	columnICMP = iota
	columnARP
	_
	_
	columnsWithoutPorts
)

// columns returns the number of a protocol's columns.
func (s *Spread) columns() int {
	return len(favouriteTCP) + s.WellKnown + s.Registered + s.Ephemeral
}

// column returns the column of a port among those of its protocol.
func (s *Spread) column(port uint16, favourites *[2]uint16) int {
	switch {
	case port == favourites[0]:
		return 0
	case port == favourites[1]:
		return 1
	case port < 1024:
		return 2 + int(port)%s.WellKnown
	case port < 32768:
		return 2 + s.WellKnown + int(port)%s.Registered
	}
	return 2 + s.WellKnown + s.Registered + int(port)%s.Ephemeral
}

// Columns returns the number of columns.
func (l Layout) Columns() int { return l.TCP.columns() + l.UDP.columns() + columnsWithoutPorts }

// Size returns the number of values in a map.
func (l Layout) Size() int { return l.Rows * l.Columns() * Channels }

// column returns the column of a contact.
func (l *Layout) column(proto capture.Proto, port uint16) int {
	switch proto {
	case capture.ProtoTCP:
		return l.TCP.column(port, &favouriteTCP)
	case capture.ProtoUDP:
		return l.TCP.columns() + l.UDP.column(port, &favouriteUDP)
	case capture.ProtoARP:
		return l.TCP.columns() + l.UDP.columns() + columnARP
	}
	return l.TCP.columns() + l.UDP.columns() + columnICMP
}

// Group is a run of columns with one meaning.
type Group struct {
	Name  string // empty for the column that stays empty
	Width int
}

// Groups lists the columns from left to right.
func (l Layout) Groups() []Group {
	return []Group{
		{"tcp 80", 1}, {"tcp 443", 1}, {"tcp <1024", l.TCP.WellKnown}, {"tcp <32768", l.TCP.Registered}, {"tcp high", l.TCP.Ephemeral},
		{"udp 53", 1}, {"udp 443", 1}, {"udp <1024", l.UDP.WellKnown}, {"udp <32768", l.UDP.Registered}, {"udp high", l.UDP.Ephemeral},
		{"icmp", 1}, {"arp", 1}, {"", 1}, {"window", 1},
	}
}
