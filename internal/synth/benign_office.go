package synth

import "net/netip"

var officeBehaviours = []behaviour{
	{name: "windows", about: "Windows client: names by broadcast, log-on to its domain controller on a dozen ports", weight: 8, run: runWindows},
	{name: "smb", about: "file shares: 445 and 139 of LAN hosts, some of them off", weight: 4, run: runSMB},
	{name: "printer", about: "looks for printers on a few LAN hosts", weight: 5, run: runPrinter},
	{name: "discovery", about: "SSDP, mDNS, LLMNR and WS-Discovery, with answers to the asking port", weight: 10, run: runDiscover},
	{name: "responder", about: "device that answers the discoveries of others, from one port to many ephemeral ones", weight: 7, run: runResponder},
	{name: "rpc", about: "RPC and portmapper: a lookup, then the port that it names", weight: 4, run: runRPC},
	{name: "ftp", about: "FTP, active or passive: a control connection and a data connection for each file", weight: 8, run: runFTP},
	{name: "mailclient", about: "mail and calendar of a few accounts", weight: 3, run: runMailClient},
}

// groups that discovery asks.
var (
	ssdpGroup   = netip4(239, 255, 255, 250)
	mdnsGroup   = netip4(224, 0, 0, 251)
	llmnrGroup  = netip4(224, 0, 0, 252)
	broadcast   = netip4(255, 255, 255, 255)
	mdnsGroup6  = netip.MustParseAddr("ff02::fb")
	llmnrGroup6 = netip.MustParseAddr("ff02::1:3")
)

// subnetBroadcast is the LAN's own broadcast address.
func (s *site) subnetBroadcast() netip.Addr { return s.lanAddr(s.size() - 1) }

// netbios sends name queries to the subnet's broadcast address.
func (g *gen) netbios(t int64) {
	for i := range g.r.span(1, 3) {
		g.group(t+int64(i)*750*millisecond, g.src, g.site.subnetBroadcast(), 137, 137, load(g.r, 50), g.src.ttl)
	}
}

// llmnr asks for a name; LAN hosts may answer to the asking port.
func (g *gen) llmnr(t int64) {
	port := g.src.nextPort(g.r)
	for i := range g.r.span(1, 2) {
		g.group(t+int64(i)*100*millisecond, g.src, llmnrGroup, port, 5355, dnsQuery(g.r, 1), 1)
		g.group(t+int64(i)*100*millisecond, g.src, llmnrGroup6, port, 5355, dnsQuery(g.r, 1), 1)
	}
	if g.r.chance(300) {
		p := g.peer(g.src)
		g.udp(t+g.after(p), p, g.src, 5355, port, g.r.span(40, 90))
	}
}

// runWindows logs on and goes on looking for names.
func runWindows(g *gen) {
	r := g.r
	dc := g.partner(g.src, 100)
	ports := []uint16{88, 135, 389, 445, 88, 389, 53, 139, 3268, 464, 636, 9389, uint16(r.span(49152, 49700)), uint16(r.span(49152, 65000)), 5985}
	ports = ports[:r.span(5, len(ports))]
	dead := r.chance(100)
	g.spread(r.logn(1, 8), func(t int64) {
		for _, p := range ports {
			k := g.service(g.src, dc, p)
			if dead || p != 445 && r.chance(30) {
				k.out = g.fate(1000)
			}
			if p == 53 || p == 88 && r.chance(300) || p == 389 && r.chance(400) {
				g.ask(t, g.src, dc, 0, p, r.span(40, 300), r.span(40, 400), k.out)
			} else {
				g.talk(t, k)
			}
			t += r.exp(150 * millisecond)
		}
	})
	g.spread(r.logn(2, 60), func(t int64) {
		switch r.n(5) {
		case 0:
			g.netbios(t)
		case 1, 2:
			g.llmnr(t)
		case 3:
			g.group(t, g.src, g.site.subnetBroadcast(), 138, 138, load(r, 200), g.src.ttl)
		case 4:
			g.lookup(t, g.src)
		}
	})
}

// runSMB uses shares.
func runSMB(g *gen) {
	r := g.r
	var servers []*host
	for range r.logn(1, 8) {
		servers = append(servers, g.partner(g.src, 50))
	}
	bad := r.logn(1, 300)
	g.spread(r.logn(2, 60), func(t int64) {
		s := pick(r, servers)
		k := g.service(g.src, s, 445)
		k.out, k.idle = g.fate(bad), r.n(3)
		if r.chance(250) { // both at once, as older clients
			j := k
			j.sp, j.out, j.end = 139, answered, rstClient
			g.talk(t, j)
		}
		g.talk(t, k)
	})
}

// runPrinter tries the printers' ports of a few hosts.
func runPrinter(g *gen) {
	r := g.r
	ports := shuffled(r, []uint16{9100, 161, 515, 631, 80, 443, 8612, 3289, 9220, 1782})[:r.span(1, 4)]
	var printers []*host
	for range r.logn(1, 5) {
		p := g.peer(g.src)
		if r.chance(300) {
			p = g.empty(g.site.freeAddr(r), r.span(2, 200), true)
		}
		printers = append(printers, p)
	}
	g.spread(r.logn(1, 40), func(t int64) {
		p, port := pick(r, printers), pick(r, ports)
		if port == 161 || port == 8612 || port == 3289 {
			g.ask(t, g.src, p, 0, port, 50, 80, g.fate(300))
			return
		}
		k := g.service(g.src, p, port)
		k.out = g.fate(250)
		g.talk(t, k)
	})
}

