package synth

import "net/netip"

var peerBehaviours = []behaviour{
	{name: "bittorrent", about: "BitTorrent: trackers, DHT and peers on diffuse ports, most of them gone", weight: 10, run: runBitTorrent},
	{name: "supernodes", about: "overlay client in search of supernodes: UDP and TCP to high ports, few answers, then 80 and 443", weight: 10, run: runSupernodes},
	{name: "blockchain", about: "node of a blockchain: discovery by UDP and peers on one port, many of them full or gone", weight: 6, run: runBlockchain},
	{name: "serverlist", about: "game that asks each server of a list for its state, then plays on one", weight: 6, run: runServerList},
	{name: "game", about: "online game: log-in over TCP and a UDP stream", weight: 3, run: runGame},
}

// swarmPort draws the port that a peer listens on.
func (r *rng) swarmPort() uint16 {
	switch r.weighted(20, 15, 65) {
	case 0:
		return uint16(pick(r, []int{6881, 51413, 6882, 6889, 8999, 16881, 26881, 50321, 45682}))
	case 1:
		return uint16(r.logn(80, 30000))
	}
	return uint16(r.span(1024, 65535))
}

// runBitTorrent asks trackers and nodes of the DHT, and tries each peer it
// hears of by UDP, by TCP or by both.
func runBitTorrent(g *gen) {
	r := g.r
	own, bad, peers := r.swarmPort(), r.span(350, 930), r.logn(40, 1500)
	lan := netip.AddrFrom4([4]byte{239, 192, 152, 143})
	if r.chance(400) {
		g.every(r.log(10*second, 5*minute), func(t int64) { g.group(t, g.src, lan, 6771, 6771, load(r, 119), 1) })
	}
	for _, s := range g.remotes(r.logn(1, 12)) { // trackers
		port := pick(r, []uint16{80, 6969, 1337, 443, 2710, 6969})
		t := g.lookup(g.t0+r.exp(10*second), g.src)
		if r.chance(600) {
			g.ask(t, g.src, s, own, port, 16, 16, g.fate(500))
		} else {
			k := g.service(g.src, s, port)
			k.out = g.fate(300)
			g.talk(t, k)
		}
	}
	mode := r.weighted(50, 15, 35) // both, TCP alone, UDP alone
	g.spread(peers, func(t int64) {
		p, port := g.remote(), r.swarmPort()
		if r.chance(60) { // one comes to us
			g.meet(t, p, g.src, p.nextPort(r), own)
			return
		}
		if mode != 1 {
			out := g.peerFate(bad)
			for range r.logn(1, 5) {
				t = g.ask(t, g.src, p, own, port, r.span(60, 320), r.span(60, 400), out) + r.exp(3*second)
			}
		}
		if mode != 2 && r.chance(600) {
			k := talk{c: g.src, s: p, sp: port, out: g.peerFate(bad), rounds: r.logn(1, 5), req: r.logn(60, 800), resp: r.logn(60, 4000),
				gap: second, end: ending(r.n(5)), tries: r.span(1, 4)}
			g.talk(t, k)
		}
	})
}

// meet is an exchange of datagrams that c starts.
func (g *gen) meet(t int64, c, s *host, cp, sp uint16) {
	for range g.r.logn(1, 4) {
		t = g.ask(t, c, s, cp, sp, g.r.span(30, 300), g.r.span(30, 300), answered) + g.r.exp(second)
	}
}

// peerFate is what comes of trying a stranger's home computer.
func (g *gen) peerFate(bad int) outcome {
	if !g.r.chance(bad) {
		return answered
	}
	return outcome(g.r.weighted(0, 22, 70, 4, 3, 1))
}

