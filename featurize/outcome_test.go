package featurize

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"edgescan/capture"
)

const (
	syn    = capture.SYN
	ack    = capture.ACK
	synack = capture.SYN | capture.ACK
	finack = capture.FIN | capture.ACK
	rst    = capture.RST
	rstack = capture.RST | capture.ACK
	psh    = capture.PSH | capture.ACK
	xmas   = capture.FIN | capture.PSH | capture.URG
)

// describe names a source's contacts as "tcp/80 answered data", sorted as the
// tracker has them.
func describe(t *Tracker, a capture.Addr) string {
	var parts []string
	for _, c := range contactsOf(t, a) {
		s := fmt.Sprintf("%v/%d %v", c.Proto, c.Port, c.Outcome)
		if c.CarriedData() {
			s += " data"
		}
		if c.Expired() {
			s += " expired"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

func TestOutcomes(t *testing.T) {
	probe := func(flags capture.Flags) capture.Packet { return tcp(0, client, server, 40000, 80, flags, 100, 0, 0) }
	open := []capture.Packet{
		probe(syn),
		tcp(1, server, client, 80, 40000, synack, 500, 101, 0),
		tcp(2, client, server, 40000, 80, ack, 101, 501, 0),
	}
	query := udp(0, client, server, 40000, 53, 30)
	group := addr("239.255.255.250")
	back := func(ms int64, flags capture.Flags, seq, acked uint32) capture.Packet {
		return tcp(ms, server, client, 80, 40000, flags, seq, acked, 0)
	}
	tiny := probe(syn)
	tiny.Fragment = capture.FragmentFirst
	cut := complaint(5, router, capture.ICMPUnreachable, probe(syn))
	cut.Quote.Ports = false
	stamp := icmp(0, client, server, capture.ICMPTimestamp, 0)
	tooBig := complaint(5, router, capture.ICMPUnreachable, query)
	tooBig.Code = 4
	unassembled := complaint(5, server, capture.ICMPTimeExceeded, query)
	unassembled.Code = 1
	cases := []struct {
		name           string
		packets        []capture.Packet
		client, server string
	}{
		{"SYN, nothing yet", []capture.Packet{probe(syn)}, "tcp/80 pending", ""},
		{"SYN, nothing", []capture.Packet{probe(syn), silence(2500)}, "tcp/80 silent", ""},
		{"SYN twice, nothing", []capture.Packet{probe(syn), tcp(1000, client, server, 40000, 80, syn, 100, 0, 0), silence(2500)}, "tcp/80 silent", ""},
		{"SYN, RST", []capture.Packet{probe(syn), tcp(1, server, client, 80, 40000, rstack, 0, 101, 0)}, "tcp/80 refused", ""},
		{"SYN, late SYN-ACK", []capture.Packet{probe(syn), silence(2500), tcp(5000, server, client, 80, 40000, synack, 500, 101, 0)}, "tcp/80 answered", ""},
		{"SYN, unreachable", []capture.Packet{probe(syn), complaint(5, router, capture.ICMPUnreachable, probe(syn))}, "tcp/80 refused", ""},
		{"half-open scan of an open port", append(open[:2:2], tcp(2, client, server, 40000, 80, rst, 101, 0, 0)), "tcp/80 answered", ""},
		{"connect scan of an open port", append(open[:3:3], tcp(3, client, server, 40000, 80, rstack, 101, 501, 0)), "tcp/80 answered", ""},
		{"connect and close", append(open[:3:3], tcp(3, client, server, 40000, 80, finack, 101, 501, 0), tcp(4, server, client, 80, 40000, finack, 501, 102, 0)), "tcp/80 answered", ""},
		{"payload seen", append(open[:3:3], tcp(3, client, server, 40000, 80, psh, 101, 501, 200)), "tcp/80 answered data", ""},
		{"payload told by FIN alone", append(open[:2:2], tcp(900, server, client, 80, 40000, finack, 9000, 300, 0)), "tcp/80 answered data", ""},
		{"payload told by RST alone", append(open[:2:2], tcp(900, client, server, 40000, 80, rst, 400, 0, 0)), "tcp/80 answered data", ""},
		{"one way: SYN and ACK of the client only", []capture.Packet{open[0], open[2]}, "tcp/80 answered", ""},
		{"backscatter: SYN-ACK without SYN", []capture.Packet{open[1]}, "tcp/80 answered", ""},
		{"FIN probe, nothing", []capture.Packet{probe(capture.FIN), silence(2500)}, "tcp/80 odd", ""},
		{"NULL probe, RST", []capture.Packet{probe(0), tcp(1, server, client, 80, 40000, rstack, 0, 100, 0)}, "tcp/80 odd", ""},
		{"XMAS probe", []capture.Packet{probe(xmas)}, "tcp/80 odd", ""},
		{"ACK probe, RST", []capture.Packet{probe(ack), tcp(1, server, client, 80, 40000, rst, 0, 0, 0)}, "tcp/80 odd", ""},
		{"ACK probe, nothing", []capture.Packet{probe(ack), silence(2500)}, "tcp/80 odd", ""},
		{"ACK probe known by its RST", []capture.Packet{tcp(1, server, client, 80, 40000, rst, 7, 0, 0)}, "tcp/80 odd", ""},
		{"client's RST to a server on a high port", []capture.Packet{tcp(1, server, client, 2389, 30120, rst, 7, 0, 0)}, "", ""},
		{"SYN known by its RST", []capture.Packet{tcp(1, server, client, 80, 40000, rstack, 0, 101, 0)}, "tcp/80 refused", ""},
		{"end of an unseen connection", []capture.Packet{tcp(1, server, client, 80, 40000, rstack, 77, 101, 0)}, "", ""},
		{"middle of a connection", []capture.Packet{tcp(0, client, server, 40000, 80, psh, 100, 200, 300)}, "tcp/80 answered data", ""},
		{"middle of a connection, server first", []capture.Packet{tcp(0, server, client, 80, 40000, psh, 100, 200, 300)}, "tcp/80 answered data", ""},
		{"keep-alive in the middle", []capture.Packet{probe(ack), tcp(30, server, client, 80, 40000, ack, 0, 100, 0)}, "tcp/80 answered", ""},
		{"download seen from the client only", []capture.Packet{probe(ack), tcp(9, client, server, 40000, 80, ack, 100, 3000, 0)}, "tcp/80 answered data", ""},
		{"UDP request and reply", []capture.Packet{query, udp(9, server, client, 53, 40000, 90)}, "udp/53 answered data", ""},
		{"UDP refused", []capture.Packet{query, complaint(9, server, capture.ICMPUnreachable, query)}, "udp/53 refused", ""},
		{"UDP silent", []capture.Packet{query, silence(2500)}, "udp/53 silent", ""},
		{"empty UDP probe", []capture.Packet{udp(0, client, server, 40000, 999, 0), silence(2500)}, "udp/999 odd", ""},
		{"UDP answered from another port", []capture.Packet{udp(0, client, server, 40000, 69, 30), udp(9, server, client, 51000, 40000, 90), silence(2500)}, "udp/69 answered data", ""},
		{"UDP reply alone", []capture.Packet{udp(0, server, client, 53, 40000, 30)}, "udp/53 answered data", ""},
		{"search to a group, answered to its port", []capture.Packet{udp(0, client, group, 50000, 1900, 90), udp(9, server, client, 1999, 50000, 300)}, "", ""},
		{"traceroute", []capture.Packet{udp(0, client, server, 40000, 33435, 30), complaint(9, router, capture.ICMPTimeExceeded, udp(0, client, server, 40000, 33435, 30))}, "udp/33435 refused expired", ""},
		{"traceroute that arrives", []capture.Packet{
			udp(0, client, server, 40000, 33435, 30),
			complaint(9, router, capture.ICMPTimeExceeded, udp(0, client, server, 40000, 33435, 30)),
			udp(10, client, server, 40000, 33436, 30),
			udp(11, client, server, 40000, 33437, 30),
			complaint(20, server, capture.ICMPUnreachable, udp(0, client, server, 40000, 33437, 30)),
			silence(5000),
		}, "udp/33437 refused expired, udp/33436 silent expired, udp/33435 refused expired", ""},
		{"echo and reply", []capture.Packet{icmp(0, client, server, capture.ICMPEchoRequest, 0), icmp(9, server, client, capture.ICMPEchoReply, 0)}, "icmp/8 answered data", ""},
		{"echo, nothing", []capture.Packet{icmp(0, client, server, capture.ICMPEchoRequest, 0), silence(2500)}, "icmp/8 silent", ""},
		{"ARP and reply", []capture.Packet{arp(0, capture.ARPRequest, client, router), arp(1, capture.ARPReply, router, client)}, "arp/0 answered data", ""},
		{"ARP, nothing", []capture.Packet{arp(0, capture.ARPRequest, client, router), silence(2500)}, "arp/0 silent", ""},
		{"gratuitous ARP", []capture.Packet{arp(0, capture.ARPRequest, client, client)}, "", ""},
		{"retransmitted SYN, answered", []capture.Packet{probe(syn), tcp(1000, client, server, 40000, 80, syn, 100, 0, 0), back(1001, synack, 500, 101)}, "tcp/80 answered", ""},
		{"simultaneous open", []capture.Packet{
			tcp(0, client, server, 4000, 4001, syn, 100, 0, 0), tcp(0, server, client, 4001, 4000, syn, 500, 0, 0),
			tcp(9, client, server, 4000, 4001, synack, 100, 501, 0), tcp(9, server, client, 4001, 4000, synack, 500, 101, 0),
		}, "tcp/4001 answered", "tcp/4000 answered"},
		{"RST by a firewall in mid-connection", append(open[:3:3], back(9, rst, 501, 0)), "tcp/80 answered", ""},
		{"late RST", []capture.Packet{probe(syn), silence(2500), back(5000, rstack, 0, 101)}, "tcp/80 refused", ""},
		{"late UDP reply", []capture.Packet{query, silence(2500), udp(9000, server, client, 53, 40000, 90)}, "udp/53 answered data", ""},
		{"port used again, refused", append(open[:2:2], tcp(2, client, server, 40000, 80, rst, 101, 0, 0), tcp(3, client, server, 40000, 80, syn, 3<<30, 0, 0), back(4, rstack, 0, 3<<30+1)), "tcp/80 answered", ""},
		{"port used again, whose answer the old numbers misread", []capture.Packet{
			probe(syn), back(1, synack, 3<<30, 101),
			tcp(3, client, server, 40000, 80, syn, 900, 0, 0), back(4, rstack, 0, 901),
		}, "tcp/80 answered", ""},
		{"unreachable that quotes no ports", []capture.Packet{probe(syn), cut, silence(2500)}, "tcp/80 silent", ""},
		{"packet too big", []capture.Packet{query, tooBig, silence(2500)}, "udp/53 silent", ""},
		{"fragments not assembled", []capture.Packet{query, unassembled, silence(2500)}, "udp/53 silent", ""},
		{"idle keep-alive of a server, its flow forgotten", []capture.Packet{tcp(0, server, client, 8443, 50000, ack, 99, 200, 0), silence(2500)}, "tcp/8443 answered", ""},
		{"idle keep-alive of a client to a host that is gone", []capture.Packet{tcp(0, client, server, 50000, 8443, ack, 99, 200, 1), silence(2500)}, "tcp/8443 odd", ""},
		{"first fragment without flags, SYN-ACK", []capture.Packet{tiny, back(1, synack, 500, 101)}, "tcp/80 answered", ""},
		{"first fragment without flags, nothing", []capture.Packet{tiny, silence(2500)}, "tcp/80 odd", ""},
		{"UDP answered from another address", []capture.Packet{query, udp(9, router, client, 53, 40000, 90), silence(2500)}, "udp/53 silent", ""},
		{"VPN one way", slices.Repeat([]capture.Packet{udp(0, client, server, 51820, 51820, 90)}, streamDatagrams), "udp/51820 answered data", ""},
		{"syslog one way", slices.Repeat([]capture.Packet{udp(0, client, server, 40000, 514, 120)}, streamDatagrams), "udp/514 answered data", ""},
		{"late reply to a search that lies before the capture", []capture.Packet{udp(0, server, client, 1900, 50000, 300), udp(1, server, client, 5355, 50001, 60)}, "udp/5355 answered data, udp/1900 answered data", ""},
		{"DHCP offer", []capture.Packet{udp(0, server, client, 67, 68, 300)}, "udp/67 answered data", ""},
		{"UDP scan from port 53 of a host that answers", []capture.Packet{
			udp(0, client, server, 53, 40000, 9), udp(1, client, server, 53, 161, 9), udp(2, client, server, 53, 137, 9),
			udp(3, server, client, 161, 53, 60), silence(2500),
		}, "udp/137 silent, udp/161 answered data", "udp/53 answered data"},
		{"broadcast", []capture.Packet{udp(0, client, addr("255.255.255.255"), 137, 137, 50), icmp(1, client, group, capture.ICMPEchoRequest, 0)}, "", ""},
		{"time stamp and reply", []capture.Packet{stamp, icmp(9, server, client, capture.ICMPTimestampReply, 0)}, "icmp/13 answered data", ""},
		{"time stamp, unreachable", []capture.Packet{stamp, complaint(9, router, capture.ICMPUnreachable, stamp)}, "icmp/13 refused", ""},
		{"echo reply nobody asked for", []capture.Packet{icmp(0, server, client, capture.ICMPEchoReply, 0)}, "", ""},
		{"forged unreachable", []capture.Packet{complaint(9, router, capture.ICMPUnreachable, query)}, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tracker := newTracker(t)
			for _, p := range c.packets {
				if p.Proto == capture.ProtoNone {
					tracker.Advance(p.Time)
					continue
				}
				p = onWire(t, p)
				tracker.Add(&p)
			}
			if got := describe(tracker, client); got != c.client {
				t.Errorf("client: %q, want %q", got, c.client)
			}
			if got := describe(tracker, server); got != c.server {
				t.Errorf("server: %q, want %q", got, c.server)
			}
		})
	}
}

// play adds the frames of packets to a new tracker and lets the last ones time
// out.
func play(t *testing.T, packets ...capture.Packet) *Tracker {
	t.Helper()
	tracker := newTracker(t)
	for _, p := range packets {
		p = onWire(t, p)
		tracker.Add(&p)
	}
	tracker.Advance(tracker.Now() + Timeout)
	return tracker
}

// neighbour returns a different host of one subnet for each n below 250.
func neighbour(n int) capture.Addr {
	a := addr("198.51.100.0")
	a[15] = byte(n + 1)
	return a
}

// TestOverlappingFragments sends a first fragment that holds the ports and no
// flags, and a later one that overlaps it to bring them (RFC 3128): one contact,
// whatever the later one says, which has no ports to be told by.
func TestOverlappingFragments(t *testing.T) {
	first, later := tcp(0, client, server, 40000, 80, 0, 100, 0, 0), capture.Packet{Time: start, Src: client, Dst: server, Proto: capture.ProtoTCP}
	first.Fragment, later.Fragment = capture.FragmentFirst, capture.FragmentLater
	answer := tcp(1, server, client, 80, 40000, synack, 500, 101, 0)
	tracker := newTracker(t)
	for _, p := range []*capture.Packet{&first, &later, &later, &answer} {
		tracker.Add(p)
	}
	if got, want := describe(tracker, client), "tcp/80 answered"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSweepFromServicePort(t *testing.T) {
	var sweep, replies []capture.Packet
	for n := range 20 {
		sweep = append(sweep, udp(int64(n), client, neighbour(n), 53, 11211, 20))
		replies = append(replies, udp(int64(n), client, neighbour(n), 53, 40000+uint16(n), 90))
	}
	if got := len(contactsOf(play(t, sweep...), client)); got != 20-sweepHosts {
		t.Errorf("sweep: %d contacts, want all but the first %d of 20", got, sweepHosts)
	}
	if got := describe(play(t, replies...), client); got != "" {
		t.Errorf("a server's replies: %q, want none", got)
	}
}

func TestBackscatterIsNoScan(t *testing.T) {
	var packets []capture.Packet
	for n := range 20 {
		packets = append(packets, tcp(int64(n), server, neighbour(n), 80, 40000, synack, 7, 8, 0))
	}
	if got := describe(play(t, packets...), server); got != "" {
		t.Errorf("the flooded host: %q, want no contact", got)
	}
}

func TestDecoysCountEach(t *testing.T) {
	tracker := play(t,
		tcp(0, client, server, 40000, 80, syn, 1, 0, 0), tcp(0, router, server, 40000, 80, syn, 1, 0, 0),
		tcp(1, server, client, 80, 40000, synack, 5, 2, 0), tcp(1, server, router, 80, 40000, synack, 5, 2, 0),
		tcp(2, client, server, 40000, 80, rst, 2, 0, 0), tcp(2, router, server, 40000, 80, rst, 2, 0, 0))
	for _, a := range []capture.Addr{client, router} {
		if got, want := describe(tracker, a), "tcp/80 answered"; got != want {
			t.Errorf("%v: %q, want %q", a.Netip(), got, want)
		}
	}
}

func TestIPv6(t *testing.T) {
	host, temporary := addr("2001:db8::1"), addr("2001:db8::8c1d:22:9a7:5")
	mapped, next := addr("64:ff9b::c000:207"), addr("fe80::1") // NAT64 (RFC 6052)
	discovery := func(src, dst, target capture.Addr, typ uint8) capture.Packet {
		p := capture.Packet{Time: start, Src: src, Dst: dst, Proto: capture.ProtoICMPv6, Type: typ}
		p.Quote.Dst = target
		return p
	}
	tracker := play(t,
		tcp(0, host, mapped, 40000, 443, syn, 1, 0, 0), tcp(1, mapped, host, 443, 40000, synack, 7, 2, 0),
		tcp(0, temporary, mapped, 40000, 443, syn, 1, 0, 0),
		discovery(next, addr("ff02::1:ff00:1"), host, capture.ICMP6NeighborSol), discovery(host, next, host, capture.ICMP6NeighborAdvert),
		discovery(next, addr("ff02::1:ff00:2"), addr("2001:db8::2"), capture.ICMP6NeighborSol))
	for a, want := range map[capture.Addr]string{
		host: "tcp/443 answered", temporary: "tcp/443 silent", next: "arp/0 silent, arp/0 answered data", mapped: "",
	} {
		if got := describe(tracker, a); got != want {
			t.Errorf("%v: %q, want %q", a.Netip(), got, want)
		}
	}
}
