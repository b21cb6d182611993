package synth

import (
	"fmt"
	"slices"
)

var scanBehaviours = []behaviour{
	{name: "syn", about: "TCP SYN scan of one, some or many hosts", weight: 26, from: anywhere, run: scanRun(technique{flags: syn, raw: true})},
	{name: "connect", about: "scan by whole TCP connections", weight: 20, from: anywhere, run: scanRun(technique{flags: syn})},
	{name: "version", about: "scan by connections that also talk to what is open", weight: 6, from: anywhere, run: scanRun(technique{flags: syn, talks: true})},
	{name: "fin", about: "TCP FIN scan", weight: 5, from: anywhere, run: scanRun(technique{flags: fin, raw: true})},
	{name: "null", about: "scan by TCP segments without flags", weight: 5, from: anywhere, run: scanRun(technique{raw: true})},
	{name: "xmas", about: "scan by FIN, PSH and URG", weight: 5, from: anywhere, run: scanRun(technique{flags: fin | psh | urg, raw: true})},
	{name: "maimon", about: "scan by FIN and ACK", weight: 2, from: anywhere, run: scanRun(technique{flags: fin | ack, raw: true})},
	{name: "ack", about: "TCP ACK scan", weight: 4, from: anywhere, run: scanRun(technique{flags: ack, raw: true})},
	{name: "window", about: "TCP window scan: ACKs whose resets are measured", weight: 2, from: anywhere, run: scanRun(technique{flags: ack, raw: true})},
	{name: "udp", about: "UDP scan", weight: 16, from: anywhere, run: scanRun(technique{udp: true, raw: true})},
	{name: "worm", about: "sweep of random or sequential addresses for one or a few services", weight: 14, from: anywhere, run: runWorm},
	{name: "icmp", about: "sweep by echo or time stamp requests", weight: 8, from: anywhere, run: runICMPSweep},
	{name: "arp", about: "sweep of the LAN by ARP or neighbour solicitations", weight: 9, from: inside, run: runARPSweep},
	{name: "ping", about: "host discovery by echo, SYN to 443, ACK to 80 and time stamp", weight: 8, from: anywhere, run: runDiscovery},
	{name: "decoy", about: "SYN scan hidden among the same from forged sources", weight: 4, from: anywhere, run: runDecoy},
	{name: "fragment", about: "SYN scan in tiny fragments", weight: 3, from: anywhere, run: scanRun(technique{flags: syn, raw: true, fragments: true})},
	{name: "bounce", about: "scan through an FTP server: it connects from port 20", weight: 2, from: inside, run: scanRun(technique{flags: syn, sport: 20})},
}

// technique is how a scan probes.
type technique struct {
	flags     uint8
	udp       bool
	raw       bool // packets made by hand: no connection is finished
	talks     bool // data to what is open
	fragments bool
	sport     uint16 // fixed source port
}

// scanRun plays a scan of many ports, of many hosts, or of both.
func scanRun(k technique) func(*gen) {
	return func(g *gen) { newScan(g, k).run(g) }
}

// scan is one scan being played.
type scan struct {
	technique
	hosts   []*host
	ports   []uint16
	sport   uint16
	win     uint16
	opts    []byte
	retries int
	timeout int64
	wait    int64 // how long a connection to something open lasts
	limit   int   // probes to send
	load    int   // bytes in each datagram
	knows   bool  // datagrams to known services carry what these expect
}

// newScan draws the shape of a scan and of its probes.
func newScan(g *gen, k technique) *scan {
	r := g.r
	s := &scan{technique: k, retries: r.weighted(30, 45, 20, 5), timeout: r.log(100*millisecond, 2*second)}
	s.limit = min(r.logn(300, 9000), g.room/3+10)
	if g.v6 {
		s.limit = min(s.limit, 3000)
	}
	shape := r.weighted(45, 27, 28)
	if g.site.view == viewHost && g.src != g.site.self {
		shape = 0 // what the host sees of any scan is the part that hits it
	}
	switch shape {
	case 0:
		s.hosts, s.ports = g.targets(1), r.portSet(s.limit, k.udp)
	case 1:
		s.hosts = g.targets(r.logn(2, 60))
		if r.chance(600) {
			s.hosts = g.liveTargets(r.logn(2, 20))
		}
		s.ports = r.portSet(max(s.limit/len(s.hosts), 12), k.udp)
	case 2:
		s.hosts = g.targets(min(pick(r, []int{256, r.logn(30, 4000), r.logn(8, 40)}), s.limit))
		s.ports = r.fewPorts(k.udp)
	}
	if !k.udp && r.chance(100) {
		openMany(r, s.hosts[:min(len(s.hosts), 500)], s.ports[:min(len(s.ports), 500)])
	}
	r.order(s.ports)
	s.look(r)
	return s
}

