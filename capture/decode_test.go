package capture

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var (
	host1, host2 = AddrFrom(netip.MustParseAddr("192.0.2.1")), AddrFrom(netip.MustParseAddr("192.0.2.2"))
	host61       = AddrFrom(netip.MustParseAddr("2001:db8::1"))
	host62       = AddrFrom(netip.MustParseAddr("2001:db8::2"))
)

// addr parses an address.
func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// bytesOf is a layer of bytes that gopacket does not build.
func bytesOf(b ...byte) gopacket.Payload { return gopacket.Payload(b) }

// mutate returns a copy of a frame with changes.
func mutate(frame []byte, change func(b []byte)) []byte {
	frame = slices.Clone(frame)
	change(frame)
	return frame
}

// extension builds an IPv6 extension header of 8 bytes.
func extension(next layers.IPProtocol, rest ...byte) gopacket.Payload {
	b := make([]byte, 8)
	b[0] = byte(next)
	copy(b[1:], rest)
	return b
}

// tcpHeader is what tcpFrame has above IP, cut to n bytes.
func tcpHeader(flags Flags, n int) gopacket.Payload { return tcpFrame(22, flags, 0)[34 : 34+n] }

// The packets that most cases come down to.
var (
	wantSYN = Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoTCP,
		SrcPort: 40000, DstPort: 22, Seq: 1000, Flags: SYN}
	wantSYN6 = Packet{Src: host61, Dst: host62, TTL: 64, Proto: ProtoTCP,
		SrcPort: 40000, DstPort: 22, Seq: 1000, Flags: SYN}
)

// with returns a changed copy of a packet.
func with(p Packet, change func(p *Packet)) Packet {
	change(&p)
	return p
}

