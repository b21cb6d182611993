package synth

import (
	"encoding/binary"
	"net/netip"
)

// outcome is what comes of an attempt to reach a port.
type outcome uint8

const (
	answered   outcome = iota
	refused            // reset, or ICMP port unreachable
	silent             // nothing comes back
	noRouteTo          // a router reports host or network unreachable
	forbidden          // a filter reports it
	resetEarly         // the handshake is done, then one end resets
)

// ending is how a connection ends.
type ending uint8

const (
	finClient ending = iota
	finServer
	rstClient
	rstServer
	stays // open beyond what is drawn
)

// flow is one TCP connection: both ends, and where their sequence numbers are.
type flow struct {
	g          *gen
	c, s       *host
	v6         bool
	cp, sp     uint16
	cseq, sseq uint32
}

func (g *gen) flow(c, s *host, cp, sp uint16) *flow {
	return &flow{g: g, c: c, s: s, v6: g.v6, cp: cp, sp: sp, cseq: g.r.u32(), sseq: g.r.u32()}
}

// up sends a segment of n bytes from the client, down from the server; next
// sequence numbers follow.
func (f *flow) up(t int64, flags uint8, n int) {
	f.segment(t, f.c, f.s, f.cp, f.sp, f.cseq, f.sseq, flags, n)
	f.cseq += advance(flags, n)
}

func (f *flow) down(t int64, flags uint8, n int) {
	f.segment(t, f.s, f.c, f.sp, f.cp, f.sseq, f.cseq, flags, n)
	f.sseq += advance(flags, n)
}

// advance is the sequence space that a segment takes.
func advance(flags uint8, n int) uint32 {
	if flags&(syn|fin) != 0 {
		n++
	}
	return uint32(n)
}

// segment sends one segment with the options that the sender's stack would put.
func (f *flow) segment(t int64, from, to *host, sp, dp uint16, seq, ackn uint32, flags uint8, n int) {
	g := f.g
	h := tcpHead{sport: sp, dport: dp, seq: seq, flags: flags, win: from.win}
	if flags&ack != 0 {
		h.ack = ackn
	}
	if flags&rst == 0 {
		h.opts = from.options(g.opts[:0], t, flags, f.c.stack.stampAt > 0 && f.s.stack.stampAt > 0)
	} else {
		h.win = 0
	}
	ip := g.head(from, to, f.v6)
	g.b.tcp(&ip, &h, load(g.r, n))
	g.emit(t, from, to)
}

// options are the TCP options of a segment sent at t.
func (h *host) options(buf []byte, t int64, flags uint8, stamps bool) []byte {
	stamp := h.stamp + uint32(t/millisecond)
	if flags&syn != 0 {
		buf = append(buf, h.stack.syn...)
		if at := h.stack.stampAt; at > 0 {
			binary.BigEndian.PutUint32(buf[at:], stamp)
		}
		return buf
	}
	if !stamps {
		return buf
	}
	buf = append(buf, 1, 1, 8, 10)
	return be32(buf, stamp, stamp-17)
}

// talk describes a connection to make.
type talk struct {
	c, s   *host
	cp, sp uint16 // cp 0: the client's next ephemeral port
	out    outcome
	rounds int   // of request and answer
	req    int   // bytes of a request
	resp   int   // bytes of an answer
	gap    int64 // between rounds, on average
	idle   int   // keep-alives after the last round
	end    ending
	tries  int  // SYNs that a silent server gets, 0 for as many as the stack sends
	greets bool // the server speaks first, as for mail, FTP and SSH
}

// talk plays a connection from t on and returns when it is over.
func (g *gen) talk(t int64, k talk) int64 {
	if g.full(t) {
		return t
	}
	if k.cp == 0 {
		k.cp = k.c.nextPort(g.r)
	}
	if !g.reach(t, k.c, k.s) {
		return t + 3*second
	}
	f := g.flow(k.c, k.s, k.cp, k.sp)
	if k.out != answered && k.out != resetEarly {
		return f.fail(t, &k)
	}
	if g.r.chance(4) { // a lost SYN or answer
		f.up(t, syn, 0)
		f.cseq--
		t += k.c.stack.retries[0] * second
	}
	t = f.handshake(t)
	if k.out == resetEarly {
		f.finish(t+g.r.exp(k.s.rtt), pick(g.r, []ending{rstClient, rstServer}))
		return t
	}
	t = f.exchange(t, &k)
	return f.finish(t, k.end)
}

// handshake returns when the tap has seen the third packet.
func (f *flow) handshake(t int64) int64 {
	g := f.g
	f.up(t, syn, 0)
	t += g.after(f.s)
	f.down(t, syn|ack, 0)
	t += g.after(f.c)
	f.up(t, ack, 0)
	return t
}

