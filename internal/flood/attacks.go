package flood

import (
	"encoding/binary"
	"io"
	"math/bits"
	"net/netip"

	"edgescan/capture"
	"edgescan/featurize"
)

// Attack is one way to wear the detector out.
type Attack struct {
	Name  string
	steps int   // times that step is called
	every int64 // nanoseconds of packet time between them
	step  func(*writer, uint64)
}

// The scanners in the middle of every attack, ordinary ones: nmap's SYN scan of 200
// ports within a tenth of a second, and a scan of 60 ports, one a second.
const (
	Fast = "198.51.100.77"
	Slow = "198.51.100.99"
)

// The addresses that attacks share.
var (
	victim   = addr("192.0.2.10")
	crowd    = addr("203.0.113.0")
	sweeper  = addr("203.0.113.200")
	victim6  = addr("2001:db8::10")
	sources6 = addr("2001:db8:1::")
	anywhere = addr("32.0.0.0")
	swept    = addr("172.20.0.0")
	clients  = addr("10.20.0.0")
	private  = addr("172.16.0.0")
)

func addr(s string) capture.Addr { return capture.AddrFrom(netip.MustParseAddr(s)) }

// host returns the n-th address of an IPv4 network.
func host(network capture.Addr, n uint64) capture.Addr {
	binary.BigEndian.PutUint32(network[12:], binary.BigEndian.Uint32(network[12:])+uint32(n))
	return network
}

