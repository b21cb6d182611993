package synth

import (
	"fmt"
	"slices"
)

// runWorm sweeps addresses for a service by ordinary connections or by raw
// SYNs, and talks to what is open.
func runWorm(g *gen) {
	s := newScan(g, technique{flags: syn, raw: g.r.chance(400), talks: g.r.chance(500)})
	n := g.r.logn(30, 8000)
	if g.r.chance(400) {
		n = g.r.logn(8, 40)
	}
	s.hosts, s.ports = g.targets(min(n, s.limit)), g.r.fewPorts(false)
	if g.r.chance(500) {
		s.ports = s.ports[:1]
	}
	s.retries = min(s.retries, 1)
	openAs(g.r, s.hosts, s.ports)
	s.run(g)
}

// openAs opens the ports on some of the hosts: mostly few, at times most.
func openAs(r *rng, hosts []*host, ports []uint16) {
	share := r.logn(1, 400)
	if r.chance(200) {
		share = r.span(300, 980)
	}
	for _, h := range hosts {
		if !h.dead && r.chance(share) {
			h.open = append(h.open, pick(r, ports))
		}
	}
}

// openMany opens a good part of the ports, or all, on the hosts that live: those
// behind a SYN proxy or a load balancer, tarpits and honeypots.
func openMany(r *rng, hosts []*host, ports []uint16) {
	share := 1000
	if r.chance(700) {
		share = r.span(150, 980)
	}
	for _, h := range hosts {
		if h.dead {
			continue
		}
		for _, port := range ports {
			if r.chance(share) {
				h.open = append(h.open, port)
			}
		}
	}
}

// runICMPSweep pings many addresses.
func runICMPSweep(g *gen) {
	hosts := g.targets(min(pick(g.r, []int{254, 256, g.r.logn(30, 3000)}), g.room/2+20))
	g.alignFamily(hosts)
	stamp, n := g.r.chance(150) && !g.v6, pick(g.r, []int{0, 8, 32, 56, 56, 120})
	tries := 1 + g.r.weighted(60, 30, 10)
	id := g.r.u16()
	g.sweep(hosts, tries, func(t int64, i int, h *host) {
		if stamp {
			g.message(t, g.src, h, 13, 0, uint32(id)<<16, load(g.r, 12))
		} else {
			g.echo(t, g.src, h, id, uint16(i), n, !h.dead && h.policy != drops)
		}
	})
}

// alignFamily keeps to IPv6 only where every target has it.
func (g *gen) alignFamily(hosts []*host) {
	if slices.ContainsFunc(hosts, func(h *host) bool { return !h.ip6.IsValid() }) {
		g.v6 = false
	}
}

// sweep calls probe for each host in one of the orders that tools use, up to
// tries times for one that does not answer.
func (g *gen) sweep(hosts []*host, tries int, probe func(t int64, i int, h *host)) {
	s := scan{hosts: hosts}
	order := s.hostOrder(g.r)
	p := g.newPace(len(hosts))
	g.note(fmt.Sprintf("%d hosts", len(hosts)))
	t := g.t0
	for _, i := range order {
		if g.full(t) {
			return
		}
		h := hosts[i]
		if !g.src.onlink || !h.onlink || g.attemptResolve(t, i, h) {
			for n := range tries {
				g.mark(i, noPortKey)
				probe(t+int64(n)*second, i, h)
				g.probe = false
				if !h.dead {
					break
				}
			}
		}
		t = p.next(g.r, t)
	}
}

// runARPSweep asks for all addresses of the LAN.
func runARPSweep(g *gen) {
	n := pick(g.r, []int{254, 255, 256, 256, g.r.logn(64, 1024)})
	var hosts []*host
	if g.v6 {
		for i := 1; i <= n; i++ {
			hosts = append(hosts, g.empty(g.site.lanAddr(i), i, true))
		}
		for i := range hosts {
			hosts[i].dead = !g.r.chance(60)
		}
	} else {
		hosts = g.lanTargets(n)
	}
	if g.site.view == viewBorder {
		g.v6 = false
		return
	}
	s := scan{hosts: hosts}
	order := s.hostOrder(g.r)
	retry := g.r.chance(700)
	gap := g.r.log(1*millisecond, 40*millisecond)
	if g.r.chance(150) {
		gap = g.r.log(40*millisecond, 2*second)
	}
	burst := g.r.logn(1, 60)
	g.t0 = max(g.t0, g.begin-gap*int64(len(hosts))*2/3)
	g.note(fmt.Sprintf("%d addresses, %dus apart", len(hosts), gap/microsecond))
	t := g.t0
	heard := g.r.chance(700)
	for k, i := range order {
		h := hosts[i]
		g.mark(i, noPortKey)
		g.neighbour(t, g.src, h, g.v6, heard && !h.dead)
		if h.dead && retry {
			g.neighbour(t+g.r.span64(100*millisecond, 1200*millisecond), g.src, h, g.v6, false)
		}
		g.probe = false
		t += 30 * microsecond
		if k%burst == burst-1 {
			t += g.r.exp(gap * int64(burst))
		}
		if g.full(t) {
			return
		}
	}
}

