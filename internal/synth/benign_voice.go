package synth

var voiceBehaviours = []behaviour{
	{name: "sip", about: "telephone: registers and calls, partly unanswered, and RTP", weight: 6, run: runSIP},
	{name: "rtp", about: "media streams, one way or both, to even ports of a few hosts", weight: 5, run: runRTP},
	{name: "ice", about: "call set up by STUN: candidates of several hosts and ports, most of which never answer", weight: 8, run: runICE},
	{name: "holepunch", about: "client that opens the way through address translation: datagrams to many ports of one or two hosts", weight: 7, run: runHolePunch},
	{name: "conference", about: "video conference: relays on several ports, TCP beside it", weight: 6, run: runConference},
	{name: "tunnel", about: "VPN or tunnel: one UDP flow, at times one way, after tries at other gateways", weight: 4, run: runTunnel},
}

// runSIP registers with servers again and again and calls.
func runSIP(g *gen) {
	r := g.r
	servers, port := g.remotes(r.logn(1, 10)), pick(r, []uint16{5060, 5060, 5060, 5062, 1024, 5080})
	if r.chance(250) {
		servers[0] = g.peer(g.src)
	}
	bad := r.span(0, 900)
	fates := make([]outcome, len(servers))
	for i := range fates {
		fates[i] = g.peerFate(bad)
	}
	g.spread(r.logn(2, 120), func(t int64) {
		i := r.n(len(servers))
		if r.chance(300) {
			t = g.lookup(t, g.src)
		}
		wait := 500 * millisecond
		for range r.logn(1, 7) { // retransmission as RFC 3261, 17.1
			g.ask(t, g.src, servers[i], port, 5060, r.span(350, 800), r.span(300, 700), fates[i])
			if fates[i] == answered {
				break
			}
			t += wait
			wait = min(2*wait, 4*second)
		}
		if fates[i] == answered && r.chance(250) {
			g.media(t+r.exp(3*second), g.src, g.maybeRelay(servers[i]), r.chance(300))
		}
	})
}

// maybeRelay is where a server sends the media: itself or another host.
func (g *gen) maybeRelay(s *host) *host {
	if g.r.chance(500) {
		return s
	}
	return g.remote()
}

// media is a pair of RTP and RTCP flows.
func (g *gen) media(t int64, c, s *host, oneway bool) {
	cp, sp := uint16(g.r.span(5000, 32000))*2, uint16(g.r.span(5000, 32000))*2
	g.stream(t, c, s, cp, sp, oneway)
	for i := range g.r.n(4) {
		g.udp(t+int64(i+1)*5*second, c, s, cp+1, sp+1, g.r.span(60, 120))
	}
}

func runRTP(g *gen) {
	r := g.r
	oneway := r.chance(500)
	hosts := g.remotes(r.logn(1, 12))
	if r.chance(300) {
		hosts[0] = g.peer(g.src)
	}
	g.spread(r.logn(1, 25), func(t int64) { g.media(t, g.src, pick(r, hosts), oneway) })
}

// runICE checks pairs of candidates (RFC 8445): STUN servers first, then each
// address that the other side offers, private ones that lead nowhere too.
func runICE(g *gen) {
	r := g.r
	stun := g.remotes(r.logn(1, 8))
	for range r.logn(1, 4) {
		t := g.t0 + r.n64(max(g.t1-g.t0, 1))
		own := g.src.nextPort(r)
		for _, s := range stun {
			g.ask(t+r.exp(30*millisecond), g.src, s, own, pick(r, []uint16{3478, 19302, 3479, 443, 5349}), 28, 60, g.peerFate(200))
		}
		t += r.exp(second)
		g.candidates(t, own)
	}
}

