package synth

var webBehaviours = []behaviour{
	{name: "browsing", about: "pages of a browser: DNS, then connections to many servers", weight: 12, run: runBrowsing},
	{name: "eyeballs", about: "browser whose IPv6 fails and falls back to IPv4", weight: 8, run: runEyeballs},
	{name: "phone", about: "apps of a phone: push services and many web hosts", weight: 8, run: runPhone},
	{name: "crawler", about: "crawler: hundreds of web hosts, a share of them dead or refusing", weight: 8, run: runCrawler},
	{name: "deadweb", about: "client of a few web hosts that are dead: proxies, updates, malware's masters", weight: 10, run: runDeadWeb},
	{name: "midstream", about: "connections from before the capture: data, keep-alives and endings", weight: 10, run: runMidstream},
	{name: "webserver", about: "web server: its answers to many clients, with or without their SYNs", weight: 6, run: runWebServer},
	{name: "proxy", about: "web proxy: clients on one side, many servers on the other", weight: 4, run: runProxy},
	{name: "nat", about: "an office behind one address: browsing, DNS, mail, dead services", weight: 8, run: runNAT},
}

// service is a talk of the kind that clients have with a web server.
func (g *gen) service(c, s *host, port uint16) talk {
	r := g.r
	return talk{c: c, s: s, sp: port, rounds: r.weighted(5, 60, 20, 15), req: r.logn(40, 1400), resp: r.logn(60, 6000),
		gap: r.log(10*millisecond, 20*second), end: ending(r.weighted(40, 20, 15, 5, 20)), idle: r.weighted(75, 15, 10)}
}

// fate draws an outcome where bad permille of attempts fail.
func (g *gen) fate(bad int) outcome {
	if !g.r.chance(bad) {
		return answered
	}
	if g.r.chance(g.site.unreach) {
		return pick(g.r, []outcome{noRouteTo, forbidden})
	}
	return outcome(g.r.weighted(0, 30, 60, 3, 2, 5))
}

// visit makes one connection to a web server.
func (g *gen) visit(t int64, c, s *host, out outcome) int64 {
	port := uint16(443)
	if g.r.chance(150) {
		port = pick(g.r, []uint16{80, 80, 80, 80, 8080, 8443})
	}
	k := g.service(c, s, port)
	k.out = out
	return g.talk(t, k)
}

// quic is a QUIC connection: datagrams both ways.
func (g *gen) quic(t int64, c, s *host, out outcome) {
	port := c.nextPort(g.r)
	if out != answered {
		for i := range g.r.span(1, 4) {
			g.udp(t, c, s, port, 443, 1250)
			if out == refused {
				g.complain(t+g.after(s), s, c, noPort)
				return
			}
			t += second << i / 3
		}
		return
	}
	g.reach(t, c, s)
	for range g.r.logn(1, 8) {
		g.udp(t, c, s, port, 443, g.r.logn(30, 1250))
		for range g.r.span(1, 3) {
			g.udp(t+g.after(s), s, c, 443, port, g.r.logn(30, 1250))
		}
		t += s.rtt + g.r.exp(300*millisecond)
	}
}

// runBrowsing plays pages: a few names, then bursts of connections.
func runBrowsing(g *gen) {
	r := g.r
	bad, quic := min(g.site.deadRate, r.logn(1, 200)), r.chance(500)
	cdn := g.remotes(r.logn(4, 80))
	fates := make([]outcome, len(cdn))
	for i := range fates {
		fates[i] = g.fate(bad)
	}
	g.spread(r.logn(2, 60), func(t int64) {
		for range r.logn(1, 25) {
			i := r.logn(1, len(cdn)) - 1
			if r.chance(300) {
				i = r.n(len(cdn))
			}
			t += r.exp(60 * millisecond)
			if r.chance(600) {
				t = g.lookup(t, g.src)
			}
			for range r.weighted(0, 70, 15, 5, 5, 5) {
				g.visit(t+r.exp(3*millisecond), g.src, cdn[i], fates[i])
			}
			if quic && r.chance(250) {
				g.quic(t, g.src, cdn[i], fates[i])
			}
		}
	})
}