func TestDecode(t *testing.T) {
	eth4, eth6 := ethernet(layers.EthernetTypeIPv4), ethernet(layers.EthernetTypeIPv6)
	synFrame := tcpFrame(22, SYN, 0)
	ip4, ip6 := synFrame[14:], serialize(ipv6(layers.IPProtocolTCP), syn())
	tests := []struct {
		name   string
		link   LinkType
		frame  []byte
		cut    int // bytes on the wire beyond the frame
		want   Packet
		reason Reason
	}{
		{"tcp", LinkTypeEthernet, synFrame, 0, wantSYN, 0},
		{"tcp payload beyond the snaplen", LinkTypeEthernet, tcpFrame(22, SYN, 1000)[:14+20+14], 1006,
			with(wantSYN, func(p *Packet) { p.Payload = 1000 }), 0},
		{"tcp cut before its flags", LinkTypeEthernet, synFrame[:14+20+13], 7,
			Packet{Src: host1, Dst: host2, TTL: 64}, ReasonTruncated},
		{"tcp without room for its flags", LinkTypeEthernet, serialize(eth4, ipv4(layers.IPProtocolTCP), tcpHeader(SYN, 13)), 0,
			Packet{Src: host1, Dst: host2, TTL: 64}, ReasonMalformed},
		{"tcp with data offset 15", LinkTypeEthernet, mutate(synFrame, func(b []byte) { b[46] = 0xf0 }), 0, wantSYN, 0},
		{"tcp with data offset 0", LinkTypeEthernet, mutate(synFrame, func(b []byte) { b[46] = 0 }), 0, wantSYN, 0},
		{"Ethernet padding is no payload", LinkTypeEthernet, append(slices.Clone(synFrame), make([]byte, 6)...), 0, wantSYN, 0},
		{"total length 0", LinkTypeEthernet, mutate(tcpFrame(22, ACK, 3000), func(b []byte) { b[16], b[17] = 0, 0 })[:60], 2994,
			with(wantSYN, func(p *Packet) { p.Flags, p.Payload = ACK, 3000 }), 0},
		{"bad IPv4 options", LinkTypeEthernet,
			serialize(eth4, bytesOf(0x46, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x44, 0xff, 0, 0), tcpHeader(SYN, 20)), 0, wantSYN, 0},
		{"IPv4 header length 4", LinkTypeEthernet, mutate(synFrame, func(b []byte) { b[14] = 0x44 }), 0, Packet{}, ReasonMalformed},
		{"total length below the header's", LinkTypeEthernet, mutate(synFrame, func(b []byte) { b[17] = 19 }), 0, Packet{}, ReasonMalformed},
		{"IPv4 cut", LinkTypeEthernet, synFrame[:33], 21, Packet{}, ReasonTruncated},
		{"first fragment of 8 bytes", LinkTypeEthernet,
			mutate(serialize(eth4, ipv4(layers.IPProtocolTCP), tcpHeader(SYN, 8)), func(b []byte) { b[20] = 0x20 }), 0,
			with(wantSYN, func(p *Packet) { p.Flags, p.Fragment = 0, FragmentFirst }), 0},
		{"first fragment with flags", LinkTypeEthernet,
			mutate(serialize(eth4, ipv4(layers.IPProtocolTCP), tcpHeader(SYN, 16)), func(b []byte) { b[20] = 0x20 }), 0,
			with(wantSYN, func(p *Packet) { p.Fragment = FragmentFirst }), 0},
		{"later fragment", LinkTypeEthernet,
			mutate(serialize(eth4, ipv4(layers.IPProtocolTCP), tcpHeader(SYN, 16)), func(b []byte) { b[21] = 1 }), 0,
			Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoTCP, Fragment: FragmentLater, Payload: 16}, 0},
		{"OSPF", LinkTypeEthernet, serialize(eth4, ipv4(layers.IPProtocolOSPF), bytesOf(2, 1, 0, 44)), 0,
			Packet{Src: host1, Dst: host2, TTL: 64}, ReasonProtocol},
		{"IP protocol 255 is not ARP", LinkTypeEthernet, serialize(eth4, ipv4(255), bytesOf(2, 1, 0, 44)), 0,
			Packet{Src: host1, Dst: host2, TTL: 64}, ReasonProtocol},

		{"udp", LinkTypeEthernet, serialize(eth4, ipv4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 5353, DstPort: 53}, bytesOf(1, 2, 3)), 0,
			Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoUDP, SrcPort: 5353, DstPort: 53, Payload: 3}, 0},
		{"echo request", LinkTypeEthernet,
			serialize(eth4, ipv4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 77}, bytesOf(1, 2)), 0,
			Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoICMP, Type: ICMPEchoRequest, SrcPort: 77, Payload: 2}, 0},
		{"port unreachable", LinkTypeEthernet,
			serialize(eth4, ipv4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, 3)}, gopacket.Payload(ip4[:28])), 0,
			Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoICMP, Type: ICMPUnreachable, Code: 3, Payload: 28,
				Quote: Quote{Src: host1, Dst: host2, SrcPort: 40000, DstPort: 22, Proto: ProtoTCP, Valid: true, Ports: true}}, 0},
		{"admin prohibited, with flags", LinkTypeEthernet,
			serialize(eth4, ipv4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, 13)}, gopacket.Payload(ip4)), 0,
			Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoICMP, Type: ICMPUnreachable, Code: 13, Payload: 40,
				Quote: Quote{Src: host1, Dst: host2, SrcPort: 40000, DstPort: 22, Proto: ProtoTCP, Flags: SYN, Valid: true, Ports: true}}, 0},
		{"ICMP error that quotes too little", LinkTypeEthernet,
			serialize(eth4, ipv4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(11, 0)}, gopacket.Payload(ip4[:19])), 0,
			Packet{Src: host1, Dst: host2, TTL: 64, Proto: ProtoICMP, Type: ICMPTimeExceeded, Payload: 19}, 0},
		{"arp request", LinkTypeEthernet, serialize(&layers.Ethernet{DstMAC: []byte{255, 255, 255, 255, 255, 255}, SrcMAC: []byte{2, 0, 0, 0, 0, 1}, EthernetType: layers.EthernetTypeARP},
			&layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, Operation: 1,
				SourceHwAddress: make([]byte, 6), SourceProtAddress: []byte{192, 0, 2, 1}, DstHwAddress: make([]byte, 6), DstProtAddress: []byte{192, 0, 2, 2}}), 0,
			Packet{Src: host1, Dst: host2, Proto: ProtoARP, Type: ARPRequest, Group: true}, 0},

		{"tcp6", LinkTypeEthernet, serialize(eth6, ipv6(layers.IPProtocolTCP), syn()), 0, wantSYN6, 0},
		{"IPv6 options, routing, AH", LinkTypeEthernet,
			serialize(eth6, ipv6(0), extension(60), extension(43), extension(51), extension(6), tcpHeader(SYN, 20)), 0, wantSYN6, 0},
		{"IPv6 extension headers without end", LinkTypeEthernet,
			serialize(eth6, ipv6(60), gopacket.Payload(slices.Repeat(extension(60), 40))), 0, Packet{Src: host61, Dst: host62, TTL: 64}, ReasonDepth},
		{"IPv6 extension header cut", LinkTypeEthernet, serialize(eth6, ipv6(60), extension(6), tcpHeader(SYN, 20))[:14+40+4], 24,
			Packet{Src: host61, Dst: host62, TTL: 64}, ReasonTruncated},
		{"IPv6 atomic fragment", LinkTypeEthernet, serialize(eth6, ipv6(44), extension(6), tcpHeader(SYN, 20)), 0, wantSYN6, 0},
		{"IPv6 first fragment", LinkTypeEthernet, serialize(eth6, ipv6(44), extension(6, 0, 0, 1), tcpHeader(SYN, 16)), 0,
			with(wantSYN6, func(p *Packet) { p.Fragment = FragmentFirst }), 0},
		{"IPv6 later fragment", LinkTypeEthernet, serialize(eth6, ipv6(44), extension(17, 0, 0, 8), bytesOf(make([]byte, 32)...)), 0,
			Packet{Src: host61, Dst: host62, TTL: 64, Proto: ProtoUDP, Fragment: FragmentLater, Payload: 32}, 0},
		{"IPv6 payload length 0", LinkTypeEthernet, mutate(serialize(eth6, ipv6(6), tcpHeader(SYN, 20)), func(b []byte) { b[18], b[19] = 0, 0 }), 70000,
			with(wantSYN6, func(p *Packet) { p.Payload = 70000 }), 0},
		{"neighbour solicitation", LinkTypeEthernet,
			serialize(eth6, ipv6(58), bytesOf(135, 0, 0, 0, 0, 0, 0, 0), gopacket.Payload(host62[:])), 0,
			Packet{Src: host61, Dst: host62, TTL: 64, Proto: ProtoICMPv6, Type: ICMP6NeighborSol, Payload: 16, Quote: Quote{Dst: host62}}, 0},
		{"echo request6", LinkTypeEthernet, serialize(eth6, ipv6(58), bytesOf(128, 0, 0, 0, 0, 9, 0, 1)), 0,
			Packet{Src: host61, Dst: host62, TTL: 64, Proto: ProtoICMPv6, Type: ICMP6EchoRequest, SrcPort: 9}, 0},
		{"port unreachable6 that quotes an extension header", LinkTypeEthernet,
			serialize(eth6, ipv6(58), bytesOf(1, 4, 0, 0, 0, 0, 0, 0), gopacket.Payload(serialize(ipv6(60), extension(17), bytesOf(0x9c, 0x40, 0, 53, 0, 8, 0, 0)))), 0,
			Packet{Src: host61, Dst: host62, TTL: 64, Proto: ProtoICMPv6, Type: ICMP6Unreachable, Code: 4, Payload: 56,
				Quote: Quote{Src: host61, Dst: host62, SrcPort: 40000, DstPort: 53, Proto: ProtoUDP, Valid: true, Ports: true}}, 0},

		{"QinQ", LinkTypeEthernet, serialize(ethernet(0x88a8), bytesOf(0, 1, 0x81, 0, 0, 2, 8, 0), gopacket.Payload(ip4)), 0, wantSYN, 0},
		{"ethertype 0x9100", LinkTypeEthernet, serialize(ethernet(0x9100), bytesOf(0, 1, 0x86, 0xdd), gopacket.Payload(ip6)), 0, wantSYN6, 0},
		{"tags without end", LinkTypeEthernet, serialize(ethernet(0x8100), gopacket.Payload(slices.Repeat([]byte{0, 1, 0x81, 0}, 20))), 0, Packet{}, ReasonDepth},
		{"PPPoE", LinkTypeEthernet, serialize(ethernet(0x8864), bytesOf(0x11, 0, 0, 1, 0, 42, 0, 0x21), gopacket.Payload(ip4)), 0, wantSYN, 0},
		{"PPPoE echo", LinkTypeEthernet, serialize(ethernet(0x8864), bytesOf(0x11, 0, 0, 1, 0, 42, 0xc0, 0x21), gopacket.Payload(ip4)), 0, Packet{}, ReasonEtherType},
		{"MPLS", LinkTypeEthernet, serialize(ethernet(0x8847), bytesOf(0, 1, 0, 9, 0, 2, 1, 9), gopacket.Payload(ip6)), 0, wantSYN6, 0},
		{"MPLS pseudowire", LinkTypeEthernet, serialize(ethernet(0x8847), bytesOf(0, 2, 1, 9, 0, 0, 0, 0), gopacket.Payload(ip6)), 0, Packet{}, ReasonEtherType},
		{"SNAP", LinkTypeEthernet, serialize(ethernet(48), bytesOf(0xaa, 0xaa, 3, 0, 0, 0, 8, 0), gopacket.Payload(ip4)), 0, wantSYN, 0},
		{"spanning tree", LinkTypeEthernet, serialize(ethernet(38), bytesOf(0x42, 0x42, 3, 0, 0, 0, 8, 0), gopacket.Payload(ip4)), 0, Packet{}, ReasonEtherType},
		{"LLDP", LinkTypeEthernet, serialize(ethernet(0x88cc), bytesOf(2, 7)), 0, Packet{}, ReasonEtherType},
		{"IP in IP", LinkTypeEthernet, serialize(eth6, ipv6(4), gopacket.Payload(ip4)), 0, wantSYN, 0},
		{"6in4", LinkTypeEthernet, serialize(eth4, ipv4(41), gopacket.Payload(ip6)), 0, wantSYN6, 0},
		{"tunnels without end", LinkTypeEthernet, serialize(eth4, ipv4(4), ipv4(4), ipv4(4), ipv4(4), ipv4(4), ipv4(4), ipv4(4), syn()), 0,
			Packet{Src: host1, Dst: host2, TTL: 64}, ReasonDepth},

		{"raw", LinkTypeRaw, ip4, 0, wantSYN, 0},
		{"raw6", LinkTypeRaw, ip6, 0, wantSYN6, 0},
		{"raw as BSD numbers it", LinkTypeRawBSD, ip4, 0, wantSYN, 0},
		{"raw as OpenBSD numbers it", LinkTypeRawOpen, ip6, 0, wantSYN6, 0},
		{"raw IPv4", LinkTypeIPv4, ip4, 0, wantSYN, 0},
		{"raw IPv6", LinkTypeIPv6, ip6, 0, wantSYN6, 0},
		{"loopback, little-endian", LinkTypeNull, append([]byte{2, 0, 0, 0}, ip4...), 0, wantSYN, 0},
		{"loopback, big-endian", LinkTypeNull, append([]byte{0, 0, 0, 30}, ip6...), 0, wantSYN6, 0},
		{"OpenBSD loopback", LinkTypeLoop, append([]byte{0, 0, 0, 24}, ip6...), 0, wantSYN6, 0},
		{"cooked", LinkTypeLinuxSLL, append([]byte{0, 1, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}, ip4...), 0,
			with(wantSYN, func(p *Packet) { p.Group = true }), 0},
		{"cooked v2", LinkTypeLinuxSLL2, append([]byte{0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0}, ip6...), 0, wantSYN6, 0},
		{"PPP", LinkTypePPP, append([]byte{0, 0x21}, ip4...), 0, wantSYN, 0},
		{"PPP with HDLC framing", LinkTypePPPSerial, append([]byte{0xff, 3, 0, 0x57}, ip6...), 0, wantSYN6, 0},
		{"Cisco HDLC", LinkTypeHDLC, append([]byte{0x0f, 0, 8, 0}, ip4...), 0, wantSYN, 0},
		{"unknown link type", 147, ip4, 0, Packet{}, ReasonLinkType},
		{"empty", LinkTypeEthernet, nil, 0, Packet{}, ReasonMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			p := Packet{Seq: 99, Quote: Quote{Valid: true}} // must not shine through
			wire := len(test.frame) + test.cut
			if r := d.Decode(test.link, 1, test.frame, wire, &p); r != test.reason || d.Counts[r] != 1 {
				t.Errorf("Decode = %v, counts %v; want %v", r, d.Counts, test.reason)
			}
			test.want.Time, test.want.Length = 1, uint32(wire)
			if diff := cmp.Diff(test.want, p); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
		})
	}
}