// candidates sends checks to what the other side offers.
func (g *gen) candidates(t int64, own uint16) {
	r := g.r
	base, step := r.span(200, 65000), r.logn(1, 2000)
	bad := r.span(300, 1000)
	var far []*host
	for range r.logn(1, 14) {
		h := g.remote()
		if r.chance(300) {
			h = g.site.newRemote(r, netip4(pick(r, []byte{10, 192}), 168, byte(r.n(256)), byte(r.span(1, 254))))
			h.dead = true
		}
		far = append(far, h)
	}
	if r.chance(250) { // a relay that offers a range of its ports
		for len(far) < r.span(2, 24) {
			far = append(far, far[0])
		}
	}
	won := r.n(len(far))
	for i, h := range far {
		port, out := uint16((base+r.n(step))%64000+500), g.peerFate(bad)
		if h.dead {
			out = silent
		}
		at := t + int64(i)*pick(r, []int64{0, 5, 20, 50})*millisecond + r.n64(millisecond)
		for k := range r.logn(1, 9) {
			g.ask(at+int64(k)*100*millisecond, g.src, h, own, port, r.span(28, 120), r.span(28, 120), out)
			if out == refused {
				break
			}
			at += r.n64(400 * millisecond)
		}
		if i == won && out == answered {
			g.stream(at, g.src, h, own, port, false)
		}
	}
}

// runHolePunch sends to the ports that the other side's translator may have
// given it: guessed in a row, or told by it. Mostly nothing comes back, or only
// at one port.
func runHolePunch(g *gen) {
	r := g.r
	for range r.logn(1, 3) {
		s, own := g.remote(), g.src.nextPort(r)
		if r.chance(200) {
			s = g.partner(g.src, 300)
		}
		base, row := r.span(1024, 60000), r.chance(400)
		n, size := r.logn(3, 40), r.logn(8, 400)
		works, gap := r.n(3*n), r.log(100*microsecond, 300*millisecond)
		moves := r.chance(200) // our side tries from several ports too
		t := g.t0 + r.n64(max((g.t1-g.t0)*3/4, 1))
		again := r.logn(1, 6)
		for i := range n {
			port := uint16(r.span(1024, 65535))
			if row {
				port = uint16(base + i*r.logn(1, 3))
			}
			if moves {
				own = g.src.nextPort(r)
			}
			out := silent
			if i == works || r.chance(30) {
				out = pick(r, []outcome{answered, answered, refused})
			}
			for k := range again {
				g.ask(t+int64(k)*(500*millisecond+r.n64(500*millisecond)), g.src, s, own, port, size, size, out)
			}
			t += r.exp(gap)
		}
	}
}

// runConference plays media relays with several ports each.
func runConference(g *gen) {
	r := g.r
	ports := pick(r, [][]uint16{{3478, 3479, 3480, 3481}, {8801}, {19305}, {9000, 5004}, {50000, 50020, 50040}, {443}, {10000}})
	for _, s := range g.remotes(r.logn(2, 20)) {
		t := g.lookup(g.t0+r.n64((g.t1-g.t0)/2+1), g.src)
		g.visit(t, g.src, s, g.fate(60))
		for range r.logn(1, 3) {
			if r.chance(600) {
				g.stream(t+r.exp(second), g.src, s, g.src.nextPort(r), pick(r, ports), r.chance(150))
			}
		}
		if r.chance(150) {
			g.candidates(t, g.src.nextPort(r))
		}
	}
}

func runTunnel(g *gen) {
	r := g.r
	port := pick(r, []uint16{51820, 1194, 500, 4500, 1701, 3544, 4789, 443, 6081, 2152, uint16(r.span(1024, 65000))})
	own := pick(r, []uint16{port, uint16(r.span(1024, 65000))})
	for range r.logn(1, 6) - 1 { // gateways that do not answer
		g.ask(g.t0+r.exp(20*second), g.src, g.remote(), own, port, r.logn(60, 500), 0, silent)
	}
	s, oneway := g.partner(g.src, 800), r.chance(350)
	for t := g.t0 + r.exp(5*second); !g.full(t) && r.chance(900); t += r.exp(20 * second) {
		g.stream(t, g.src, s, own, port, oneway)
	}
}
