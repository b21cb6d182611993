package synth

import (
	"fmt"
	"net/netip"
	"slices"
)

// policy is what a host does with a TCP or UDP port that is not open.
type policy uint8

const (
	refuses policy = iota
	drops
	reports // administratively prohibited
)

// draw gives a host its ports and its answer to everything else.
func (h *host) draw(r *rng) {
	h.policy = policy(r.weighted(55, 38, 7))
	for range r.n(6) {
		h.open = append(h.open, commonPorts[r.logn(1, len(commonPorts))-1])
	}
}

func netip4(a, b, c, d byte) netip.Addr { return netip.AddrFrom4([4]byte{a, b, c, d}) }

func sortPorts(p []uint16) { slices.Sort(p) }

// probeCount collects what an actor's visible probes aimed at: the target's
// number and the port, noPortKey where there is none.
type probeCount struct {
	keys []uint64
	aim  uint64
}

const noPortKey = 1 << 16

// wide is from how many ports on a host counts as scanned itself rather than
// as one of a row.
const wide = 8

// kind is the shape of what was probed, and the number of distinct aims.
func (p *probeCount) kind() (string, int) {
	slices.Sort(p.keys)
	p.keys = slices.Compact(p.keys)
	hosts, scanned := 0, 0
	for i := 0; i < len(p.keys); {
		j, ports := i, 0
		for ; j < len(p.keys) && p.keys[j]>>20 == p.keys[i]>>20; j++ {
			if p.keys[j]&noPortKey == 0 {
				ports++
			}
		}
		hosts++
		if ports >= wide {
			scanned++
		}
		i = j
	}
	switch {
	case scanned >= 2:
		return "block", len(p.keys)
	case scanned == 1 || hosts == 1:
		return "vertical", len(p.keys)
	}
	return "horizontal", len(p.keys)
}

// pace is the rhythm of a scan.
type pace struct {
	burst  int   // probes sent together
	gap    int64 // within a burst
	pause  int64 // between bursts
	jitter int   // 0 none, 1 a fifth, 2 exponential
	sent   int
}

// newPace draws a rhythm for about n probes in the actor's time.
func (g *gen) newPace(n int) *pace {
	if g.slow {
		return g.newSlowPace(n)
	}
	r := g.r
	p := &pace{burst: 1, jitter: r.n(3)}
	class := r.weighted(40, 22, 18, 20)
	switch class {
	case 0:
		p.burst, p.gap, p.pause = r.logn(2, 100), r.log(3*microsecond, 300*microsecond), r.log(100*microsecond, 500*millisecond)
	case 1:
		p.pause = r.log(70*microsecond, 60*millisecond)
	case 2:
		p.pause = r.log(50*millisecond, 5*second)
	case 3:
		p.pause = r.log(4*second, 6*minute)
		if r.chance(300) { // nmap's polite, sneaky and paranoid, and a probe a minute
			p.pause, p.jitter = pick(r, []int64{400 * millisecond, 15 * second, minute, 5 * minute}), 0
		}
	}
	if class >= 2 {
		g.t0, g.t1 = g.begin-g.r.n64(minute), g.end
		p.pause = min(p.pause, (g.t1-g.t0)/int64(r.logn(12, 60)))
	}
	// A scan begun before the capture shall be under way, not over.
	took := int64(n) * (p.gap*int64(p.burst-1) + p.pause) / int64(p.burst)
	g.t0 = max(g.t0, g.begin-took*2/3)
	g.note(fmt.Sprintf("%d probes, bursts of %d, %dus apart", n, p.burst, p.pause/microsecond))
	return p
}

// newSlowPace draws the rhythm of a scan that takes hours: a probe every few
// minutes to every hour, or a few together and then a pause.
func (g *gen) newSlowPace(n int) *pace {
	r := g.r
	p := &pace{burst: 1, jitter: r.n(3), pause: pick(r, []int64{5, 6, 10, 20, 30, 60}) * minute}
	if r.chance(400) {
		p.pause = r.log(2*minute, hour)
	}
	if r.chance(300) {
		p.burst, p.gap = r.logn(2, 12), r.log(100*millisecond, 30*second)
		p.pause = r.log(10*minute, 3*hour)
	}
	g.t0, g.t1 = g.begin-r.n64(minute), g.end
	if r.chance(500) {
		g.t0 += r.n64((g.end - g.begin) / 3)
	}
	p.pause = min(p.pause, (g.t1-g.t0)*int64(p.burst)/int64(r.logn(12, 60)))
	g.note(fmt.Sprintf("%d probes, bursts of %d, %ds apart", n, p.burst, p.pause/second))
	return p
}

