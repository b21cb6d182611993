package synth

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// PortSet is where a planned scan takes its ports from.
type PortSet uint8

// A vertical scan tries as many ports of the set as it has targets; there are
// two WebPorts, and ScatteredPorts are HighPorts to it. A horizontal one tries
// one port, the same on each host but for ScatteredPorts.
const (
	Favourites     PortSet = iota // those with well-known services
	LowPorts                      // below 1024
	HighPorts                     // from 1024 on
	WebPorts                      // 80 and 443
	ScatteredPorts                // from 1024 on, another one on each host
)

// ScanPlan says exactly what a SYN scan does, where Generate else draws it:
// for finding out what a detector still sees.
//
// Its sources are hosts of the LAN that do nothing else, its targets hosts
// beyond the router, or the other way round, IPv4 both, and the tap sees all
// that passes between them: no frame is lost or cut, each target is probed once.
type ScanPlan struct {
	Horizontal bool          // one port of many hosts, else many ports of one host
	Targets    int           // distinct pairs of host and port, at most 60 000
	Interval   time.Duration // from one probe to the next, of whichever source; at most an hour or so
	Sequential bool          // targets rise, else they are shuffled
	Answered   int           // permille of the targets that are open
	Dropped    int           // permille of the others that say nothing; the rest refuse
	Ports      PortSet
	Decoys     int  // forged sources beside, each of which sends every probe too
	Sources    int  // real ones, which take turns; 0 means 1. On the LAN there is room for 90, decoys included
	Inbound    bool // the sources are anywhere on the Internet, the targets on the LAN, at most 200 hosts
	Browsing   int  // web connections that a source makes for each 1000 probes of its own, to a few dozen hosts, which answer
}

// What a planned scan has for company.
const (
	companions      = 3
	companionFrames = 300
)

// planned makes the scene of opt.Scan: a network and a few benign actors as
// ever, and the scan.
func planned(seed uint64, opt Options) *Scene {
	p := *opt.Scan
	p.Sources = max(p.Sources, 1)
	r := newRNG(seed, 0)
	g := newGen(seed, r)
	for g.site.view == viewHost || g.site.size() < 256 { // a place from which all of it is seen, and room for its sources
		g.site = newSite(r)
	}
	g.fewest = 1
	g.defect = defects{snaplen: 65535, tick: 1}
	start := g.begin + r.span64(5*second, 20*second)
	g.end = start + int64(p.Interval)*int64(p.Targets) + 30*second
	for i := range companions {
		g.play(g.draw(false), uint64(i)+2, companionFrames)
	}
	g.r = newRNG(seed, 1)
	g.room = opt.MaxFrames - len(g.scene.Frames)
	g.t0, g.t1, g.v6, g.notes = g.begin, g.end, false, nil
	g.behaviour = lookup("syn")
	p.run(g, start)
	slices.SortStableFunc(g.scene.Frames, func(a, b Frame) int { return cmp.Compare(a.Time, b.Time) })
	return g.scene
}

// run plays the scan's sources, one after the other, on a common timetable.
func (p *ScanPlan) run(g *gen, start int64) {
	s := &scan{technique: technique{flags: syn, raw: true}}
	targets := p.targets(g, s)
	when := func(i int) int64 { return start + int64(i)*int64(p.Interval) }
	var real *host
	for k := range p.Sources {
		if p.Inbound {
			real = g.remote()
		} else {
			real = g.site.newOnlink(g.r, g.site.freeAddr(g.r))
		}
		p.playSource(g, real, func() {
			servers := g.remotes(g.r.logn(4, 80))
			for i := k; i < len(targets); i += p.Sources {
				s.hit(g, when(i), &targets[i])
				p.browse(g, when(i), i/p.Sources, servers)
			}
		})
	}
	for range p.Decoys {
		forged := g.decoy(real)
		g.site.taken[forged.ip] = forged
		late := g.r.span64(2*microsecond, 60*microsecond)
		p.playSource(g, forged, func() {
			for i := range targets {
				s.hit(g, when(i)+late, &targets[i])
			}
		})
	}
}

