package detect

import (
	"edgescan/capture"
	"edgescan/featurize"
)

// Shape tells what kind of scan a set of contacts is. Host discovery (ARP and
// ICMP) counts only where there is nothing else: nmap's port scans begin with
// it. The zero Shape is ready for use.
type Shape struct {
	transport, discovery grid
}

// grid holds which ports were tried on which hosts.
type grid struct {
	hosts map[capture.Addr]int // distinct ports of each
	ports map[portOf]struct{}

	contacts int
}

type portOf struct {
	proto capture.Proto
	port  uint16
}

// minTransport is the least number of TCP and UDP contacts for which host
// discovery beside them is left out.
const minTransport = 5

// Add takes one contact; each is to be added once.
func (s *Shape) Add(c *featurize.Contact) {
	if hasPorts(c) {
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
func (s *Shape) Contacts() int { return s.transport.contacts + s.discovery.contacts }

// scansPorts reports whether host discovery, if any, is only the beginning.
func (s *Shape) scansPorts() bool {
	return s.transport.contacts >= minTransport || s.discovery.contacts == 0
}

// size returns how many hosts and ports the scan is of. Host discovery has no
// ports.
func (s *Shape) size() (hosts, ports int) {
	if s.scansPorts() {
		return len(s.transport.hosts), len(s.transport.ports)
	}
	return len(s.discovery.hosts), len(s.transport.ports)
}

func (g *grid) add(c *featurize.Contact) {
	if g.hosts == nil {
		g.hosts, g.ports = map[capture.Addr]int{}, map[portOf]struct{}{}
	}
	g.contacts++
	g.hosts[c.Dst]++
	g.ports[portOf{c.Proto, c.Port}] = struct{}{}
}

// kind is horizontal where hosts outnumber ports by far. Else the hosts on
// which a good part of all ports was tried decide: one is a vertical scan,
// more are a block.
func (g *grid) kind() Kind {
	ports := len(g.ports)
	if len(g.hosts) >= 4*ports {
		return Horizontal
	}
	deep := 0
	for _, n := range g.hosts {
		if n >= max(3, ports/4) {
			deep++
		}
	}
	switch {
	case deep == 1 || len(g.hosts) == 1:
		return Vertical
	case deep == 0:
		return Horizontal
	}
	return Block
}