// runDiscover asks the LAN who is there.
func runDiscover(g *gen) {
	r := g.r
	kinds := shuffled(r, []int{0, 0, 1, 2, 3, 4, 5})[:r.span(1, 5)]
	g.spread(r.logn(2, 120), func(t int64) {
		port := g.src.nextPort(r)
		switch pick(r, kinds) {
		case 0:
			for i := range r.span(1, 4) {
				g.group(t+int64(i)*second, g.src, ssdpGroup, port, 1900, load(r, 133), 4)
			}
			for range r.n(6) {
				p := g.peer(g.src)
				for range r.span(1, 5) {
					g.udp(t+r.exp(second), p, g.src, pick(r, []uint16{1900, p.nextPort(r)}), port, r.span(250, 500))
				}
			}
		case 1:
			g.group(t, g.src, mdnsGroup, 5353, 5353, dnsQuery(r, 12), 255)
			g.group(t, g.src, mdnsGroup6, 5353, 5353, dnsQuery(r, 12), 255)
			for range r.n(4) {
				p := g.peer(g.src)
				g.udp(t+r.exp(100*millisecond), p, g.src, 5353, 5353, r.span(60, 400))
			}
		case 2:
			g.llmnr(t)
		case 3:
			g.group(t, g.src, ssdpGroup, port, 3702, load(r, 600), 1)
			for range r.n(4) {
				p := g.peer(g.src)
				g.udp(t+r.exp(500*millisecond), p, g.src, 3702, port, 900)
			}
		case 4:
			g.netbios(t)
		case 5:
			p := pick(r, []uint16{17500, 22222, 6666, 10001, 5678, 8612, 9999, 57621, 32412, 1947})
			g.group(t, g.src, broadcast, p, p, load(r, r.logn(8, 400)), g.src.ttl)
			g.group(t, g.src, g.site.subnetBroadcast(), p, p, load(r, r.logn(8, 400)), g.src.ttl)
		}
	})
}

// runResponder answers, and the questions may not be in the capture.
func runResponder(g *gen) {
	r := g.r
	port := pick(r, []uint16{1900, 1900, 5355, 3702, 5353, 137, 161, 53, 67, uint16(r.span(1024, 65535))})
	asked := r.chance(350)
	var askers []*host
	for range r.logn(1, 10) {
		askers = append(askers, g.peer(g.src))
	}
	g.spread(r.logn(4, 200), func(t int64) {
		c := pick(r, askers)
		to := c.nextPort(r)
		if asked {
			g.group(t-10*millisecond, c, ssdpGroup, to, port, load(r, 130), 4)
		}
		for range r.logn(1, 6) {
			g.udp(t, g.src, c, port, to, r.span(60, 480))
			t += r.exp(30 * millisecond)
		}
	})
}

// runRPC looks a program's port up and goes there.
func runRPC(g *gen) {
	r := g.r
	for range r.logn(1, 5) {
		s := g.partner(g.src, 150)
		windows := r.chance(500)
		t := g.t0 + r.n64(max(g.t1-g.t0, 1))
		for range r.logn(1, 14) {
			ask, port := uint16(111), uint16(r.span(600, 65000))
			if windows {
				ask, port = 135, uint16(r.span(49152, 65535))
			}
			k := g.service(g.src, s, ask)
			if r.chance(400) && !windows {
				t = g.ask(t, g.src, s, 0, 111, 56, 28, answered)
				t = g.ask(t, g.src, s, 0, port, r.span(40, 200), r.span(24, 200), g.fate(40))
			} else {
				t = g.talk(t, k)
				k.sp, k.cp, k.out = port, 0, g.fate(40)
				t = g.talk(t, k)
			}
			t += r.exp(second)
		}
	}
}

// runFTP moves files, each over a connection to or from a new port.
func runFTP(g *gen) {
	r := g.r
	s := g.partner(g.src, 600)
	f := g.flow(g.src, s, g.src.nextPort(r), pick(r, []uint16{21, 21, 2121}))
	t := g.t0 + r.exp(5*second)
	if !g.reach(t, g.src, s) {
		return
	}
	t = f.handshake(t)
	active := r.chance(350)
	counting, port := r.chance(500), uint16(r.span(1025, 60000))
	say := func() {
		f.up(t, psh|ack, r.span(6, 40))
		t += g.after(s)
		f.down(t, psh|ack, r.span(20, 90))
		t += g.after(g.src)
	}
	for range 4 {
		say()
	}
	gap := r.log(10*millisecond, 20*second)
	for range r.logn(1, 250) {
		if g.full(t) {
			return
		}
		say()
		port += uint16(r.logn(1, 20))
		if !counting {
			port = uint16(r.span(1025, 65535))
		}
		k := talk{c: g.src, s: s, sp: port, out: g.fate(8), rounds: 1, req: 1, resp: r.logn(1, 5000), end: finServer}
		if active {
			k = talk{c: s, s: g.src, cp: pick(r, []uint16{20, 0}), sp: g.src.nextPort(r), out: g.fate(8), rounds: 1, req: r.logn(1, 1400), end: finClient}
		}
		g.talk(t, k)
		t += 4*s.rtt + r.exp(gap)
		say()
	}
	f.finish(t, finClient)
}

func runMailClient(g *gen) {
	r := g.r
	servers := g.remotes(r.logn(1, 6))
	ports := []uint16{993, 993, 587, 465, 143, 110, 995, 443, 25, 5222}
	bad := r.logn(1, 400)
	g.every(r.log(20*second, 15*minute), func(t int64) {
		for _, s := range servers {
			t = g.lookup(t, g.src)
			k := g.service(g.src, s, pick(r, ports))
			k.out, k.greets = g.fate(bad), true
			g.talk(t, k)
		}
	})
}
