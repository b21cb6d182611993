package synth

var oddBehaviours = []behaviour{
	{name: "traceroute", about: "traceroute by UDP, ICMP or TCP: rising ports and TTLs, errors from the routers", weight: 10, run: runTraceroute},
	{name: "mtr", about: "pings to a few hosts, at times with rising TTL", weight: 4, run: runMTR},
	{name: "pathmtu", about: "path MTU probes and other large datagrams", weight: 1, run: runPathMTU},
	{name: "backscatter", about: "answers of a host that someone floods from forged addresses", weight: 5, from: anywhere, run: runBackscatter},
	{name: "spoofedflood", about: "flood of one service from forged sources", weight: 3, run: runSpoofedFlood},
	{name: "flood", about: "one source that floods one service", weight: 4, from: anywhere, run: runFlood},
	{name: "guessing", about: "password guessing: one service of one or a few hosts, connection after connection", weight: 4, from: anywhere, run: runGuessing},
	{name: "radiation", about: "strangers that each send a packet or two to hosts of the site", weight: 5, run: runRadiation},
	{name: "pinghost", about: "pings of one or a few hosts", weight: 3, run: runPing},
}

// runTraceroute follows paths to one or a few hosts.
func runTraceroute(g *gen) {
	r := g.r
	kind := r.weighted(70, 20, 10)
	deaf := r.chance(250) // the answers take another way
	rate := r.log(5*millisecond, 5*second)
	batch := pick(r, []int{1, 1, 3, 16})
	for range r.logn(1, 6) {
		dst := g.remote()
		dst.dead = r.chance(300)
		hops := r.span(3, 22)
		path := make([]*host, hops)
		for i := range path {
			path[i] = g.routerNear(g.remote())
			path[i].dead = r.chance(200)
		}
		t := g.t0 + r.n64(max((g.t1-g.t0)*3/4, 1))
		tr := trace{kind: kind, dst: dst, path: path, deaf: deaf, sport: uint16(r.span(32768, 65000)), port: pick(r, []uint16{33434, 33434, 33434, 33435, 32768 + 666})}
		per := pick(r, []int{3, 3, 3, 1, 2, 5})
		last := hops
		if dst.dead {
			last = 30
		}
		for ttl := 1; ttl <= last; ttl++ {
			for i := range per {
				if g.full(t) {
					return
				}
				tr.probe(g, t, ttl)
				if (ttl*per+i)%batch == 0 {
					t += r.exp(rate)
				}
				t += 100 * microsecond
			}
		}
	}
}

// trace is one run of traceroute.
type trace struct {
	kind        int // 0 UDP, 1 echo, 2 TCP
	dst         *host
	path        []*host
	deaf        bool
	sport, port uint16
	n           uint16
}

// probe sends one packet with a TTL and what comes back.
func (tr *trace) probe(g *gen, t int64, ttl int) {
	ip := g.head(g.src, tr.dst, g.v6)
	ip.ttl = uint8(ttl)
	v6 := g.over6(g.src, tr.dst)
	switch tr.kind {
	case 0:
		g.b.udp(&ip, tr.sport, tr.port+tr.n, load(g.r, pickLen(v6)))
	case 1:
		typ := uint8(8)
		if v6 {
			typ = 128
		}
		g.b.icmp(&ip, typ, 0, uint32(tr.sport)<<16|uint32(tr.n), load(g.r, 32))
	case 2:
		g.b.tcp(&ip, &tcpHead{sport: tr.sport + tr.n, dport: 80, seq: g.r.u32(), flags: syn, win: 5840}, nil)
	}
	tr.n++
	g.emit(t, g.src, tr.dst)
	if tr.deaf {
		return
	}
	if ttl < len(tr.path) {
		if by := tr.path[ttl-1]; !by.dead {
			g.complain(t+g.after(by), by, g.src, expired)
		}
		return
	}
	if tr.dst.dead {
		return
	}
	t += g.after(tr.dst)
	switch tr.kind {
	case 0:
		g.complain(t, tr.dst, g.src, noPort)
	case 1:
		typ := uint8(0)
		if v6 {
			typ = 129
		}
		g.message(t, tr.dst, g.src, typ, 0, uint32(tr.sport)<<16|uint32(tr.n-1), load(g.r, 32))
	case 2:
		f := g.flow(g.src, tr.dst, tr.sport+tr.n-1, 80)
		f.down(t, pick(g.r, []uint8{syn | ack, rst | ack}), 0)
	}
}

func pickLen(v6 bool) int {
	if v6 {
		return 12
	}
	return 32
}

// runMTR pings each hop of a path over and over.
func runMTR(g *gen) {
	r := g.r
	path := g.remotes(r.span(4, 18))
	tr := trace{kind: pick(r, []int{1, 1, 0}), dst: g.remote(), path: path, sport: r.u16() | 0x8000, port: 33434}
	for _, h := range path {
		h.dead = r.chance(200)
	}
	g.every(r.log(second, 20*second), func(t int64) {
		for ttl := range path {
			tr.probe(g, t, ttl+1)
			t += r.exp(40 * millisecond)
		}
	})
}

func runPathMTU(g *gen) {
	r := g.r
	s := g.partner(g.src, 800)
	port := uint16(r.span(33434, 60000))
	g.spread(r.logn(4, 40), func(t int64) {
		g.udp(t, g.src, s, port, port+1, r.span(500, 1460))
		if r.chance(500) {
			g.message(t+g.after(s), g.router(s), g.src, 3, 4, uint32(r.span(576, 1492)), load(r, 28))
		}
	})
}

