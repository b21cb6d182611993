package synth

import "net/netip"

// head fills in the headers below the transport for a packet from src to dst.
func (g *gen) head(src, dst *host, v6 bool) ipHead {
	v6 = v6 && src.ip6.IsValid() && dst.ip6.IsValid()
	h := ipHead{from: src.mac, to: dst.mac, src: src.addr(v6), dst: dst.addr(v6), ttl: src.ttl, df: src.idStep != 256, vlan: g.site.vlan}
	if g.site.view == viewBorder {
		h.from, h.to = g.site.gateway.mac, g.site.isp
		if !src.onlink {
			h.from, h.to = h.to, h.from
		}
	} else if !src.onlink {
		h.from = g.site.gateway.mac
	} else if !dst.onlink {
		h.to = g.site.gateway.mac
	}
	if src.idStep == 0 {
		h.id = g.r.u16()
	} else {
		src.ipid += src.idStep
		h.id = src.ipid
	}
	return h
}

// load is n bytes of payload.
func load(r *rng, n int) []byte {
	if n == 0 {
		return nil
	}
	n = min(n, 1460)
	at := r.n(len(noise) - n)
	return noise[at : at+n]
}

// noise is where payloads are cut from.
var noise = func() []byte {
	r := newRNG(1, 1)
	b := make([]byte, 1<<14)
	for i := range b {
		b[i] = r.u8()
	}
	return b
}()

// udp sends one datagram of n bytes.
func (g *gen) udp(t int64, src, dst *host, sport, dport uint16, n int) {
	g.datagram(t, src, dst, sport, dport, load(g.r, n))
}

func (g *gen) datagram(t int64, src, dst *host, sport, dport uint16, p []byte) {
	h := g.head(src, dst, g.v6)
	g.b.udp(&h, sport, dport, p)
	g.emit(t, src, dst)
}

// group sends a datagram to a multicast or broadcast address.
func (g *gen) group(t int64, src *host, to netip.Addr, sport, dport uint16, p []byte, ttl uint8) {
	h := ipHead{from: src.mac, to: groupMAC(to), src: src.addr(!to.Is4()), dst: to, ttl: ttl, id: g.r.u16(), vlan: g.site.vlan}
	if h.src.Is4() != to.Is4() {
		return
	}
	g.b.udp(&h, sport, dport, p)
	g.emit(t, src, nil)
}

// message sends an ICMP or ICMPv6 message.
func (g *gen) message(t int64, src, dst *host, typ, code uint8, rest uint32, p []byte) {
	h := g.head(src, dst, g.v6)
	g.b.icmp(&h, typ, code, rest, p)
	g.emit(t, src, dst)
}

// echo sends an echo request, and its answer if dst is alive.
func (g *gen) echo(t int64, src, dst *host, id, seq uint16, n int, answered bool) {
	rest := uint32(id)<<16 | uint32(seq)
	ask, reply := uint8(8), uint8(0)
	if g.over6(src, dst) {
		ask, reply = 128, 129
	}
	p := load(g.r, n)
	g.message(t, src, dst, ask, 0, rest, p)
	if answered {
		g.aside(func() { g.message(t+g.after(dst), dst, src, reply, 0, rest, p) })
	}
}

// aside runs f with frames not marked as probes.
func (g *gen) aside(f func()) {
	was := g.probe
	g.probe = false
	f()
	g.probe = was
}

// over6 reports whether two hosts talk over IPv6.
func (g *gen) over6(a, b *host) bool { return g.v6 && a.ip6.IsValid() && b.ip6.IsValid() }

// after is how long the tap waits for a host's answer.
func (g *gen) after(h *host) int64 { return h.rtt + g.r.exp(h.rtt/8+20*microsecond) }

// what an ICMP error says, by family.
type reason uint8

const (
	noPort reason = iota
	noHost
	noRoute
	prohibited
	expired
)

// complain sends the ICMP error with which by answers the packet just built,
// which came from src.
func (g *gen) complain(t int64, by, src *host, why reason) {
	quote := append(g.quoted[:0], g.b.buf[g.b.ip:]...)
	v4 := quote[0]>>4 == 4
	most := pick(g.r, []int{28, 28, 548})
	if !v4 {
		most = 1232
	}
	quote = quote[:min(len(quote), most)]
	typ, code := uint8(3), [...]uint8{3, 1, 0, pick(g.r, []uint8{9, 10, 13}), 0}[why]
	if why == expired {
		typ = 11
	}
	if !v4 {
		typ, code = 1, [...]uint8{4, 3, 0, 1, 0}[why]
		if why == expired {
			typ = 3
		}
	}
	was := g.v6
	g.v6 = !v4
	g.aside(func() { g.message(t, by, src, typ, code, 0, quote) })
	g.v6 = was
	g.quoted = quote
}
