package synth

var neighbourBehaviours = []behaviour{
	{name: "routerarp", about: "router that asks for the hosts of its LAN now and then; their answers are mostly not to be seen", weight: 16, from: gateway, run: runRouterARP},
	{name: "hostarp", about: "host that asks for its gateway and neighbours, and announces itself", weight: 6, run: runHostARP},
	{name: "nd", about: "neighbour discovery of an IPv6 router or host", weight: 5, from: gateway, run: runND},
	{name: "dhcp", about: "DHCP client and the address checks after it", weight: 3, run: runDHCP},
}

// runRouterARP asks for clients that have left, those that have not, and all
// of them at once at times.
func runRouterARP(g *gen) {
	r := g.r
	n := r.logn(3, 60)
	heard := r.chance(300)
	var list []*host
	for range n {
		h := g.insider()
		if r.chance(400) {
			h = g.empty(g.site.freeAddr(r), r.span(2, 250), true)
		}
		list = append(list, h)
	}
	if r.chance(250) {
		g.src = g.insider() // a server, an access point
	}
	bursts := r.chance(350)
	gap := r.log(200*microsecond, 60*millisecond)
	sorted := r.chance(300)
	if sorted {
		first := r.span(1, max(g.site.size()-n-2, 1))
		for i := range list {
			if r.chance(800) {
				list[i] = g.empty(g.site.lanAddr(first+i+r.n(3)), i+2, true)
			}
		}
	}
	ask := func(t int64, h *host) {
		tries := 1
		if h.dead && r.chance(400) {
			tries = r.logn(1, 6)
		}
		for i := range tries {
			g.neighbour(t+int64(i)*second, g.src, h, false, heard)
		}
	}
	if bursts {
		g.every(r.log(8*second, 10*minute), func(t int64) {
			for _, h := range list {
				if r.chance(900) {
					ask(t, h)
				}
				t += gap + r.exp(gap/4)
			}
		})
		return
	}
	g.spread(r.logn(n, 6*n), func(t int64) { ask(t, list[r.logn(1, n)-1]) })
}

// runHostARP asks for a few neighbours.
func runHostARP(g *gen) {
	r := g.r
	list := []*host{g.site.gateway, g.site.gateway, g.peer(g.src)}
	for range r.logn(1, 8) - 1 {
		list = append(list, g.peer(g.src))
	}
	if r.chance(300) {
		list = append(list, g.empty(g.site.freeAddr(r), 9, true))
	}
	g.spread(r.logn(2, 80), func(t int64) {
		switch r.weighted(85, 10, 5) {
		case 0:
			g.neighbour(t, g.src, pick(r, list), false, r.chance(850))
		case 1:
			g.announce(t, g.src)
		case 2: // checks that a neighbour it knows is still there, by unicast
			h := pick(r, list)
			g.b.arp(h.mac, g.src.mac, g.site.vlan, 1, g.src.ip, g.src.mac, h.ip, macZero)
			g.emit(t, g.src, h)
		}
	})
}

// announce sends address probes and announcements (RFC 5227).
func (g *gen) announce(t int64, h *host) {
	none := netip4(0, 0, 0, 0)
	for range 3 {
		g.b.arp(macBroadcast, h.mac, g.site.vlan, 1, none, h.mac, h.ip, macZero)
		g.emit(t, h, nil)
		t += second + g.r.n64(second)
	}
	for range 2 {
		g.b.arp(macBroadcast, h.mac, g.site.vlan, 1, h.ip, h.mac, h.ip, macZero)
		g.emit(t, h, nil)
		t += 2 * second
	}
}

// runND solicits neighbours; dead ones three times.
func runND(g *gen) {
	r := g.r
	if !g.src.ip6.IsValid() {
		runRouterARP(g)
		return
	}
	g.v6 = true
	if r.chance(400) {
		if h := g.insider(); h.ip6.IsValid() {
			g.src = h
		}
	}
	heard := r.chance(500)
	n := r.logn(2, 40)
	g.spread(n*r.span(1, 3), func(t int64) {
		h := g.insider()
		if r.chance(300) {
			h = g.empty(h.ip, r.n(4000), true)
		}
		if !h.ip6.IsValid() || h == g.src {
			return
		}
		for i := range 3 {
			g.neighbour(t+int64(i)*second, g.src, h, true, heard)
			if !h.dead {
				break
			}
		}
	})
}

// runDHCP gets an address, checks it and announces it.
func runDHCP(g *gen) {
	r := g.r
	none := *g.src
	none.ip = netip4(0, 0, 0, 0)
	g.spread(r.logn(1, 12), func(t int64) {
		for range r.span(1, 4) {
			g.group(t, &none, broadcast, 68, 67, load(r, 300), 64)
			t += g.after(g.site.gateway)
			g.datagram(t, g.site.gateway, g.src, 67, 68, load(r, 300))
			t += r.exp(second)
		}
		if r.chance(600) {
			g.announce(t, g.src)
		}
		if r.chance(300) { // the server checks that nobody has the address
			g.neighbour(t, g.site.gateway, g.empty(g.site.freeAddr(r), 3, true), false, false)
		}
	})
}