// runBackscatter plays a victim's answers to addresses that never asked.
func runBackscatter(g *gen) {
	r := g.r
	kind, port := r.n(4), pick(r, []uint16{80, 443, 22, 53, 25565, uint16(r.span(1, 65535))})
	one := r.chance(200)
	to := g.outsider()
	g.spread(r.logn(10, 3000), func(t int64) {
		if !g.src.onlink {
			to = g.insider()
			if r.chance(500) && !g.site.nat {
				to = g.empty(g.site.freeAddr(r), 5, true)
			}
		} else if !one {
			to = g.remote()
		}
		f := g.flow(to, g.src, r.u16()|0x400, port)
		switch kind {
		case 0:
			f.down(t, syn|ack, 0)
			if r.chance(300) {
				f.sseq--
				f.down(t+3*second, syn|ack, 0)
			}
		case 1:
			f.down(t, rst|ack, 0)
		case 2:
			f.down(t, rst, 0)
		case 3:
			ip := g.head(to, g.src, g.v6)
			g.b.udp(&ip, r.u16()|0x400, port, load(r, 30))
			g.complain(t, g.src, to, noPort)
		}
	})
}

// runSpoofedFlood floods a service of the actor's host from addresses that are
// made up: none of them is a scanner.
func runSpoofedFlood(g *gen) {
	r := g.r
	port := pick(r, []uint16{80, 443, 22, 53, 25, 30120, uint16(r.span(1, 65535))})
	flags := pick(r, []uint8{syn, syn, syn, ack, rst, psh | ack, syn | 0x40 | 0x80})
	udp, replies := r.chance(200), r.chance(400)
	g.t1 = min(g.t1, g.t0+r.log(second, 5*minute))
	g.spread(r.logn(100, 6000), func(t int64) {
		from := g.empty(r.public(), 1, false)
		if udp {
			g.udp(t, from, g.src, r.u16(), port, r.logn(1, 900))
			return
		}
		f := g.flow(from, g.src, r.u16(), port)
		f.up(t, flags, 0)
		if replies && flags&syn != 0 {
			f.down(t+g.after(g.src), pick(r, []uint8{syn | ack, syn | ack, rst | ack}), 0)
		}
	})
}

// runFlood floods one service from one source.
func runFlood(g *gen) {
	r := g.r
	s := g.victim()
	port := pick(r, []uint16{80, 443, 22, 53, 25, 5060, uint16(r.span(1, 65535))})
	kind, replies := r.n(3), r.chance(500)
	g.t1 = min(g.t1, g.t0+r.log(second, 5*minute))
	if !g.reach(g.t0, g.src, s) {
		return
	}
	g.spread(r.logn(50, 5000), func(t int64) {
		switch kind {
		case 0:
			f := g.flow(g.src, s, r.u16()|0x400, port)
			f.up(t, syn, 0)
			if replies {
				f.down(t+g.after(s), syn|ack, 0)
			}
		case 1:
			g.udp(t, g.src, s, r.u16()|0x400, port, r.logn(1, 1000))
		case 2:
			g.echo(t, g.src, s, 9, r.u16(), 1000, replies)
		}
	})
}

// runGuessing tries passwords: no scan, as it looks for nothing new.
func runGuessing(g *gen) {
	r := g.r
	hosts := []*host{g.victim()}
	for range r.logn(1, 5) - 1 {
		hosts = append(hosts, g.victim())
	}
	port := pick(r, []uint16{22, 22, 23, 3389, 21, 25, 1433, 3306, 5900, 445, 143})
	gap := r.log(50*millisecond, 30*second)
	t, n := g.t0, r.logn(10, 600)
	for i := 0; i < n && !g.full(t); i++ {
		k := g.service(g.src, pick(r, hosts), port)
		k.greets, k.idle, k.resp = true, 0, min(k.resp, 400)
		k.out = g.fate(15)
		g.talk(t, k)
		t += r.exp(gap)
	}
}

// runRadiation plays what reaches every host on the internet: strangers, each
// with a packet or two.
func runRadiation(g *gen) {
	r := g.r
	gap := r.log(3*second, 10*minute)
	n := min(r.logn(5, 300), int((g.t1-g.t0)/gap))
	g.spreadEvenly(n, func(t int64) {
		from := g.remote()
		for range r.logn(1, 2) {
			port := pick(r, wormPorts)
			if r.chance(300) {
				g.ask(t, from, g.src, 0, pick(r, udpPorts), r.logn(10, 300), 60, g.fate(800))
				continue
			}
			g.talk(t, talk{c: from, s: g.src, sp: port, out: g.fate(900), rounds: 1, req: 20, resp: 40, tries: r.span(1, 2), end: rstClient})
		}
	})
}

func runPing(g *gen) {
	r := g.r
	var list []*host
	for range r.logn(1, 8) {
		list = append(list, g.partner(g.src, 600))
	}
	dead := r.logn(1, 500)
	alive := make([]bool, len(list))
	for i := range alive {
		alive[i] = !r.chance(dead)
	}
	n, id := pick(r, []int{32, 56, 56, 8, 1000}), r.u16()
	g.every(pick(r, []int64{second, second, 200 * millisecond, 5 * second, minute}), func(t int64) {
		for i, h := range list {
			if g.reach(t, g.src, h) {
				g.echo(t, g.src, h, id, r.u16(), n, alive[i])
			}
		}
	})
}