// checkCut asserts that a frame which is captured in part gives the same
// packet as the whole one, or says that it is truncated.
func checkCut(t *testing.T, link LinkType, frame []byte) {
	t.Helper()
	var d Decoder
	var whole, part Packet
	if d.Decode(link, 0, frame, len(frame), &whole) != ReasonOK {
		return
	}
	whole.Quote = Quote{} // shrinks with what was captured
	for n := range min(len(frame), 200) {
		r := d.Decode(link, 0, frame[:n], len(frame), &part)
		part.Quote = Quote{}
		if r != ReasonTruncated && (r != ReasonOK || part != whole) {
			t.Fatalf("cut to %d of %d bytes: %v, %+v; whole: %+v; frame %x", n, len(frame), r, part, whole, frame)
		}
	}
}

func TestDecodeAllocates(t *testing.T) {
	var d Decoder
	var p Packet
	frame := tcpFrame(22, SYN, 100)
	if n := testing.AllocsPerRun(100, func() { d.Decode(LinkTypeEthernet, 0, frame, len(frame), &p) }); n != 0 {
		t.Errorf("Decode allocates %v times", n)
	}
}

func FuzzDecode(f *testing.F) {
	ip4, ip6 := tcpFrame(22, SYN, 4)[14:], serialize(ipv6(0), extension(44), extension(6), tcpHeader(SYN, 20))
	f.Add(uint16(LinkTypeEthernet), tcpFrame(22, ACK, 4), uint16(0))
	f.Add(uint16(LinkTypeEthernet), serialize(ethernet(0x8100), bytesOf(0, 1, 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, 0x21), gopacket.Payload(ip4)), uint16(9))
	f.Add(uint16(LinkTypeRaw), ip6, uint16(0))
	f.Add(uint16(LinkTypeRaw), serialize(ipv4(1), bytesOf(3, 1, 0, 0, 0, 0, 0, 0), gopacket.Payload(ip4)), uint16(0))
	f.Add(uint16(LinkTypeRaw), serialize(ipv4(41), gopacket.Payload(ip6)), uint16(100))
	f.Add(uint16(LinkTypeLinuxSLL2), append([]byte{0x88, 0x47, 18: 0, 19: 0}, append([]byte{0, 1, 1, 9}, ip4...)...), uint16(0))
	for _, test := range encapsulations() {
		f.Add(uint16(test.link), test.frame, uint16(0))
	}
	for _, test := range wrappings {
		f.Add(uint16(test.link), test.wrap(kind4, tcpFrame(22, ACK, 100)[14:]), uint16(0))
		f.Add(uint16(test.link), test.wrap(kind6, udpFlowPacket(bulkFlows[1])), uint16(0))
	}
	filters := make(map[LinkType]*FrameFilter)
	for _, link := range []LinkType{LinkTypeEthernet, LinkTypeRaw} {
		filters[link] = flowFilter(f, link, bulkFlows)
	}
	f.Fuzz(func(t *testing.T, link uint16, frame []byte, cut uint16) {
		var d Decoder
		var p Packet
		r := d.Decode(LinkType(link), 0, frame, len(frame)+int(cut), &p)
		if r >= NumReasons || (r == ReasonOK) != (p.Proto != ProtoNone) {
			t.Fatalf("reason %v, protocol %v", r, p.Proto)
		}
		checkCut(t, LinkType(link), frame)
		padded := p.Proto == ProtoUDP && overlayPort(p.DstPort) // a tunnel to the filter, which goes by the frame's length
		if filter := filters[LinkType(link)]; filter != nil && r == ReasonOK && wanted(&p) && !padded && !slices.Contains(bulkFlows, flowOf(&p)) && !filter.Keep(frame) {
			t.Fatalf("the filter drops %+v", p)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	error4 := serialize(ethernet(0x800), ipv4(1), bytesOf(3, 1, 0, 0, 0, 0, 0, 0), gopacket.Payload(tcpFrame(22, SYN, 0)[14:]))
	for _, test := range []struct {
		name  string
		frame []byte
	}{
		{"tcp", tcpFrame(22, ACK, 1400)},
		{"tcp6", serialize(ethernet(0x86dd), ipv6(6), syn())},
		{"tcp6-extension", serialize(ethernet(0x86dd), ipv6(60), extension(6), tcpHeader(SYN, 20))},
		{"vlan-udp", serialize(ethernet(0x8100), bytesOf(0, 1, 8, 0), gopacket.Payload(serialize(ipv4(17), &layers.UDP{DstPort: 53})))},
		{"icmp-error", error4},
		{"gre", serialize(ethernet(0x800), outer4(47), bytesOf(0x20, 0, 8, 0, 0, 0, 0, 7), gopacket.Payload(tcpFrame(22, SYN, 0)[14:]))},
		{"vxlan", serialize(ethernet(0x800), outer4(17), overlay(4789), bytesOf(8, 0, 0, 0, 0, 0, 1, 0), gopacket.Payload(tcpFrame(22, SYN, 0)))},
	} {
		b.Run(test.name, func(b *testing.B) {
			var d Decoder
			var p Packet
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(LinkTypeEthernet, 1, test.frame, len(test.frame), &p)
			}
		})
	}
}
