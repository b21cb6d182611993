package featurize

import (
	"fmt"
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
		{"forged unreachable", []capture.Packet{complaint(9, router, capture.ICMPUnreachable, query)}, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tracker := newTracker(t)
			for i := range c.packets {
				tracker.Add(&c.packets[i])
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
