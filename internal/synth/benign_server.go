package synth

var serverBehaviours = []behaviour{
	{name: "mailserver", about: "mail server: port 25 of many hosts, some dead or greylisting", weight: 8, run: runMailServer},
	{name: "monitoring", about: "monitoring: ping and a handful of services of each of many hosts, over and over, some of them down", weight: 9, run: runMonitoring},
	{name: "scada", about: "industrial master that polls its devices", weight: 4, run: runSCADA},
	{name: "healthcheck", about: "load balancer that checks the services behind it", weight: 4, run: runHealthCheck},
	{name: "containers", about: "service mesh: many short connections to a few hosts' high ports", weight: 5, run: runContainers},
	{name: "database", about: "application with pools of database connections", weight: 3, run: runDatabase},
	{name: "snmp", about: "SNMP poller, some devices silent", weight: 4, run: runSNMP},
	{name: "admin", about: "ssh to many hosts, as administrators and their tools do", weight: 5, run: runAdmin},
	{name: "backup", about: "backup server that connects to its clients on one port", weight: 4, run: runBackup},
	{name: "portwalk", about: "program that tries the next port when one refuses, a handful at most", weight: 4, run: runPortWalk},
	{name: "poller", about: "application that polls a few services, most of them dead", weight: 8, run: runPoller},
}

// runMailServer delivers mail, and comes back for what was deferred.
func runMailServer(g *gen) {
	r := g.r
	bad := r.logn(10, 500)
	g.spread(r.logn(10, 500), func(t int64) {
		t = g.lookup(g.lookup(t, g.src), g.src)
		s := g.remote()
		port := uint16(25)
		if r.chance(60) {
			port = pick(r, []uint16{587, 465, 993, 24})
		}
		out := g.fate(bad)
		for range r.logn(1, 3) { // other exchangers of the domain, or later again
			g.talk(t, talk{c: g.src, s: s, sp: port, out: out, rounds: r.span(2, 7), req: r.logn(10, 1200), resp: r.span(20, 80), gap: 50 * millisecond,
				end: pick(r, []ending{finClient, finServer, finClient, rstServer}), greets: true})
			t += r.exp(5 * minute)
			if r.chance(500) && out == answered {
				break
			}
		}
		if r.chance(50) {
			g.echo(t, g.src, s, 77, 1, 56, true)
		}
	})
}

// watched is a host under supervision and what comes of each check.
type watched struct {
	host  *host
	ports []uint16
	fates []outcome
	alive bool
}

// watchList draws hosts to check with at most ports of the services each.
func (g *gen) watchList(hosts, ports int, services []uint16, bad int) []watched {
	r := g.r
	far := r.chance(500)
	var out []watched
	set := shuffled(r, services)[:min(ports, len(services))]
	for range hosts {
		w := watched{alive: !r.chance(bad)}
		switch {
		case far || g.site.view == viewBorder:
			w.host = g.outsider()
		case r.chance(800):
			w.host = g.peer(g.src)
		default:
			w.host = g.site.newOnlink(r, g.site.freeAddr(r))
		}
		if !w.alive && w.host.onlink && r.chance(500) {
			w.host = g.empty(g.site.freeAddr(r), r.span(1, 250), true)
		}
		for _, p := range set[:r.span(1, len(set))] {
			w.ports = append(w.ports, p)
			out := g.fate(bad / 3)
			if !w.alive {
				out = pick(r, []outcome{silent, silent, noRouteTo})
			}
			w.fates = append(w.fates, out)
		}
		out = append(out, w)
	}
	return out
}

// checkable are services that monitoring looks at.
var checkable = []uint16{161, 22, 80, 443, 3306, 5666, 9100, 25, 389, 5432, 8080, 3389, 21, 53, 5985, 10050, 6556, 123, 993, 8443, 5060, 135, 445, 1433}

