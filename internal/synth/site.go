package synth

import "net/netip"

// host is one machine as the tap sees it.
type host struct {
	ip, ip6 netip.Addr // every host has IPv4; ip6 is invalid where there is no IPv6
	mac     mac        // its own, or for a host that is not on link the router's
	onlink  bool
	dead    bool // answers nothing, ARP neither
	unheard bool // what it sends takes another way, past the tap
	ttl     uint8
	rtt     int64 // from the tap to the host and back, nanoseconds
	stack   *stack
	win     uint16 // of its SYNs
	port    uint16 // last ephemeral port
	stamp   uint32 // time stamp's offset
	ipid    uint16
	idStep  uint16 // 0: drawn for each packet
	policy  policy // what a port does that nothing is said of
	open    []uint16
	lastErr int64 // when it last sent an ICMP error
	errGap  int64 // least time between two of them
}

// addr is the host's address in the family asked for, IPv4 where it has no
// IPv6.
func (h *host) addr(v6 bool) netip.Addr {
	if v6 && h.ip6.IsValid() {
		return h.ip6
	}
	return h.ip
}

// view is where the frames are taken.
type view uint8

const (
	viewMirror  view = iota // a switch's mirror port: all of the LAN
	viewGateway             // at the gateway: what it forwards, and LAN broadcasts
	viewHost                // on one host
	viewBorder              // between two routers: no ARP, no broadcast
)

var viewNames = []string{"mirror", "gateway", "host", "border"}

// site is a network and the place it is watched from.
type site struct {
	view    view
	nat     bool // hosts outside cannot start anything to those inside
	prefix  netip.Prefix
	prefix6 netip.Prefix // invalid where there is no IPv6
	gateway *host
	hosts   []*host // the live ones on the LAN
	self    *host   // whose view viewHost is
	dns     []*host
	isp     mac // the router on the outer side of viewBorder
	vlan    uint16
	pads    bool                 // frames of others are padded to 60 bytes
	taken   map[netip.Addr]*host // by IPv4 address

	deadRate int   // permille of the internet's hosts that never answer, as the site's habits have it
	unreach  int   // permille of dead hosts that a router reports
	uplink   int64 // what the way out adds to every round trip
}

// newSite draws a network.
func newSite(r *rng) *site {
	s := &site{taken: map[netip.Addr]*host{}, pads: r.chance(600), deadRate: r.logn(5, 150), unreach: pick(r, []int{0, 0, 50, 300, 900})}
	s.view = view(r.weighted(45, 25, 20, 10))
	s.nat = s.view != viewBorder && r.chance(650)
	s.uplink = r.log(300_000, 60_000_000)
	if r.chance(80) {
		s.vlan = uint16(r.span(1, 4000))
	}
	s.drawPrefixes(r)
	s.gateway = s.newOnlink(r, s.routerAddr(r))
	s.gateway.rtt = r.log(50_000, 3_000_000)
	s.isp = r.mac()
	n := r.logn(3, 40)
	if s.view == viewBorder || r.chance(150) {
		n = r.logn(10, 150)
	}
	for range min(n, s.size()-4) {
		s.hosts = append(s.hosts, s.newOnlink(r, s.freeAddr(r)))
	}
	s.self = s.hosts[0]
	if r.chance(600) {
		s.dns = append(s.dns, s.gateway)
	}
	for range r.span(1, 2) {
		s.dns = append(s.dns, s.newRemote(r, r.public()))
	}
	if r.chance(250) {
		s.dns[0] = s.hosts[len(s.hosts)-1]
	}
	return s
}