// next is the time of the probe after one at t.
func (p *pace) next(r *rng, t int64) int64 {
	p.sent++
	gap := p.gap
	if p.sent%p.burst == 0 {
		gap = p.pause
	}
	switch p.jitter {
	case 1:
		gap += r.n64(gap*2/5+1) - gap/5
	case 2:
		gap = r.exp(gap)
	}
	return t + max(gap, 2000)
}

// targets draws n hosts to scan: those of the LAN or of another network, some
// of them dead, in the order in which they come.
func (g *gen) targets(n int) []*host {
	if n == 1 {
		return []*host{g.victim()}
	}
	if g.src.onlink && (g.site.size() < 32 || g.site.view == viewBorder || g.site.view == viewGateway && g.r.chance(700) || g.r.chance(350)) {
		return g.farTargets(n)
	}
	return g.lanTargets(n)
}

// victim is a single live host to scan.
func (g *gen) victim() *host {
	switch {
	case g.site.view == viewHost && g.src != g.site.self:
		return g.site.self
	case !g.src.onlink:
		return g.insider()
	case g.site.view == viewBorder || g.r.chance(250):
		return g.outsider()
	case g.site.view == viewGateway || g.r.chance(150):
		return g.site.gateway
	}
	return g.peer(g.src)
}

// lanTargets are n addresses of the LAN in a row or scattered.
func (g *gen) lanTargets(n int) []*host {
	n = min(n, g.site.size())
	first := 0
	if g.site.size() > n {
		first = g.r.n(g.site.size() - n)
	}
	known := len(g.site.hosts) >= 12 && g.r.chance(200) // the live ones alone are asked, as from a list
	var out []*host
	for i := range n {
		a := g.site.lanAddr(first + i)
		h := g.site.taken[a]
		if h == nil && !known {
			h = g.empty(a, first+i, true)
		}
		if h != nil && h != g.src {
			out = append(out, h)
		}
	}
	if len(out) < 2 {
		out = append(append(out, g.victim()), g.insider(), g.site.gateway)
		out = slices.DeleteFunc(out, func(h *host) bool { return h == g.src })
	}
	return out
}

// liveTargets are about n hosts that are known to live.
func (g *gen) liveTargets(n int) []*host {
	r := g.r
	if g.src.onlink && (g.site.view == viewBorder || g.site.view == viewGateway || r.chance(300)) {
		base, out := g.outsider().ip, make([]*host, n)
		for i := range out {
			out[i] = g.site.newRemote(r, offset4(base, i*r.span(1, 3)))
		}
		return out
	}
	out := shuffled(r, g.site.hosts)
	out = slices.DeleteFunc(out, func(h *host) bool { return h == g.src })
	if g.site.view != viewBorder && r.chance(300) {
		out = append(out, g.site.gateway)
	}
	if len(out) < 2 {
		return []*host{g.victim()}
	}
	return out[len(out)-min(n, len(out)):]
}

// empty is an address that nobody has.
func (g *gen) empty(a netip.Addr, i int, onlink bool) *host {
	h := &host{ip: a, dead: true, onlink: onlink, stack: stacks[0], mac: g.site.gateway.mac, rtt: 3 * millisecond, ttl: 60}
	if g.site.prefix6.IsValid() {
		h.ip6 = g.site.lanAddr6(i)
	}
	return h
}

// farTargets are n addresses beyond the router: a row of them, or random.
func (g *gen) farTargets(n int) []*host {
	row, alive := g.r.chance(650), g.r.logn(20, 950)
	base := g.outsider().ip
	unreach := g.site.unreach
	out := make([]*host, 0, n)
	for i := range n {
		a := offset4(base, i)
		if !row {
			a = g.r.public()
		}
		if g.r.chance(alive) {
			out = append(out, g.site.newRemote(g.r, a))
			continue
		}
		h := g.empty(a, i, false)
		if h.policy = drops; g.r.chance(unreach) {
			h.policy = reports
		}
		if h.ip6.IsValid() {
			h.ip6 = g.r.public6()
		}
		out = append(out, h)
	}
	return out
}
