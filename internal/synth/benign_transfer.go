package synth

var transferBehaviours = []behaviour{
	{name: "bulk", about: "one-way UDP streams: video, telemetry, several ports of one receiver", weight: 5, run: runBulk},
	{name: "syslog", about: "senders of logs, flow records or traps to one collector, one way", weight: 4, run: runSyslog},
	{name: "oneway", about: "requests to many web servers whose answers go past the tap, or answers alone", weight: 9, run: runOneWay},
}

// runBulk sends streams to a few ports of a few hosts.
func runBulk(g *gen) {
	r := g.r
	base, step := r.span(1024, 60000), pick(r, []int{1, 2, r.logn(1, 3000)})
	s := g.partner(g.src, 500)
	oneway := r.chance(800)
	brief := r.chance(300) // a datagram or two to each port
	own := g.src.nextPort(r)
	t := g.t0
	for i := range r.logn(1, 24) {
		if r.chance(150) {
			s = g.partner(g.src, 500)
		}
		port := uint16((base+i*step)%64000 + 1024)
		if r.chance(300) {
			port = uint16(r.span(20000, 65000))
		}
		if brief {
			for range r.logn(1, 6) {
				g.udp(t, g.src, s, own, port, r.logn(20, 300))
				t += r.exp(50 * millisecond)
			}
			continue
		}
		g.stream(t, g.src, s, own, port, oneway)
		t += r.exp(10 * second)
	}
}

func runSyslog(g *gen) {
	r := g.r
	port := pick(r, []uint16{514, 514, 2055, 9995, 6343, 4739, 162, 8125, 12201, 25826})
	var collectors []*host
	for range r.logn(1, 4) {
		collectors = append(collectors, g.partner(g.src, 600))
	}
	own := pick(r, []uint16{0, port, g.src.nextPort(r)})
	dead := r.chance(150)
	g.spread(r.logn(5, 500), func(t int64) {
		for _, c := range collectors {
			out := silent
			if dead && r.chance(300) {
				out = refused
			}
			g.ask(t, g.src, c, own, port, r.logn(60, 1400), 0, out)
		}
	})
}

// runOneWay plays web traffic of which one direction is captured.
func runOneWay(g *gen) {
	r := g.r
	up := r.chance(650)
	servers := g.remotes(r.logn(5, 150))
	g.spread(r.logn(5, 250), func(t int64) {
		k := g.service(g.src, pick(r, servers), pick(r, []uint16{80, 80, 443, 443, 443, 8080}))
		k.rounds = max(k.rounds, 1)
		s := *k.s
		c := *k.c
		if up {
			s.unheard = true
		} else {
			c.unheard = true
		}
		k.s, k.c = &s, &c
		k.cp = g.src.nextPort(r)
		g.talk(t, k)
	})
}