// playSource plays one source of the scan as an actor of its own.
func (p *ScanPlan) playSource(g *gen, src *host, f func()) {
	g.src = src
	actors := len(g.scene.Actors)
	g.start()
	f()
	if g.close(); len(g.scene.Actors) == actors {
		return // it had no turn
	}
	if g.scene.Actors[actors].Kind = "vertical"; p.Horizontal {
		g.scene.Actors[actors].Kind = "horizontal" // of one source among many it does not show
	}
}

// target is one pair of host and port, and what comes of probing it.
type target struct {
	host int // index in scan.hosts
	port uint16
	fate outcome
}

// hit probes a target.
func (s *scan) hit(g *gen, t int64, aim *target) {
	h := s.hosts[aim.host]
	if h.policy = refuses; aim.fate == silent {
		h.policy = drops
	}
	s.try(g, t, aim.host, aim.port)
}

// targets draws the scan's hosts, and its targets in the order of probing.
func (p *ScanPlan) targets(g *gen, s *scan) []target {
	r := g.r
	s.look(r)
	ports := p.ports(r)
	out := make([]target, p.Targets)
	if !p.Horizontal {
		out = out[:min(len(out), len(ports))]
	}
	base := r.public()
	for i := range out {
		if i == 0 || p.Horizontal {
			h := p.newTarget(g, offset4(base, i))
			h.open = nil
			s.hosts = append(s.hosts, h)
		}
		out[i] = target{host: len(s.hosts) - 1, port: ports[i%len(ports)]}
	}
	p.drawFates(r, out)
	for _, aim := range out {
		if h := s.hosts[aim.host]; aim.fate == answered {
			h.open = append(h.open, aim.port)
		}
	}
	if !p.Sequential {
		r.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// newTarget makes a host to be scanned, with an address of the Internet unless
// the scan is inbound.
func (p *ScanPlan) newTarget(g *gen, a netip.Addr) *host {
	if p.Inbound {
		return g.site.newOnlink(g.r, g.site.nextAddr())
	}
	return g.site.newRemote(g.r, a)
}

// drawFates deals out what comes of the probes, in exactly the shares asked
// for.
func (p *ScanPlan) drawFates(r *rng, targets []target) {
	fates := make([]outcome, len(targets))
	open := (len(fates)*p.Answered + 500) / 1000
	drop := ((len(fates)-open)*p.Dropped + 500) / 1000
	for i := range fates {
		switch {
		case i < open:
			fates[i] = answered
		case i < open+drop:
			fates[i] = silent
		default:
			fates[i] = refused
		}
	}
	for i, fate := range shuffled(r, fates) {
		targets[i].fate = fate
	}
}

// ports draws the ports, in rising order.
func (p *ScanPlan) ports(r *rng) []uint16 {
	n := min(p.Targets, 60_000)
	if p.Horizontal && p.Ports != ScatteredPorts {
		n = 1
	}
	var out []uint16
	switch p.Ports {
	case Favourites:
		if out = r.favourites(n, false); p.Horizontal {
			out = []uint16{pick(r, wormPorts)}
		}
	case LowPorts:
		out = shuffled(r, portRange(1, 1023))
	case WebPorts:
		out = shuffled(r, []uint16{80, 443})
	default:
		out = shuffled(r, portRange(1024, 65535))
	}
	out = out[:min(n, len(out))]
	sortPorts(out)
	return out
}

// browse makes the web connections that go with a source's i-th probe.
func (p *ScanPlan) browse(g *gen, t int64, i int, servers []*host) {
	for range (i+1)*p.Browsing/1000 - i*p.Browsing/1000 {
		server := servers[g.r.logn(1, len(servers))-1]
		if g.r.chance(300) {
			server = pick(g.r, servers)
		}
		g.visit(t+g.r.n64(int64(p.Interval)*int64(p.Sources)), g.src, server, answered)
	}
}