// drawPrefixes draws the LAN's prefixes.
func (s *site) drawPrefixes(r *rng) {
	bits := 24
	a := r.public().As4()
	if s.nat || r.chance(350) {
		switch r.weighted(60, 25, 15) {
		case 0:
			a = [4]byte{192, 168, byte(pick(r, []int{0, 1, 2, 8, 43, 56, 88, 100, 122, 178, r.n(256)}))}
		case 1:
			a = [4]byte{10, byte(r.logn(1, 256) - 1), byte(r.logn(1, 256) - 1)}
		case 2:
			a = [4]byte{172, byte(r.span(16, 31)), byte(r.n(256))}
		}
		if r.chance(100) {
			bits = r.span(20, 23)
		}
	} else if s.view == viewBorder {
		bits = r.span(16, 24)
	} else {
		bits = r.span(22, 26)
	}
	s.prefix = netip.PrefixFrom(netip.AddrFrom4(a), bits).Masked()
	if r.chance(450) {
		b := r.public6().As16()
		if r.chance(150) {
			b[0], b[1] = 0xfd, r.u8()
		}
		s.prefix6 = netip.PrefixFrom(netip.AddrFrom16(b), 64).Masked()
	}
}

// size is the number of addresses of the IPv4 prefix.
func (s *site) size() int { return 1 << (32 - s.prefix.Bits()) }

// lanAddr is the i-th address of the IPv4 prefix.
func (s *site) lanAddr(i int) netip.Addr { return offset4(s.prefix.Addr(), i) }