// runEyeballs tries IPv6 first, which fails in one way for all (RFC 8305), then
// IPv4.
func runEyeballs(g *gen) {
	if !g.src.ip6.IsValid() {
		runBrowsing(g)
		return
	}
	out := pick(g.r, []outcome{noRouteTo, noRouteTo, silent, refused, forbidden, answered})
	wait := pick(g.r, []int64{250 * millisecond, 300 * millisecond, 25 * millisecond, second})
	servers := g.remotes(g.r.logn(3, 40))
	works := g.r.chance(700)
	g.spread(g.r.logn(2, 40), func(t int64) {
		t = g.lookup(t, g.src)
		for range g.r.logn(1, 8) {
			s := pick(g.r, servers)
			g.v6 = true
			k := g.service(g.src, s, pick(g.r, []uint16{443, 443, 80}))
			k.out, k.tries = out, g.r.span(1, 3)
			g.talk(t, k)
			if works && out != answered {
				if out == silent {
					t += wait
				}
				g.v6 = false
				g.visit(t+g.r.exp(5*millisecond), g.src, s, answered)
			}
			t += g.r.exp(20 * millisecond)
		}
	})
	g.v6 = true
}

// runPhone plays apps: long-lived push connections and bursts of short ones.
func runPhone(g *gen) {
	r := g.r
	ports := []uint16{443, 443, 443, 443, 443, 80, 5222, 5223, 5228, 8080, 4244, 5242, 7275, 993, 853}
	servers := g.remotes(r.logn(5, 120))
	bad := r.logn(1, 150)
	g.spread(r.logn(3, 120), func(t int64) {
		for range r.logn(1, 10) {
			if r.chance(700) {
				t = g.lookup(t, g.src)
			}
			k := g.service(g.src, pick(r, servers), pick(r, ports))
			k.out = g.fate(bad)
			if r.chance(200) {
				k.idle = r.span(1, 6)
			}
			if k.sp == 443 && r.chance(200) {
				g.quic(t, g.src, k.s, k.out)
			} else {
				g.talk(t, k)
			}
			t += r.exp(80 * millisecond)
		}
	})
}

// runCrawler fetches from many hosts, some of which do not live any more.
func runCrawler(g *gen) {
	r := g.r
	bad := r.logn(10, 450)
	ports := []uint16{443, 443, 80}
	if r.chance(150) {
		ports = []uint16{80}
	}
	servers := g.remotes(r.logn(30, 900))
	again := r.logn(1, 4)
	g.spread(len(servers), func(t int64) {
		if r.chance(800) {
			t = g.lookup(t, g.src)
		}
		s := pick(r, servers)
		out := g.fate(bad)
		for range r.span(1, again) {
			k := g.service(g.src, s, pick(r, ports))
			k.out, k.idle = out, 0
			t = g.talk(t, k) + r.exp(50*millisecond)
		}
	})
}

// runDeadWeb keeps trying a few servers that are gone.
func runDeadWeb(g *gen) {
	r := g.r
	servers := g.remotes(r.logn(1, 14))
	ports := []uint16{443, 80, 8080, 3128, 1080, 4443, 8443, 447, 449, 8082, uint16(r.span(1024, 65000))}
	port := make([]uint16, len(servers))
	same := pick(r, ports)
	out := g.fate(1000)
	for i := range port {
		if port[i] = same; r.chance(200) {
			port[i] = pick(r, ports)
		}
	}
	lives, tries := r.chance(300), r.logn(1, 20)
	round := r.log(200*millisecond, 5*minute)
	for n, t := 0, g.t0; n < tries && !g.full(t); n++ {
		for i, s := range servers {
			k := g.service(g.src, s, port[i])
			if k.out = out; lives && i == len(servers)-1 {
				k.out = answered
			}
			g.talk(t, k)
			if r.chance(300) {
				k.cp = 0
				g.talk(t+250*millisecond, k)
			}
			t += r.exp(round/int64(len(servers)) + millisecond)
		}
		t += r.exp(round)
	}
}