// runDiscovery probes each address in the four ways by which nmap finds hosts
// beyond the router; an ordinary user's does it with SYNs to 80 and 443.
func runDiscovery(g *gen) {
	hosts := g.targets(min(pick(g.r, []int{256, g.r.logn(30, 2000)}), g.room/4+20))
	g.alignFamily(hosts)
	synPing := &scan{technique: technique{flags: syn, raw: true}, hosts: hosts}
	ackPing := &scan{technique: technique{flags: ack, raw: true}, hosts: hosts}
	udpPing := &scan{technique: technique{udp: true, raw: true}, hosts: hosts}
	synPing.look(g.r)
	ackPing.look(g.r)
	udpPing.look(g.r)
	kinds := []int{1, 1, 1, 1, 0}
	if g.r.chance(400) { // one way alone
		kinds = make([]int, 5)
		kinds[g.r.n(5)] = 1
	}
	synPort, ackPort := pick(g.r, []uint16{443, 443, 80, 22}), pick(g.r, []uint16{80, 80, 443})
	udpPort := pick(g.r, []uint16{40125, 53, 161, 31338, uint16(g.r.span(1024, 65000))})
	id := g.r.u16()
	g.sweep(hosts, 1+g.r.n(2), func(t int64, i int, h *host) {
		port := func(p uint16) { g.mark(i, uint32(p)) }
		if kinds[0] > 0 {
			g.echo(t, g.src, h, id, uint16(i), 0, !h.dead && h.policy != drops)
			t += g.r.exp(30 * microsecond)
		}
		if kinds[1] > 0 {
			port(synPort)
			synPing.probe(g, t, h, synPing.sport, synPort)
			t += g.r.exp(30 * microsecond)
		}
		if kinds[2] > 0 {
			port(ackPort)
			ackPing.probe(g, t, h, ackPing.sport, ackPort)
		}
		if kinds[3] > 0 && !g.over6(g.src, h) {
			g.mark(i, noPortKey)
			g.message(t+g.r.exp(30*microsecond), g.src, h, 13, 0, uint32(id)<<16, load(g.r, 12))
		}
		if kinds[4] > 0 {
			port(udpPort)
			udpPing.probe(g, t, h, udpPing.sport, udpPort)
		}
	})
}

// runDecoy plays a SYN scan from several sources at once. From outside nobody
// can tell the real one, so each is an actor.
func runDecoy(g *gen) {
	s := newScan(g, technique{flags: syn, raw: true})
	if len(s.hosts) > 8 {
		s.hosts = s.hosts[:8]
	}
	s.retries = 0
	n := g.r.span(1, 6)
	s.ports = s.ports[:min(len(s.ports), max(g.room/2/(n+1)/len(s.hosts), 1))]
	first := g.src
	room := g.room
	p := g.newPace(len(s.hosts) * len(s.ports))
	start, stop := g.t0, g.t1
	for k := range n + 1 {
		if k > 0 {
			g.next(g.decoy(first))
		}
		g.room = room / (n + 1)
		g.t0, g.t1 = start, stop
		rhythm := *p
		t := g.t0 + int64(k)*g.r.span64(2000, 60000)
		for i := range s.hosts {
			for _, port := range s.ports {
				if g.full(t) {
					break
				}
				s.try(g, t, i, port)
				t = rhythm.next(g.r, t)
			}
		}
	}
}

// decoy is a source that a scanner forges.
func (g *gen) decoy(of *host) *host {
	if of.onlink && g.r.chance(500) && g.site.view != viewBorder {
		d := *of
		d.ip = g.site.freeAddr(g.r)
		return &d
	}
	d := g.remote()
	d.onlink = of.onlink && g.site.view == viewBorder
	if of.onlink && g.site.view != viewBorder {
		d.onlink, d.mac = true, of.mac
	}
	return d
}