func runMonitoring(g *gen) {
	r := g.r
	list := g.watchList(r.logn(3, 200), r.span(1, 8), checkable, r.logn(5, 200))
	period := r.log(5*second, 10*minute)
	ping := r.chance(700)
	id := r.u16()
	g.every(period, func(t int64) {
		step := r.log(100*microsecond, period/int64(len(list))+200*microsecond)
		for n, w := range list {
			if g.full(t) {
				return
			}
			if ping && g.reach(t, g.src, w.host) {
				g.echo(t, g.src, w.host, id, uint16(n), 56, w.alive)
			}
			for i, p := range w.ports {
				at := t + r.n64(step+1)
				if p == 161 || p == 123 || p == 53 {
					g.ask(at, g.src, w.host, 0, p, 48, 60, w.fates[i])
					continue
				}
				g.talk(at, talk{c: g.src, s: w.host, sp: p, out: w.fates[i], rounds: r.weighted(35, 65), req: 60, resp: r.logn(20, 800),
					end: ending(r.n(3)), greets: r.chance(300), tries: r.span(1, 3)})
			}
			t += r.exp(step)
		}
	})
}

func runSCADA(g *gen) {
	r := g.r
	port := pick(r, []uint16{502, 502, 102, 44818, 20000, 2404, 4840, 34962, 47808})
	list := g.watchList(r.logn(2, 60), 1, []uint16{port}, r.logn(5, 300))
	var open []*flow
	for _, w := range list {
		f := g.flow(g.src, w.host, g.src.nextPort(r), port)
		if w.fates[0] == answered && g.reach(g.t0, g.src, w.host) {
			f.handshake(g.t0 + r.exp(second))
			open = append(open, f)
		}
	}
	g.every(r.log(100*millisecond, 30*second), func(t int64) {
		for _, f := range open {
			f.up(t, psh|ack, 12)
			t += g.after(f.s)
			f.down(t, psh|ack, r.span(9, 250))
			t += r.exp(5 * millisecond)
			if r.chance(400) {
				f.up(t, ack, 0)
			}
		}
		for _, w := range list {
			if w.fates[0] != answered {
				g.talk(t, talk{c: g.src, s: w.host, sp: port, out: w.fates[0], tries: r.span(1, 2)})
			}
		}
	})
}

func runHealthCheck(g *gen) {
	r := g.r
	services := []uint16{80, 443, 8080, 8443, 3000, 9000, 5000, 8081, 6379, 5432, uint16(r.span(30000, 32767)), uint16(r.span(1024, 65535))}
	list := g.watchList(r.logn(2, 40), r.span(1, 5), services, r.logn(10, 250))
	brief := r.chance(300) // SYN, SYN-ACK, RST and no more
	g.every(r.log(500*millisecond, 30*second), func(t int64) {
		for _, w := range list {
			for i, p := range w.ports {
				k := talk{c: g.src, s: w.host, sp: p, out: w.fates[i], rounds: 1, req: 80, resp: 150, end: finClient, tries: 1}
				if brief {
					k.rounds, k.end = 0, rstClient
				}
				g.talk(t+r.n64(50*millisecond), k)
			}
		}
	})
}

func runContainers(g *gen) {
	r := g.r
	services := make([]uint16, r.span(3, 25))
	for i := range services {
		services[i] = pick(r, []uint16{uint16(r.span(1024, 65000)), uint16(r.span(30000, 32767)), uint16(r.span(8000, 9999))})
	}
	list := g.watchList(r.logn(1, 30), len(services), services, r.logn(1, 80))
	g.spread(r.logn(20, 800), func(t int64) {
		w := pick(r, list)
		i := r.n(len(w.ports))
		k := g.service(g.src, w.host, w.ports[i])
		k.out = w.fates[i]
		g.talk(t, k)
	})
}

func runDatabase(g *gen) {
	r := g.r
	port := pick(r, []uint16{3306, 5432, 1433, 1521, 27017, 6379, 9042, 11211, 9200})
	list := g.watchList(r.logn(1, 8), 1, []uint16{port}, r.logn(1, 200))
	g.spread(r.logn(10, 300), func(t int64) {
		w := pick(r, list)
		k := g.service(g.src, w.host, port)
		k.out, k.idle, k.greets, k.rounds = w.fates[0], r.n(4), port == 3306, r.logn(1, 6)
		g.talk(t, k)
	})
}