// exchange sends the rounds of request and answer and the keep-alives.
func (f *flow) exchange(t int64, k *talk) int64 {
	g := f.g
	if k.greets {
		t += g.after(f.s)
		f.down(t, psh|ack, g.r.span(20, 120))
		t += g.after(f.c)
		f.up(t, ack, 0)
	}
	for i := range k.rounds {
		if i > 0 {
			t += g.r.exp(max(k.gap, millisecond))
		}
		f.up(t, psh|ack, max(k.req, 1))
		t += g.after(f.s)
		if g.r.chance(300) {
			f.down(t, ack, 0)
			t += g.r.exp(5 * millisecond)
		}
		for left := k.resp; left > 0; left -= 1448 {
			f.down(t, psh|ack, min(left, 1448))
			t += 20*microsecond + g.r.n64(200*microsecond)
		}
		if k.resp > 0 || g.r.chance(500) {
			t += g.r.exp(g.r.log(50*microsecond, 40*millisecond))
			f.up(t, ack, 0)
		}
	}
	every := pick(g.r, []int64{10, 15, 30, 45, 60, 75, 300}) * second
	for range k.idle {
		t += every
		f.keepalive(t)
	}
	return t
}

// keepalive sends a keep-alive of no or one old byte, and its answer.
func (f *flow) keepalive(t int64) {
	g := f.g
	next := f.cseq
	f.cseq--
	f.up(t, ack, g.r.n(2))
	f.cseq = next
	f.down(t+g.after(f.s), ack, 0)
}

// finish ends the connection.
func (f *flow) finish(t int64, e ending) int64 {
	g := f.g
	t += g.r.exp(g.r.log(millisecond, 2*second))
	switch e {
	case finClient:
		f.up(t, fin|ack, 0)
		t += g.after(f.s)
		f.down(t, fin|ack, 0)
		t += g.after(f.c)
		f.up(t, ack, 0)
	case finServer:
		f.down(t, fin|ack, 0)
		t += g.after(f.c)
		f.up(t, ack, 0)
		t += g.r.exp(g.r.log(50*microsecond, second))
		f.up(t, fin|ack, 0)
		t += g.after(f.s)
		f.down(t, ack, 0)
	case rstClient:
		f.up(t, rst|ack, 0)
	case rstServer:
		f.down(t, rst|ack, 0)
	}
	return t
}

// fail sends the SYNs of an attempt that comes to nothing.
func (f *flow) fail(t int64, k *talk) int64 {
	g := f.g
	retries := k.c.stack.retries
	tries := k.tries
	if tries == 0 {
		tries = min(1+g.r.n(len(retries)+1), 4)
	}
	start := t
	for i := range min(tries, len(retries)+1) {
		if i > 0 {
			t = start + retries[i-1]*second + g.r.n64(20*millisecond)
		}
		f.up(t, syn, 0)
		f.cseq--
		switch k.out {
		case refused:
			f.refuse(t + g.after(f.s))
			if !g.r.chance(f.c.stack.insist) || i > 1 {
				return t
			}
			start = t - retries[i]*second + 500*millisecond
		case noRouteTo:
			g.complain(t+g.after(g.site.gateway), g.router(f.s), f.c, pick(g.r, []reason{noHost, noHost, noRoute}))
			if g.r.chance(700) {
				return t
			}
		case forbidden:
			g.complain(t+g.after(f.s), g.router(f.s), f.c, prohibited)
			if g.r.chance(700) {
				return t
			}
		}
	}
	return t
}

// refuse answers the SYN at cseq with a reset.
func (f *flow) refuse(t int64) {
	g := f.g
	h := tcpHead{sport: f.sp, dport: f.cp, ack: f.cseq + 1, flags: rst | ack}
	ip := g.head(f.s, f.c, f.v6)
	g.aside(func() {
		g.b.tcp(&ip, &h, nil)
		g.emit(t, f.s, f.c)
	})
}

// router is who reports that s cannot be reached: the gateway, or a router
// near s.
func (g *gen) router(s *host) *host {
	if s.onlink || g.r.chance(500) {
		return g.site.gateway
	}
	return g.routerNear(s)
}

// routerNear is a router on the way to s, some hops before it.
func (g *gen) routerNear(s *host) *host {
	b := s.ip.As4()
	b[3] = byte(g.r.span(1, 254))
	r := *s
	r.ip = netip.AddrFrom4(b)
	if s.ip6.IsValid() {
		c := s.ip6.As16()
		c[15], c[14] = 1, 0
		r.ip6 = netip.AddrFrom16(c)
	}
	return &r
}
