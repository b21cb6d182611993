package synth

import "net/netip"

// resolve has asker find out the link-layer address of a host of the LAN at t,
// unless it knows it still, and reports whether it then knows it. Neither ARP
// nor neighbour discovery is to be seen on a border link.
func (g *gen) resolve(t int64, asker, target *host) bool {
	if g.site.view == viewBorder {
		return !target.dead
	}
	v6 := g.over6(asker, target)
	key := [2]netip.Addr{asker.addr(v6), target.addr(v6)}
	if until, ok := g.known[key]; ok && t < until {
		return !target.dead
	}
	g.known[key] = t + 20*second + g.r.n64(4*minute)
	if !target.dead {
		g.neighbour(t-target.rtt*3/2-g.r.n64(200*microsecond), asker, target, v6, true)
		return true
	}
	for i := range 3 {
		g.neighbour(t+int64(i)*second, asker, target, v6, false)
	}
	return false
}

// neighbour sends one ARP request or neighbour solicitation and its answer, if
// the target lives.
func (g *gen) neighbour(t int64, asker, target *host, v6, answered bool) {
	to := target.addr(v6)
	if v6 {
		g.solicit(t, asker, asker.ip6, to)
	} else {
		g.arpRequest(t, asker, to)
	}
	if !answered || target.dead {
		return
	}
	t += g.after(target)
	g.aside(func() {
		if v6 {
			g.advertise(t, target, asker)
		} else {
			g.b.arp(asker.mac, target.mac, g.site.vlan, 2, to, target.mac, asker.ip, asker.mac)
			g.emit(t, target, asker)
		}
	})
}

func (g *gen) arpRequest(t int64, asker *host, to netip.Addr) {
	g.b.arp(macBroadcast, asker.mac, g.site.vlan, 1, asker.ip, asker.mac, to, macZero)
	g.emit(t, asker, nil)
}

// solicit sends a neighbour solicitation (RFC 4861, 4.3) to the target's
// solicited-node group.
func (g *gen) solicit(t int64, asker *host, from, target netip.Addr) {
	b := target.As16()
	to := netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
	h := ipHead{from: asker.mac, to: groupMAC(to), src: from, dst: to, ttl: 255, vlan: g.site.vlan}
	p := append(b[:], 1, 1)
	p = append(p, asker.mac[:]...)
	g.b.icmp(&h, 135, 0, 0, p)
	g.emit(t, asker, nil)
}

// advertise sends a solicited neighbour advertisement (RFC 4861, 4.4).
func (g *gen) advertise(t int64, from, to *host) {
	h := ipHead{from: from.mac, to: to.mac, src: from.ip6, dst: to.ip6, ttl: 255, vlan: g.site.vlan}
	b := from.ip6.As16()
	p := append(b[:], 2, 1)
	p = append(p, from.mac[:]...)
	g.b.icmp(&h, 136, 0, 0x60000000, p)
	g.emit(t, from, to)
}

// reach resolves what a has to know to send to b at t, and reports whether a
// packet gets on its way.
func (g *gen) reach(t int64, a, b *host) bool {
	if a.onlink && b.onlink {
		return g.resolve(t, a, b)
	}
	if a.onlink && g.r.chance(300) {
		g.resolve(t, a, g.site.gateway)
	}
	return true
}