// runMidstream plays connections that began before the capture.
func runMidstream(g *gen) {
	r := g.r
	servers := g.remotes(r.logn(2, 60))
	ports := []uint16{443, 443, 443, 443, 80, 5228, 993, 22, 5222, 8080}
	deaf := r.chance(250) // nothing comes back
	inward := r.chance(200)
	for _, s := range servers {
		f := g.flow(g.src, s, g.src.nextPort(r), pick(r, ports))
		if inward {
			f.c, f.s = s, g.src
		}
		for range r.weighted(0, 70, 15, 10, 5) {
			t := g.t0 + r.n64(g.t1-g.t0)
			g.tail(f, t, deaf)
			f.cp = f.c.nextPort(r)
		}
	}
}

// tail plays what is left of a connection.
func (g *gen) tail(f *flow, t int64, deaf bool) {
	r := g.r
	if g.full(t) {
		return
	}
	down := func(t int64, flags uint8, n int) {
		if !deaf {
			f.down(t, flags, n)
		}
	}
	switch r.weighted(30, 30, 15, 15, 10) {
	case 0:
		for range r.logn(1, 5) {
			f.up(t, psh|ack, r.logn(1, 1400))
			down(t+g.after(f.s), psh|ack, r.logn(1, 1448))
			t += f.s.rtt + r.exp(second)
		}
	case 1:
		for range r.logn(1, 6) {
			f.up(t, ack, r.n(2))
			down(t+g.after(f.s), ack, 0)
			t += pick(r, []int64{10, 15, 45, 60}) * second
		}
	case 2:
		f.up(t, fin|ack, 0)
		down(t+g.after(f.s), fin|ack, 0)
		if deaf || r.chance(200) {
			f.cseq--
			f.up(t+r.exp(second), fin|ack, 0)
		}
	case 3:
		if r.chance(500) {
			f.up(t, rst|ack, 0)
		} else {
			f.up(t, rst, 0)
		}
	case 4:
		down(t, psh|ack, r.logn(1, 1448))
		f.up(t+g.after(f.c), pick(r, []uint8{ack, rst, rst | ack}), 0)
	}
}

// runWebServer plays one server and its clients, seen from the server's side.
func runWebServer(g *gen) {
	r := g.r
	port := pick(r, []uint16{443, 443, 80, 8080, 25, 993, 3306, 22})
	clients := r.logn(5, 400)
	deaf, mid := r.chance(250), r.chance(250)
	g.spread(clients, func(t int64) {
		c := g.outsider()
		c.unheard = deaf
		if mid {
			g.tail(g.flow(c, g.src, c.nextPort(r), port), t, false)
			return
		}
		for range r.logn(1, 6) {
			k := g.service(c, g.src, port)
			t = g.talk(t, k)
		}
	})
}

// runProxy plays clients of a proxy and what the proxy fetches for them.
func runProxy(g *gen) {
	r := g.r
	servers, bad := g.remotes(r.logn(10, 200)), r.logn(2, 150)
	port := pick(r, []uint16{3128, 8080, 8118, 1080})
	g.spread(r.logn(10, 300), func(t int64) {
		c := g.peer(g.src)
		k := g.service(c, g.src, port)
		g.talk(t, k)
		g.visit(g.lookup(t+c.rtt, g.src), g.src, pick(r, servers), g.fate(bad))
	})
}

// runNAT plays many users behind one address.
func runNAT(g *gen) {
	r := g.r
	bad := r.logn(5, 200)
	servers := g.remotes(r.logn(30, 400))
	ports := []uint16{443, 443, 443, 443, 443, 443, 80, 80, 993, 587, 5222, 5228, 22, 8080, 3389, 1194}
	g.spread(r.logn(40, 1500), func(t int64) {
		switch r.weighted(30, 55, 8, 7) {
		case 0:
			g.lookup(t, g.src)
		case 1:
			s := servers[r.logn(1, len(servers))-1]
			k := g.service(g.src, s, pick(r, ports))
			k.out = g.fate(bad)
			g.talk(t, k)
		case 2:
			g.quic(t, g.src, pick(r, servers), g.fate(bad))
		case 3:
			g.ask(t, g.src, g.remote(), 0, pick(r, []uint16{123, 3478, 19302, uint16(r.span(1024, 65535))}), 48, 48, g.fate(bad*2))
		}
	})
}