// scramble is a bijection that looks random (splitmix64's finaliser).
func scramble(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// spoofed returns a unicast address that looks random, another for each n
// below 2^24.
func spoofed(n uint64) capture.Addr {
	const odd = 2654435761
	return host(anywhere, n*odd&(1<<24-1)|n>>24<<24)
}

// Attacks are all of them, each of about a million packets.
var Attacks = []Attack{
	{"SYN flood, a million spoofed sources", 1_000_000, 60_000, synFlood},
	{"UDP flood to random ports", 1_000_000, 60_000, udpFlood},
	{"one source, 100 000 destinations", 100_000, 600_000, manyDestinations},
	{"sweep of a /16", 5 << 16, 200_000, sweep},
	{"a million benign flows", 1_000_000, 1_000_000, benignFlows},
	{"colliding sources", 1_000_000, 60_000, collidingSources},
	{"colliding contacts", 1_000_000, 60_000, collidingContacts},
	{"10 000 scanners, 30 ports each", 10_000 * 30, 200_000, manyScanners},
	{"10 000 scanners in turn", 10_000 * 30, 200_000, scannersInTurn},
}

// Write writes an attack as a capture file, with the scanners in the middle of
// it.
func (a *Attack) Write(out io.Writer) error {
	w := newWriter(out)
	middle := int64(a.steps) * a.every / 2
	scans := []scan{
		{src: addr(Fast), next: middle, every: 500_000, probes: 200},
		{src: addr(Slow), next: max(0, middle-30e9), every: 1e9, probes: 60},
	}
	for i := range uint64(a.steps) {
		now := int64(i) * a.every
		for j := range scans {
			scans[j].play(w, now)
		}
		w.now = now
		a.step(w, i)
	}
	scans[1].play(w, 1<<62)
	return w.flush()
}

// scan is a scanner at work.
type scan struct {
	src         capture.Addr
	next, every int64
	sent        int
	probes      int
}

// play sends the probes that are due.
func (s *scan) play(w *writer, now int64) {
	for ; s.sent < s.probes && s.next <= now; s.sent++ {
		w.now = s.next
		w.probe(s.src, s.sent)
		s.next += s.every
	}
}

// favourites are ports that scanners try first.
var favourites = [...]uint16{80, 23, 443, 21, 22, 25, 3389, 110, 445, 139, 143, 53, 135, 3306, 8080, 1723, 111, 995, 993, 5900}

// probe is the scanner's n-th: all refused, but for a web server.
func (w *writer) probe(src capture.Addr, n int) {
	port := uint16(1024 + n)
	if n < len(favourites) {
		port = favourites[n]
	}
	w.packet(&packet{src: src, dst: victim, sport: 40000, dport: port, flags: capture.SYN, seq: 1})
	answer := capture.RST | capture.ACK
	if port == 443 {
		answer = capture.SYN | capture.ACK
	}
	w.packet(&packet{src: victim, dst: src, sport: port, dport: 40000, flags: answer, ack: 2})
}

func synFlood(w *writer, i uint64) {
	w.packet(&packet{src: spoofed(i), dst: host(crowd, i%4), sport: uint16(scramble(i)), dport: 80, flags: capture.SYN, seq: uint32(i)})
}

// udpFlood comes from a thousand hosts, to any port of four.
func udpFlood(w *writer, i uint64) {
	r := scramble(i)
	w.packet(&packet{src: spoofed(r % 1000), dst: host(crowd, r>>16%4), sport: uint16(r >> 32), dport: uint16(r >> 48), udp: true, payload: 512})
}

func manyDestinations(w *writer, i uint64) {
	w.packet(&packet{src: sweeper, dst: spoofed(i), sport: 40000, dport: 443, flags: capture.SYN, seq: 1})
}

// sweep tries five ports of each host of a network, of which one in eight
// lives.
func sweep(w *writer, i uint64) {
	p := packet{src: sweeper, dst: host(swept, i&0xffff), sport: 40000, dport: favourites[i>>16], flags: capture.SYN, seq: 1}
	w.packet(&p)
	if scramble(i&0xffff)%8 == 0 {
		w.packet(&packet{src: p.dst, dst: p.src, sport: p.dport, dport: p.sport, flags: capture.RST | capture.ACK, ack: 2})
	}
}

// benignFlows are short web connections that carry data, of 5000 clients.
func benignFlows(w *writer, i uint64) {
	r := scramble(i)
	c, s := host(clients, r%5000), spoofed(r>>16%300)
	up := packet{src: c, dst: s, sport: uint16(32768 + i%28000), dport: 443, flags: capture.SYN, seq: 1}
	down := packet{src: s, dst: c, sport: 443, dport: up.sport, flags: capture.SYN | capture.ACK, seq: 100, ack: 2}
	w.packet(&up)
	w.now += 100_000
	w.packet(&down)
	w.now += 100_000
	up.flags, up.seq, up.ack, up.payload = capture.PSH|capture.ACK, 2, 101, 400
	w.packet(&up)
	w.now += 100_000
	down.flags, down.seq, down.ack, down.payload = capture.PSH|capture.ACK, 101, 402, 1400
	w.packet(&down)
	w.now += 100_000
	up.flags, up.seq, up.ack, up.payload = capture.FIN|capture.ACK, 402, 1501, 0
	w.packet(&up)
}

// collidingSources all have one hash for whoever knows the key of capture
// files: a product with the factor 0 is 0.
func collidingSources(w *writer, i uint64) {
	src := colliding(i)
	w.packet(&packet{src: src, dst: victim6, sport: uint16(i), dport: 80, flags: capture.SYN, seq: 1})
}

// collidingContacts are of 250 sources, 4000 each, to addresses that all have
// one hash.
func collidingContacts(w *writer, i uint64) {
	src := sources6
	src[15] = byte(i % 250)
	w.packet(&packet{src: src, dst: colliding(i / 250), sport: 40000, dport: 80, flags: capture.SYN, seq: 1})
}

// colliding returns an address of which the first half cancels the key.
func colliding(i uint64) capture.Addr {
	var a capture.Addr
	binary.LittleEndian.PutUint64(a[:], featurize.DefaultKey.A)
	binary.BigEndian.PutUint64(a[8:], bits.RotateLeft64(scramble(i), 7))
	return a
}

// manyScanners try their ports all at once.
func manyScanners(w *writer, i uint64) {
	w.refused(host(private, i%10_000), uint16(i/10_000))
}

// scannersInTurn try their ports one scanner after the other.
func scannersInTurn(w *writer, i uint64) {
	w.refused(host(private, i/30), uint16(i%30))
}

// refused is a probe that is refused.
func (w *writer) refused(src capture.Addr, n uint16) {
	p := packet{src: src, dst: host(crowd, uint64(src[15])), sport: 40000, dport: 20 + 3*n, flags: capture.SYN, seq: 1}
	w.packet(&p)
	w.packet(&packet{src: p.dst, dst: p.src, sport: p.dport, dport: p.sport, flags: capture.RST | capture.ACK, ack: 2})
}
