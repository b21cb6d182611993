package synth

var nameBehaviours = []behaviour{
	{name: "resolver", about: "recursive resolver: many authoritative servers, some silent", weight: 9, run: runResolver},
	{name: "stubdns", about: "client that asks its resolvers a lot, which may not answer", weight: 5, run: runStubDNS},
	{name: "ntp", about: "time client of pool servers", weight: 4, run: runNTP},
}

// names are parts of domain names.
var names = []string{"www", "api", "cdn", "mail", "img", "static", "edge", "update", "time", "login", "news", "video", "shop", "example", "data", "cloud"}

// dnsQuery builds a question for a made-up name; an answer repeats it with one
// address.
func dnsQuery(r *rng, typ uint16) []byte {
	p := be16(nil, r.u16(), 0x0100, 1, 0, 0, 0)
	for range r.span(2, 3) {
		n := pick(r, names)
		p = append(append(p, byte(len(n))), n...)
	}
	p = append(p, 3, 'c', 'o', 'm', 0)
	return be16(p, typ, 1)
}

func dnsAnswer(r *rng, query []byte, code uint8) []byte {
	p := append([]byte(nil), query...)
	p[2], p[3] = 0x81, 0x80|code
	if code != 0 {
		return p
	}
	p[7] = byte(r.span(1, 4))
	typ := query[len(query)-3]
	for range p[7] {
		p = be16(p, 0xc00c, uint16(typ), 1, 0, uint16(r.n(3600)))
		n := 4
		if typ == 28 {
			n = 16
		}
		p = be16(p, uint16(n))
		p = append(p, load(r, n)...)
	}
	return p
}

// query sends a DNS question and what comes of it.
func (g *gen) query(t int64, c, s *host, out outcome) int64 {
	r := g.r
	q := dnsQuery(r, pick(r, []uint16{1, 1, 28}))
	port := uint16(r.span(1024, 65535))
	if !g.reach(t, c, s) {
		return t + second
	}
	tries := 1
	if out == silent {
		tries = r.span(1, 3)
	}
	for i := range tries {
		g.datagram(t+int64(i)*pick(r, []int64{1, 2, 5})*second, c, s, port, 53, q)
	}
	switch out {
	case answered, resetEarly:
		t += g.after(s)
		code := uint8(0)
		if r.chance(150) {
			code = pick(r, []uint8{2, 3, 5})
		}
		g.datagram(t, s, c, 53, port, dnsAnswer(r, q, code))
	case refused:
		g.complain(t+g.after(s), s, c, noPort)
	case noRouteTo, forbidden:
		g.complain(t+g.after(s), g.router(s), c, pick(r, []reason{noHost, prohibited}))
	}
	return t
}

// lookup asks one of the site's resolvers and returns when the answer is in.
func (g *gen) lookup(t int64, c *host) int64 {
	s := g.site.dns[0]
	if s == c || g.r.chance(100) {
		s = g.site.dns[len(g.site.dns)-1]
	}
	if s == c {
		return t
	}
	if g.r.chance(10) { // a lost answer
		g.query(t, c, s, silent)
		t += 2 * second
	}
	return g.query(t, c, s, answered) + g.r.exp(2*millisecond)
}

// ask sends a datagram of n bytes to a service and answers with m bytes, as
// out has it; cp 0 draws a port. It returns when the answer is seen.
func (g *gen) ask(t int64, c, s *host, cp, sp uint16, n, m int, out outcome) int64 {
	if cp == 0 {
		cp = c.nextPort(g.r)
	}
	if !g.reach(t, c, s) {
		return t + second
	}
	g.udp(t, c, s, cp, sp, n)
	switch out {
	case answered, resetEarly:
		t += g.after(s)
		g.udp(t, s, c, sp, cp, m)
	case refused:
		t += g.after(s)
		g.complain(t, s, c, noPort)
	case noRouteTo, forbidden:
		t += g.after(s)
		g.complain(t, g.router(s), c, pick(g.r, []reason{noHost, noRoute, prohibited}))
	}
	return t
}

// runResolver asks servers all over, over TCP when an answer was cut.
func runResolver(g *gen) {
	r := g.r
	bad := r.logn(5, 350)
	servers := g.remotes(r.logn(10, 800))
	fates := make([]outcome, len(servers))
	for i := range fates {
		fates[i] = g.fate(bad)
	}
	clients := r.chance(500)
	g.spread(r.logn(30, 3000), func(t int64) {
		if clients {
			g.query(t, g.peer(g.src), g.src, answered)
		}
		for range r.logn(1, 4) {
			i := r.logn(1, len(servers)) - 1
			if r.chance(500) {
				i = r.n(len(servers))
			}
			t = g.query(t, g.src, servers[i], fates[i])
			if r.chance(25) {
				k := talk{c: g.src, s: servers[i], sp: 53, out: g.fate(bad), rounds: 1, req: 40, resp: r.logn(100, 3000)}
				g.talk(t, k)
			}
			t += r.exp(2 * millisecond)
		}
	})
}

// runStubDNS asks a few resolvers from new ports all the time.
func runStubDNS(g *gen) {
	r := g.r
	servers := append([]*host(nil), g.site.dns...)
	for range r.n(3) {
		servers = append(servers, g.remote())
	}
	dead := r.chance(250)
	out := g.fate(1000)
	g.spread(r.logn(10, 800), func(t int64) {
		for i, s := range servers {
			if s == g.src {
				continue
			}
			if dead && i == 0 {
				g.query(t, g.src, s, out)
				continue
			}
			g.query(t+r.exp(millisecond), g.src, s, answered)
			break
		}
	})
}

// runNTP asks pool servers, some of which are gone.
func runNTP(g *gen) {
	r := g.r
	servers := g.remotes(r.logn(1, 24))
	bad := r.logn(10, 400)
	fates := make([]outcome, len(servers))
	for i := range fates {
		fates[i] = g.fate(bad)
	}
	port := pick(r, []uint16{123, 123, 0})
	g.every(r.log(4*second, 1024*second), func(t int64) {
		for i, s := range servers {
			g.ask(t+r.exp(20*millisecond), g.src, s, port, 123, 48, 48, fates[i])
			if r.chance(200) {
				t += r.exp(2 * second)
			}
		}
	})
}