func offset4(a netip.Addr, i int) netip.Addr {
	b := a.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(i)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// lanAddr6 is an address of the IPv6 prefix with a low interface identifier.
func (s *site) lanAddr6(i int) netip.Addr {
	b := s.prefix6.Addr().As16()
	b[14], b[15] = byte(i>>8), byte(i)
	return netip.AddrFrom16(b)
}

func (s *site) routerAddr(r *rng) netip.Addr {
	return s.lanAddr(pick(r, []int{1, 1, 1, s.size() - 2, r.span(1, s.size()-2)}))
}

// freeAddr draws an address of the LAN that no host has, low ones and dense
// ranges first, as DHCP and people hand them out.
func (s *site) freeAddr(r *rng) netip.Addr {
	for range 50 {
		i := r.span(1, s.size()-2)
		switch r.n(3) {
		case 0:
			i = min(r.logn(2, 60), s.size()-2)
		case 1:
			i = min(100+r.logn(1, 40), s.size()-2)
		}
		if a := s.lanAddr(i); s.taken[a] == nil {
			return a
		}
	}
	for i := 1; i < s.size()-1; i++ {
		if a := s.lanAddr(i); s.taken[a] == nil {
			return a
		}
	}
	return s.lanAddr(s.size() - 2)
}

// nextAddr returns the first address of the LAN that is not taken.
func (s *site) nextAddr() netip.Addr {
	i := 1
	for s.taken[s.lanAddr(i)] != nil {
		i++
	}
	return s.lanAddr(i)
}

// newOnlink draws a live host of the LAN.
func (s *site) newOnlink(r *rng, a netip.Addr) *host {
	h := r.host(a)
	s.taken[a] = h
	h.mac, h.onlink, h.ttl = r.mac(), true, h.stack.ttl
	h.rtt = r.log(30_000, 8_000_000)
	if s.view == viewBorder {
		h.ttl -= uint8(r.span(1, 6))
	}
	if s.prefix6.IsValid() && (s.gateway == nil || r.chance(800)) {
		b := s.prefix6.Addr().As16()
		switch r.n(3) {
		case 0:
			b[15] = a.As4()[3]
		case 1:
			copy(b[8:], []byte{h.mac[0] ^ 2, h.mac[1], h.mac[2], 0xff, 0xfe, h.mac[3], h.mac[4], h.mac[5]})
		case 2:
			for i := 8; i < 16; i++ {
				b[i] = r.u8()
			}
		}
		h.ip6 = netip.AddrFrom16(b)
	}
	h.draw(r)
	return h
}

// newRemote draws a host behind the gateway.
func (s *site) newRemote(r *rng, a netip.Addr) *host {
	h := r.host(a)
	if s.prefix6.IsValid() {
		h.ip6 = r.public6()
	}
	h.mac = s.gateway.mac
	if s.view == viewBorder {
		h.mac = s.isp
	}
	hops := r.span(3, 22)
	if a.IsPrivate() {
		hops = r.span(1, 4)
	}
	h.ttl = h.stack.ttl - uint8(hops)
	h.rtt = s.uplink + r.log(500_000, 250_000_000)
	if a.IsPrivate() {
		h.rtt = r.log(200_000, 5_000_000)
	}
	h.draw(r)
	return h
}

// host draws what hosts everywhere have.
func (r *rng) host(a netip.Addr) *host {
	h := &host{ip: a, stack: r.stack(), stamp: r.u32(), ipid: r.u16(), idStep: pick(r, []uint16{0, 0, 1, 1, 256})}
	h.win = pick(r, h.stack.windows)
	h.port = h.stack.ports[0] + uint16(r.n(int(h.stack.ports[1]-h.stack.ports[0])))
	h.errGap = pick(r, []int64{0, 1_000_000, 200_000_000, 1_000_000_000, 1_000_000_000})
	return h
}

// nextPort is the next ephemeral port of the host.
func (h *host) nextPort(r *rng) uint16 {
	lo, hi := h.stack.ports[0], h.stack.ports[1]
	if h.stack.counting {
		if h.port += 1 + uint16(r.logn(1, 4)) - 1; h.port >= hi || h.port < lo {
			h.port = lo + uint16(r.n(100))
		}
		return h.port
	}
	return lo + uint16(r.n(int(hi-lo)))
}

// vendors are first three bytes of MAC addresses.
var vendors = [][3]byte{
	{0x00, 0x0c, 0x29}, {0x08, 0x00, 0x27}, {0x00, 0x50, 0x56}, {0xb8, 0x27, 0xeb}, {0xdc, 0xa6, 0x32}, {0x00, 0x1b, 0x21},
	{0x3c, 0x15, 0xc2}, {0xf0, 0x18, 0x98}, {0x00, 0x1d, 0x09}, {0x28, 0xd2, 0x44}, {0x50, 0xc7, 0xbf}, {0x74, 0x36, 0x6d},
	{0xd4, 0xbe, 0xd9}, {0x00, 0x25, 0x90}, {0x00, 0x04, 0xf2}, {0xa4, 0x02, 0xb9}, {0x00, 0x1a, 0x2b}, {0x52, 0x54, 0x00},
}

func (r *rng) mac() mac {
	v := pick(r, vendors)
	m := mac{v[0], v[1], v[2], r.u8(), r.u8(), r.u8()}
	if r.chance(150) {
		m[0], m[1], m[2] = r.u8()&0xfc|2, r.u8(), r.u8()
	}
	return m
}

// public draws an IPv4 address of the internet.
func (r *rng) public() netip.Addr {
	for {
		a := netip.AddrFrom4([4]byte{byte(r.span(1, 223)), r.u8(), r.u8(), byte(r.span(1, 254))})
		b := a.As4()
		if b[0] != 10 && b[0] != 127 && !a.IsPrivate() && !a.IsLinkLocalUnicast() && !(b[0] == 100 && b[1]&0xc0 == 64) {
			return a
		}
	}
}

// prefixes6 are starts of IPv6 addresses in use.
var prefixes6 = [][4]byte{
	{0x2a, 0x00, 0x14, 0x50}, {0x26, 0x07, 0xf8, 0xb0}, {0x2a, 0x04, 0x4e, 0x42}, {0x26, 0x20, 0x01, 0x16}, {0x20, 0x01, 0x0d, 0xb8},
	{0x2a, 0x03, 0x28, 0x80}, {0x24, 0x04, 0x68, 0x00}, {0x26, 0x06, 0x47, 0x00}, {0x20, 0x01, 0x06, 0x38}, {0x00, 0x64, 0xff, 0x9b},
}

func (r *rng) public6() netip.Addr {
	p := pick(r, prefixes6)
	var b [16]byte
	copy(b[:], p[:])
	if p[0] == 0 {
		copy(b[12:], be32(nil, r.u32())) // NAT64 (RFC 6052)
		return netip.AddrFrom16(b)
	}
	b[4], b[5], b[6], b[7] = r.u8(), r.u8(), r.u8()&3, r.u8()
	if r.chance(500) {
		for i := 8; i < 16; i++ {
			b[i] = r.u8()
		}
	} else {
		b[14], b[15] = r.u8()&0x20, r.u8()
	}
	return netip.AddrFrom16(b)
}
