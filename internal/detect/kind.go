package detect

import (
	"bytes"
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
)

// Shape tells what kind of scan a set of contacts is. Host discovery (ARP and
// ICMP) counts only where there is nothing else: nmap's port scans begin with
// it. The zero Shape is ready for use.
type Shape struct {
	transport, discovery grid
}

// grid holds the hosts and ports that were tried, one entry a contact each.
// Slices are sorted when they are counted; they cost a seventh of what maps
// do, and can be used again.
type grid struct {
	hosts []capture.Addr
	ports []uint32 // protocol and port
}

// minTransport is the least number of TCP and UDP contacts for which host
// discovery beside them is left out.
const minTransport = 5

// Add takes one contact; each is to be added once.
func (s *Shape) Add(c *featurize.Contact) {
	if c.Proto.HasPorts() {
		s.transport.add(c)
	} else {
		s.discovery.add(c)
	}
}

// Kind returns the kind of a scan that consists of the contacts added.
func (s *Shape) Kind() Kind {
	if s.scansPorts() {
		return s.transport.kind()
	}
	return s.discovery.kind()
}

// Contacts returns how many contacts were added.
func (s *Shape) Contacts() int { return len(s.transport.hosts) + len(s.discovery.hosts) }

// scansPorts reports whether host discovery, if any, is only the beginning.
func (s *Shape) scansPorts() bool {
	return len(s.transport.hosts) >= minTransport || len(s.discovery.hosts) == 0
}

// size returns how many hosts and ports the scan is of. Host discovery has no
// ports.
func (s *Shape) size() (hosts, ports int) {
	of := &s.discovery
	if s.scansPorts() {
		of = &s.transport
	}
	return runs(of.sortedHosts(), nil), runs(s.transport.sortedPorts(), nil)
}

// reset empties the Shape and keeps its memory.
func (s *Shape) reset() {
	for _, g := range []*grid{&s.transport, &s.discovery} {
		g.hosts, g.ports = g.hosts[:0], g.ports[:0]
	}
}

func (g *grid) add(c *featurize.Contact) {
	g.hosts = append(g.hosts, c.Dst)
	g.ports = append(g.ports, uint32(c.Proto)<<16|uint32(c.Port))
}

func (g *grid) sortedHosts() []capture.Addr {
	slices.SortFunc(g.hosts, func(a, b capture.Addr) int { return bytes.Compare(a[:], b[:]) })
	return g.hosts
}

func (g *grid) sortedPorts() []uint32 {
	slices.Sort(g.ports)
	return g.ports
}

// kind is horizontal where hosts outnumber ports by far. Else the hosts on
// which a good part of all ports was tried decide: one is a vertical scan,
// more are a block.
func (g *grid) kind() Kind {
	ports := runs(g.sortedPorts(), nil)
	deep := 0
	hosts := runs(g.sortedHosts(), func(_ capture.Addr, contacts int) {
		if contacts >= max(3, ports/4) {
			deep++
		}
	})
	switch {
	case hosts >= 4*ports:
		return Horizontal
	case deep == 1 || hosts == 1:
		return Vertical
	case deep == 0:
		return Horizontal
	}
	return Block
}

// runs returns how many different values a sorted slice has, and calls f,
// which may be nil, with each and how often it is there.
func runs[T comparable](sorted []T, f func(value T, times int)) (n int) {
	for from := 0; from < len(sorted); n++ {
		to := from + 1
		for to < len(sorted) && sorted[to] == sorted[from] {
			to++
		}
		if f != nil {
			f(sorted[from], to-from)
		}
		from = to
	}
	return n
}