func runSNMP(g *gen) {
	r := g.r
	list := g.watchList(r.logn(1, 120), 1, []uint16{161}, r.logn(5, 400))
	own := pick(r, []uint16{0, g.src.nextPort(r)})
	rounds := r.logn(1, 6)
	g.every(r.log(5*second, 10*minute), func(t int64) {
		for _, w := range list {
			for range rounds {
				t = g.ask(t, g.src, w.host, own, 161, r.span(40, 200), r.span(40, 600), w.fates[0]) + r.exp(3*millisecond)
			}
		}
	})
}

func runAdmin(g *gen) {
	r := g.r
	port := pick(r, []uint16{22, 22, 22, 5985, 3389, 2222})
	list := g.watchList(r.logn(2, 120), 1, []uint16{port}, r.logn(1, 80))
	forks := r.logn(1, 20)
	t := g.t0
	for i, w := range list {
		if g.full(t) {
			return
		}
		g.talk(t+r.exp(20*millisecond), talk{c: g.src, s: w.host, sp: port, out: w.fates[0], rounds: r.logn(3, 15), req: r.logn(30, 1000), resp: r.logn(30, 1500),
			gap: r.log(5*millisecond, 2*second), end: ending(r.n(3)), greets: true})
		if i%forks == forks-1 {
			t += r.exp(r.log(200*millisecond, 20*second))
		}
	}
}

func runBackup(g *gen) {
	r := g.r
	port := pick(r, []uint16{9102, 10000, 873, 22, 1556, 13724, 445, 6070, uint16(r.span(1024, 20000))})
	list := g.watchList(r.logn(3, 80), 1, []uint16{port}, r.logn(1, 100))
	gap := r.log(second, 3*minute)
	t := g.t0
	for _, w := range list {
		g.talk(t, talk{c: g.src, s: w.host, sp: port, out: w.fates[0], rounds: r.logn(1, 10), req: r.logn(100, 1400), resp: r.logn(1000, 9000), gap: 200 * millisecond, end: finClient})
		t += r.exp(gap)
	}
}

// runPoller keeps asking for services that are gone, on the LAN or beyond.
func runPoller(g *gen) {
	r := g.r
	services := []uint16{80, 443, 8080, 1883, 9092, 5672, 3306, 5432, 6379, 389, 25, 514, 2049, 445, 7680, uint16(r.span(1024, 65000))}
	list := g.watchList(r.logn(1, 14), r.span(1, 2), services, r.span(500, 1000))
	udp := r.chance(150)
	tries := r.span(1, 4)
	g.every(r.log(second, 5*minute), func(t int64) {
		for _, w := range list {
			for i, p := range w.ports {
				if udp {
					g.ask(t, g.src, w.host, 0, p, r.span(20, 200), 60, w.fates[i])
				} else {
					k := g.service(g.src, w.host, p)
					k.out, k.tries = w.fates[i], tries
					g.talk(t, k)
				}
				t += r.exp(100 * millisecond)
			}
		}
	})
}

// runPortWalk looks for a service at its usual port and the next few.
func runPortWalk(g *gen) {
	r := g.r
	base := pick(r, []int{8080, 5555, 5900, 6000, 8000, 3000, 27015, 25565, 9222, 80, 4444, r.span(1024, 65000)})
	hosts := []*host{g.partner(g.src, 400)}
	for range r.logn(1, 4) - 1 {
		hosts = append(hosts, g.partner(g.src, 400))
	}
	ports, step := r.span(2, 7), pick(r, []int{1, 1, 1, 2, 10, 100})
	bad, found := g.fate(1000), r.n(2*ports)
	again := r.logn(1, 6)
	g.spread(again, func(t int64) {
		for _, h := range hosts {
			for i := range ports {
				k := g.service(g.src, h, uint16(base+i*step))
				if k.out = bad; i == found {
					k.out = answered
				}
				t = g.talk(t, k) + r.exp(20*millisecond)
				if i == found {
					break
				}
			}
		}
	})
}