// runSupernodes looks for a way into an overlay.
func runSupernodes(g *gen) {
	r := g.r
	own, bad := uint16(r.span(1024, 65000)), r.span(600, 990)
	nodes := g.remotes(r.logn(20, 260))
	base := pick(r, []int{40000, 33033, 12350, 500, r.span(1024, 60000)})
	spread := r.logn(1, 60000)
	port := func() uint16 { return uint16(min(base+r.n(spread), 65535)) }
	step := r.log(20*millisecond, 3*second)
	batch := r.logn(1, 8)
	tcp := r.chance(700)
	t := g.t0
	for i, n := range nodes {
		if g.full(t) {
			return
		}
		out := g.peerFate(bad)
		p := port()
		g.ask(t, g.src, n, own, p, r.span(18, 60), r.span(18, 120), out)
		if out == silent && r.chance(200) {
			g.ask(t+r.exp(3*second), g.src, n, own, p, r.span(18, 60), 0, out)
		}
		if tcp && r.chance(450) {
			k := talk{c: g.src, s: n, sp: p, out: g.peerFate(bad * 4 / 5), rounds: r.span(1, 4), req: r.logn(14, 300), resp: r.logn(14, 600), gap: second, end: stays, tries: r.span(1, 4)}
			t1 := g.talk(t+r.exp(2*second), k)
			if k.out != answered {
				for _, fall := range []uint16{443, 80} {
					if r.chance(500) {
						k.sp, k.out, k.cp = fall, g.peerFate(bad*2/3), 0
						t1 = g.talk(t1+r.exp(second), k)
					}
				}
			}
		}
		if i%batch == batch-1 {
			t += r.exp(step) + step/2
		}
		t += r.exp(millisecond)
	}
}

// runBlockchain finds nodes by UDP and connects to some.
func runBlockchain(g *gen) {
	r := g.r
	port := pick(r, []uint16{30303, 30303, 8333, 18080, 9333, 4001, 26656, 16110})
	bad := r.span(200, 850)
	fast := r.chance(300)
	if fast {
		g.t1 = min(g.t1, g.t0+r.log(2*second, minute))
	}
	g.spread(r.logn(20, 500), func(t int64) {
		n, p := g.remote(), port
		if r.chance(200) {
			p = uint16(r.span(1024, 65535))
		}
		if r.chance(150) {
			g.meet(t, n, g.src, p, port)
			return
		}
		out := g.peerFate(bad)
		if r.chance(650) {
			t = g.ask(t, g.src, n, port, p, r.span(120, 180), r.span(120, 1055), out)
		}
		if r.chance(500) {
			g.talk(t+r.exp(200*millisecond), talk{c: g.src, s: n, sp: p, out: out, rounds: r.span(1, 3), req: 400, resp: r.logn(100, 900), gap: second,
				end: pick(r, []ending{finServer, rstServer, finClient, stays}), tries: r.span(1, 3)})
		}
	})
}

// runServerList asks game servers for their state, all at once.
func runServerList(g *gen) {
	r := g.r
	base, span := pick(r, []int{27015, 28960, 7777, 25565, 2302, 27960, 3979, 64738}), r.logn(1, 40)
	servers := g.remotes(r.logn(20, 600))
	bad := r.logn(20, 500)
	own := g.src.nextPort(r)
	gap := r.log(500*microsecond, 300*millisecond)
	t := g.t0
	for _, s := range servers {
		if g.full(t) {
			return
		}
		if r.chance(300) {
			own = g.src.nextPort(r)
		}
		for range r.logn(1, 3) {
			g.ask(t, g.src, s, own, uint16(base+r.n(span)), 25, r.logn(60, 1200), g.peerFate(bad))
		}
		t += r.exp(gap)
	}
	g.stream(t+r.exp(10*second), g.src, pick(r, servers), own, uint16(base), false)
}

// runGame logs in and plays.
func runGame(g *gen) {
	r := g.r
	for i, s := range g.remotes(r.logn(2, 12)) {
		t := g.lookup(g.t0+r.exp(20*second), g.src)
		k := g.service(g.src, s, pick(r, []uint16{443, 3724, 1119, 5222, 80}))
		k.idle = r.n(4)
		g.talk(t, k)
		if i < 3 {
			g.stream(t+r.exp(5*second), g.src, s, g.src.nextPort(r), uint16(r.span(3000, 65000)), r.chance(100))
		}
	}
}

// stream is a steady flow of datagrams with an end somewhere; oneway keeps the
// other side quiet.
func (g *gen) stream(t int64, c, s *host, cp, sp uint16, oneway bool) {
	r := g.r
	gap, size := pick(r, []int64{20, 20, 30, 50, 100, 500, 5000})*millisecond, r.logn(20, 1200)
	if !g.reach(t, c, s) {
		return
	}
	for range r.logn(10, 200) {
		if g.full(t) {
			return
		}
		g.udp(t, c, s, cp, sp, size)
		if !oneway {
			g.udp(t+g.after(s), s, c, sp, cp, size)
		}
		t += gap + r.n64(gap/10+1)
	}
}