// fewPorts are the one to five ports of a sweep.
func (r *rng) fewPorts(udp bool) []uint16 {
	out := make([]uint16, r.weighted(60, 15, 10, 10, 5)+1)
	for i := range out {
		out[i] = pick(r, wormPorts)
		if udp {
			out[i] = pick(r, udpPorts)
		}
		if r.chance(120) {
			out[i] = uint16(r.logn(1, 65535))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// look draws how the probes look: those of nmap, of masscan and the like.
func (s *scan) look(r *rng) {
	if s.sport = s.technique.sport; s.sport == 0 {
		s.sport = uint16(r.span(32768, 65000))
		if r.chance(120) {
			s.sport = pick(r, []uint16{53, 80, 20, 88, 443, 61000, 1024, 12345})
		}
	}
	s.win = pick(r, []uint16{1024, 1024, 2048, 3072, 4096, 65535, 512, 8192, 14600})
	s.opts = pick(r, [][]byte{{2, 4, 5, 0xb4}, {2, 4, 5, 0xb4}, nil})
	s.wait = r.log(millisecond, second)
	s.knows = r.chance(600)
	if r.chance(250) {
		s.load = r.logn(1, 64)
	}
}

// run sends the probes and what comes back.
func (s *scan) run(g *gen) {
	r := g.r
	if g.v6 {
		g.v6 = s.allHaveV6()
	}
	s.hosts = s.discover(g)
	hosts, ports := len(s.hosts), len(s.ports)
	if hosts == 0 {
		return
	}
	all := hosts * ports
	p := g.newPace(min(all, s.limit))
	g.note(fmt.Sprintf("%d hosts, %d ports", hosts, ports))
	byHost, order := r.chance(400), s.hostOrder(r)
	t := g.t0
	for i := range min(all, s.limit) {
		if g.full(t) {
			return
		}
		h, q := i%hosts, i/hosts
		if byHost {
			h, q = i/ports, i%ports
		}
		s.try(g, t, order[h], s.ports[q])
		t = p.next(r, t)
	}
}

// hostOrder is the order in which hosts are gone through.
func (s *scan) hostOrder(r *rng) []int {
	out := make([]int, len(s.hosts))
	for i := range out {
		out[i] = i
	}
	switch r.weighted(55, 20, 25) {
	case 1:
		slices.Reverse(out)
	case 2:
		r.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

func (s *scan) allHaveV6() bool {
	return !slices.ContainsFunc(s.hosts, func(h *host) bool { return !h.ip6.IsValid() })
}

// discover asks for hosts on link by ARP first, as raw scanners in a hurry do,
// and returns those to go on with. Others just try, and ARP for the dead ones
// is all that is seen of it.
func (s *scan) discover(g *gen) []*host {
	if g.slow || !g.src.onlink || !s.hosts[0].onlink || len(s.hosts) < 2 || !s.raw || g.site.view == viewBorder {
		if s.raw && len(s.hosts) == 1 && g.r.chance(350) {
			g.isUp(s.hosts[0])
		}
		return s.hosts
	}
	var alive []*host
	t := g.t0
	for i, h := range s.hosts {
		g.askNeighbour(t, i, h)
		t += g.r.exp(400 * microsecond)
		if !h.dead {
			alive = append(alive, h)
		}
	}
	g.t0 = min(t+g.r.exp(second), g.t1-1)
	return alive
}

// isUp looks whether a single target lives, and for its name, before it is
// scanned.
func (g *gen) isUp(h *host) {
	t := g.t0
	if g.r.chance(500) && g.src.onlink {
		t = g.lookup(t, g.src)
	}
	if !g.src.onlink || !h.onlink {
		g.echo(t, g.src, h, g.r.u16(), 0, 0, h.policy != drops)
	}
	g.t0 = t + h.rtt + g.r.exp(300*millisecond)
}

// askNeighbour sends a probing ARP request or neighbour solicitation, twice to
// an address that nobody has.
func (g *gen) askNeighbour(t int64, i int, h *host) {
	g.mark(i, noPortKey)
	g.neighbour(t, g.src, h, g.over6(g.src, h), true)
	if h.dead {
		g.neighbour(t+g.r.span64(200*millisecond, second), g.src, h, g.over6(g.src, h), false)
	}
	g.probe = false
}

// mark makes the frames that follow probes of the i-th target's port.
func (g *gen) mark(i int, port uint32) {
	g.probe = true
	g.probes.aim = uint64(i)<<20 | uint64(port)
}

// try probes one port and, where nothing comes back, probes it again later
// from the next source port.
func (s *scan) try(g *gen, t int64, i int, port uint16) {
	h := s.hosts[i]
	if g.src.onlink && h.onlink && !g.attemptResolve(t, i, h) {
		return
	}
	g.mark(i, uint32(port))
	defer func() { g.probe = false }()
	for n := range s.retries + 1 {
		sport := s.sport + uint16(n)
		if !s.raw && s.technique.sport == 0 {
			sport = g.src.nextPort(g.r)
		}
		if s.probe(g, t, h, sport, port) {
			return
		}
		t += s.timeout + g.r.exp(s.timeout/4)
	}
}

// attemptResolve has the scanner find a target's link-layer address. Where
// nobody has it, the requests are the probes.
func (g *gen) attemptResolve(t int64, i int, h *host) bool {
	if h.dead {
		g.mark(i, noPortKey)
		defer func() { g.probe = false }()
	}
	return g.resolve(t, g.src, h)
}

// probe sends one probe and reports whether anything came back.
func (s *scan) probe(g *gen, t int64, h *host, sport, port uint16) bool {
	open := !h.dead && slices.Contains(h.open, port)
	switch {
	case s.udp:
		return s.probeUDP(g, t, h, sport, port, open)
	case !s.raw:
		return s.connect(g, t, h, sport, port, open)
	}
	f := g.flow(g.src, h, sport, port)
	s.send(g, t, f)
	back := t + g.after(h)
	if h.dead || h.policy == drops && !open {
		return false
	}
	if h.policy == reports && !open {
		return g.report(back, h)
	}
	switch {
	case s.flags == syn && open:
		f.cseq++
		g.aside(func() { f.down(back, syn|ack, 0) })
		f.g.aside(func() { f.up(back+g.after(g.src), rst, 0) })
	case s.flags&(syn|ack) == ack && s.flags&fin == 0:
		g.aside(func() { f.reset(back, 0) })
	case open && h.stack.ttl != 128:
		return false // odd flags to an open port are dropped (RFC 9293), but by Windows
	default:
		g.aside(func() { f.reset(back, ack) })
	}
	return true
}

// report sends the prohibition that a filter answers with.
func (g *gen) report(t int64, h *host) bool {
	if t-h.lastErr < h.errGap {
		return false
	}
	h.lastErr = t
	g.complain(t, g.router(h), g.src, prohibited)
	return true
}

// send sends a hand-made probe.
func (s *scan) send(g *gen, t int64, f *flow) {
	ip := g.head(f.c, f.s, f.v6)
	ip.id = g.r.u16()
	h := tcpHead{sport: f.cp, dport: f.sp, seq: f.cseq, flags: s.flags, win: s.win}
	if s.flags&ack != 0 {
		h.ack = f.sseq
	}
	if s.flags&syn != 0 {
		h.opts = s.opts
	}
	g.b.tcp(&ip, &h, nil)
	if s.fragments && ip.src.Is4() {
		rest := g.b.fragment(8 * g.r.span(1, 2))
		g.emit(t, f.c, f.s)
		if rest != nil {
			g.b.buf = append(g.b.buf[:0], rest...)
			g.emit(t+g.r.exp(10*microsecond), f.c, f.s)
		}
		return
	}
	g.emit(t, f.c, f.s)
}

// reset answers the client with a RST; flags is 0 or ack.
func (f *flow) reset(t int64, flags uint8) {
	h := tcpHead{sport: f.sp, dport: f.cp, flags: rst | flags}
	if flags == 0 {
		h.seq = f.sseq
	} else {
		h.ack = f.cseq + 1
	}
	ip := f.g.head(f.s, f.c, f.v6)
	f.g.b.tcp(&ip, &h, nil)
	f.g.emit(t, f.s, f.c)
}

// connect makes a whole connection and leaves at once, or talks first.
func (s *scan) connect(g *gen, t int64, h *host, sport, port uint16, open bool) bool {
	f := g.flow(g.src, h, sport, port)
	f.up(t, syn, 0)
	f.cseq--
	switch {
	case h.dead || h.policy == drops && !open:
		return false
	case h.policy == reports && !open:
		return g.report(t+g.after(h), h)
	case !open:
		f.refuse(t + g.after(h))
		return true
	}
	f.cseq++
	g.aside(func() {
		t += g.after(h)
		f.down(t, syn|ack, 0)
		t += g.after(g.src)
		f.up(t, ack, 0)
		if s.talks {
			t = f.exchange(t, &talk{rounds: g.r.span(0, 3), req: g.r.logn(4, 200), resp: g.r.logn(10, 2000), gap: second, greets: g.r.chance(400)})
		}
		f.finish(t+s.wait, pick(g.r, []ending{rstClient, rstClient, finClient}))
	})
	return true
}

// probeUDP sends a datagram, empty or with what the service expects.
func (s *scan) probeUDP(g *gen, t int64, h *host, sport, port uint16, open bool) bool {
	n := s.load
	if n == 0 && s.knows && slices.Contains(udpPorts, port) {
		n = g.r.span(12, 60)
	}
	g.udp(t, g.src, h, sport, port, n)
	back := t + g.after(h)
	switch {
	case h.dead || h.policy == drops && !open:
		return false
	case open && n == 0:
		return false
	case open:
		g.aside(func() { g.udp(back, h, g.src, port, sport, g.r.logn(20, 500)) })
		return true
	case h.policy == reports:
		return g.report(back, h)
	case back-h.lastErr < h.errGap:
		return false
	}
	h.lastErr = back
	g.complain(back, h, g.src, noPort)
	return true
}
