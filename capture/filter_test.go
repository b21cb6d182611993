package capture

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// wanted says which decoded packets the filter must let through: all but TCP
// that neither starts nor ends anything, and is not odd.
func wanted(p *Packet) bool {
	return p.Proto != ProtoTCP || p.Fragment != FragmentNone || p.Flags&(SYN|FIN|RST) != 0 || p.Flags&ACK == 0
}

// What a wrapping is told about the packet that goes into it.
const (
	kind4 = 0x0800
	kind6 = 0x86dd
)

// wrapping is a way in which a packet gets into a frame.
type wrapping struct {
	name string
	link LinkType
	wrap func(kind uint16, packet []byte) []byte
	deep bool // deeper than the filter looks
}

// inEthernet puts a packet into a frame; its ethertype is the last of before.
func inEthernet(before []byte, packet []byte) []byte {
	return join([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, before, packet)
}

// inEthernetOf does the same with the ethertype behind what it is given.
func inEthernetOf(before ...byte) func(uint16, []byte) []byte {
	return func(kind uint16, packet []byte) []byte {
		return inEthernet(append(slices.Clone(before), byte(kind>>8), byte(kind)), packet)
	}
}

// inPPPoE does so with the number that PPP has for the ethertype.
func inPPPoE(before ...byte) func(uint16, []byte) []byte {
	return func(kind uint16, packet []byte) []byte {
		protocol := byte(pppIPv4)
		if kind == kind6 {
			protocol = pppIPv6
		}
		return inEthernet(append(slices.Clone(before), 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, protocol), packet)
	}
}

// inMPLS puts a packet behind labels.
func inMPLS(labels int) func(uint16, []byte) []byte {
	return func(kind uint16, packet []byte) []byte {
		stack := []byte{0x88, 0x47}
		for n := range labels {
			bottom := byte(0)
			if n == labels-1 {
				bottom = 1
			}
			stack = append(stack, 0, 1, bottom, 9)
		}
		return inEthernet(stack, packet)
	}
}

// inTunnel puts a packet, or a frame of it, behind an outer IP header and more.
func inTunnel(outer gopacket.SerializableLayer, inner func(uint16, []byte) []byte, more ...gopacket.SerializableLayer) func(uint16, []byte) []byte {
	return func(kind uint16, packet []byte) []byte {
		if inner != nil {
			packet = inner(kind, packet)
		}
		return serialize(append(append([]gopacket.SerializableLayer{outer}, more...), gopacket.Payload(packet))...)
	}
}

// carriesKind is a tunnel's header whose bytes at that offset are the ethertype.
func carriesKind(header []byte, at int) func(uint16, []byte) []byte {
	return func(kind uint16, packet []byte) []byte {
		b := slices.Clone(header)
		binary.BigEndian.PutUint16(b[at:], kind)
		return append(b, packet...)
	}
}

var (
	plain  = inEthernetOf()
	vxlan  = bytesOf(8, 0, 0, 0, 0, 0, 1, 0)
	geneve = []byte{0x02, 0, 0x65, 0x58, 0, 0, 1, 0, 0, 1, 0x80, 1, 0, 0, 0, 0}
)

var wrappings = []wrapping{
	{"ethernet", LinkTypeEthernet, plain, false},
	{"raw", LinkTypeRaw, func(_ uint16, packet []byte) []byte { return packet }, false},
	{"tag", LinkTypeEthernet, inEthernetOf(0x81, 0, 0, 1), false},
	{"two tags", LinkTypeEthernet, inEthernetOf(0x88, 0xa8, 0, 1, 0x81, 0, 0, 1), false},
	{"old QinQ", LinkTypeEthernet, inEthernetOf(0x91, 0, 0, 1, 0x81, 0, 0, 1), false},
	{"three tags", LinkTypeEthernet, inEthernetOf(0x88, 0xa8, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1), true},
	{"PPPoE", LinkTypeEthernet, inPPPoE(), false},
	{"PPPoE behind a tag", LinkTypeEthernet, inPPPoE(0x81, 0, 0, 7), false},
	{"label", LinkTypeEthernet, inMPLS(1), false},
	{"three labels", LinkTypeEthernet, inMPLS(3), false},
	{"four labels", LinkTypeEthernet, inMPLS(4), true},
	{"IPv6 in IPv4", LinkTypeRaw, inTunnel(outer4(41), nil), false},
	{"IPv6 in IPv6", LinkTypeRaw, inTunnel(outer6(41), nil), false},
	{"IP in IP on Ethernet", LinkTypeEthernet, inTunnel(ethernet(0x800), nil, outer4(4)), false},
	{"GRE", LinkTypeRaw, inTunnel(outer4(47), carriesKind([]byte{0, 0, 0, 0}, 2)), false},
	{"GRE with key", LinkTypeRaw, inTunnel(outer6(47), carriesKind([]byte{0x20, 0, 0, 0, 0, 0, 0, 7}, 2)), false},
	{"GRE with all", LinkTypeRaw, inTunnel(outer4(47), carriesKind([]byte{0xb0, 0, 0, 0, 15: 7}, 2)), false},
	{"GRE of frames", LinkTypeRaw, inTunnel(outer4(47), plain, bytesOf(0, 0, 0x65, 0x58)), false},
	{"ERSPAN I", LinkTypeRaw, inTunnel(outer4(47), plain, bytesOf(0, 0, 0x88, 0xbe)), false},
	{"ERSPAN II", LinkTypeRaw, inTunnel(outer4(47), plain, bytesOf(0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0)), false},
	{"ERSPAN III", LinkTypeRaw, inTunnel(outer4(47), plain, bytesOf(0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), true},
	{"EtherIP", LinkTypeRaw, inTunnel(outer4(97), plain, bytesOf(0x30, 0)), false},
	{"VXLAN", LinkTypeEthernet, inTunnel(ethernet(0x800), plain, outer4(17), overlay(4789), vxlan), false},
	{"VXLAN of Linux, tagged inside", LinkTypeRaw, inTunnel(outer6(17), inEthernetOf(0x81, 0, 0, 1), overlay(8472), vxlan), false},
	{"Geneve", LinkTypeRaw, inTunnel(outer4(17), plain, overlay(6081), bytesOf(geneve...)), false},
	{"Geneve of packets", LinkTypeRaw, inTunnel(outer4(17), carriesKind(geneve, 2), overlay(6081)), false},
	{"VXLAN in GRE", LinkTypeRaw, inTunnel(outer4(47), plain, bytesOf(0, 0, 8, 0), outer4(17), overlay(4789), vxlan), true},
}

// bulkFlows are flows that filters of the tests drop.
var bulkFlows = []udpFlow{
	{Addr{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: 9}, Addr{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: 10}, 443, 50000},
	{Addr{0: 0x20, 1: 1, 15: 9}, Addr{0: 0x20, 1: 1, 15: 10}, 443, 50000},
}

func flowOf(p *Packet) udpFlow {
	if p.Proto != ProtoUDP || p.Fragment != FragmentNone {
		return udpFlow{}
	}
	return udpFlow{p.Src, p.Dst, p.SrcPort, p.DstPort}
}

// udpFlowPacket is an IP packet of a flow.
func udpFlowPacket(f udpFlow) []byte {
	udp := &layers.UDP{SrcPort: layers.UDPPort(f.srcPort), DstPort: layers.UDPPort(f.dstPort)}
	if f.src.Is4() {
		return serialize(&layers.IPv4{Version: 4, TTL: 64, Protocol: 17, SrcIP: f.src[12:], DstIP: f.dst[12:]}, udp, gopacket.Payload(make([]byte, 40)))
	}
	return serialize(&layers.IPv6{Version: 6, HopLimit: 64, NextHeader: 17, SrcIP: f.src[:], DstIP: f.dst[:]}, udp, gopacket.Payload(make([]byte, 40)))
}

func flowFilter(t testing.TB, link LinkType, flows []udpFlow) *FrameFilter {
	t.Helper()
	filter, err := newFrameFilter(filterBut(link, maxFrame, flows))
	if err != nil {
		t.Fatal(err)
	}
	return filter
}

// TestFilter puts packets into frames in every way that the decoder reads: the
// filter must drop bulk, and only bulk, as deep as it looks.
func TestFilter(t *testing.T) {
	like := func(n int, change func(*udpFlow)) udpFlow {
		f := bulkFlows[n]
		change(&f)
		return f
	}
	packets := []struct {
		name   string
		kind   uint16
		packet []byte
		keep   bool
	}{
		{"bulk", kind4, tcpFrame(80, ACK|PSH, 100)[14:], false},
		{"acknowledgement", kind4, tcpFrame(80, ACK, 0)[14:], false},
		{"probe", kind4, tcpFrame(80, SYN, 0)[14:], true},
		{"no flags", kind4, tcpFrame(80, 0, 0)[14:], true},
		{"refusal", kind4, tcpFrame(80, RST|ACK, 0)[14:], true},
		{"first fragment", kind4, mutate(tcpFrame(80, ACK, 100)[14:], func(b []byte) { b[6] = 0x20 }), true},
		{"later fragment", kind4, mutate(tcpFrame(80, ACK, 100)[14:], func(b []byte) { b[7] = 9 }), true},
		{"don't fragment", kind4, mutate(tcpFrame(80, ACK, 100)[14:], func(b []byte) { b[6] = 0x40 }), false},
		{"bulk, IPv6", kind6, serialize(ipv6(6), tcpHeader(ACK|PSH, 20)), false},
		{"probe, IPv6", kind6, serialize(ipv6(6), tcpHeader(SYN, 20)), true},
		{"bulk behind an extension header", kind6, serialize(ipv6(60), extension(6), tcpHeader(ACK, 20)), true},
		{"UDP", kind4, udpFlowPacket(udpFlow{src: bulkFlows[0].src, dst: bulkFlows[0].dst, srcPort: 1, dstPort: 53}), true},
		{"bulk UDP", kind4, udpFlowPacket(bulkFlows[0]), false},
		{"bulk UDP, IPv6", kind6, udpFlowPacket(bulkFlows[1]), false},
		{"another source", kind4, udpFlowPacket(like(0, func(f *udpFlow) { f.src[15]++ })), true},
		{"another destination", kind4, udpFlowPacket(like(0, func(f *udpFlow) { f.dst[15]++ })), true},
		{"another port", kind4, udpFlowPacket(like(0, func(f *udpFlow) { f.dstPort++ })), true},
		{"the other direction", kind4, udpFlowPacket(like(0, func(f *udpFlow) { f.src, f.dst, f.srcPort, f.dstPort = f.dst, f.src, f.dstPort, f.srcPort })), true},
		{"another source, IPv6", kind6, udpFlowPacket(like(1, func(f *udpFlow) { f.src[7]++ })), true},
		{"another destination, IPv6", kind6, udpFlowPacket(like(1, func(f *udpFlow) { f.dst[3]++ })), true},
		{"fragment of bulk UDP", kind4, mutate(udpFlowPacket(bulkFlows[0]), func(b []byte) { b[6] = 0x20 }), true},
		{"ping", kind4, serialize(ipv4(1), bytesOf(8, 0, 0, 0, 0, 0, 0, 0)), true},
		{"OSPF", kind4, serialize(ipv4(89), bytesOf(2, 1)), true},
	}
	for _, w := range wrappings {
		filter := flowFilter(t, w.link, bulkFlows)
		without := flowFilter(t, w.link, nil)
		for _, test := range packets {
			var d Decoder
			var p Packet
			frame := w.wrap(test.kind, test.packet)
			if r := d.Decode(w.link, 0, frame, len(frame), &p); r != ReasonOK && test.name != "OSPF" {
				t.Errorf("%s, %s: not decoded, %v", w.name, test.name, r)
			}
			keep := test.keep || w.deep
			if got := filter.Keep(frame); got != keep {
				t.Errorf("%s, %s: Keep = %v, want %v", w.name, test.name, got, keep)
			}
			keep = keep || p.Proto == ProtoUDP
			if got := without.Keep(frame); got != keep {
				t.Errorf("%s, %s, no flows: Keep = %v, want %v", w.name, test.name, got, keep)
			}
		}
	}
}

// TestFilterOther has what does not go into every wrapping.
func TestFilterOther(t *testing.T) {
	bulk := tcpFrame(80, ACK|PSH, 100)[14:]
	tests := []struct {
		name  string
		link  LinkType
		frame []byte
		keep  bool
	}{
		{"bulk with IPv4 options", LinkTypeRaw,
			serialize(bytesOf(0x46, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 1, 1, 1), tcpHeader(ACK, 20)), false},
		{"cooked", LinkTypeLinuxSLL, append([]byte{14: 8, 15: 0}, bulk...), true},
		{"ESP", LinkTypeRaw, serialize(ipv4(50), bytesOf(1, 2, 3, 4)), false},
		{"ESP, IPv6", LinkTypeRaw, serialize(ipv6(50), bytesOf(1, 2, 3, 4)), false},
		{"probe of the port of VXLAN", LinkTypeRaw, serialize(ipv4(17), overlay(4789)), true},
		{"probe of the port of Geneve", LinkTypeRaw, serialize(ipv4(17), overlay(6081), bytesOf(0)), true},
		{"VXLAN with nothing inside", LinkTypeRaw, serialize(ipv4(17), overlay(4789), vxlan), true},
		{"VXLAN, cut inside", LinkTypeRaw, serialize(ipv4(17), overlay(4789), vxlan, gopacket.Payload(plain(kind4, bulk)[:40])), true},
		{"VXLAN, ESP inside", LinkTypeRaw, serialize(ipv4(17), overlay(4789), vxlan, gopacket.Payload(plain(kind4, serialize(ipv4(50), gopacket.Payload(make([]byte, 60)))))), true},
		{"PPTP", LinkTypeRaw, serialize(ipv4(47), bytesOf(0x20, 1, 0x88, 0x0b, 0, 0, 0, 1), gopacket.Payload(bulk)), true},
		{"ARP", LinkTypeEthernet, inEthernet([]byte{8, 6}, make([]byte, 28)), true},
		{"spanning tree", LinkTypeEthernet, inEthernet([]byte{0, 38}, make([]byte, 38)), true},
	}
	for _, test := range tests {
		filter, err := NewFrameFilter(test.link)
		if err != nil {
			t.Fatal(err)
		}
		if got := filter.Keep(test.frame); got != test.keep {
			t.Errorf("%s: Keep = %v, want %v", test.name, got, test.keep)
		}
	}
}

// TestFilterFlags compares the filter with the decoder over all TCP flags.
func TestFilterFlags(t *testing.T) {
	filter, err := NewFrameFilter(LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for flags := range Flags(255) {
		p := Packet{Proto: ProtoTCP, Flags: flags}
		for _, frame := range [][]byte{
			tcpFrame(80, flags, 10),
			serialize(ethernet(0x86dd), ipv6(6), gopacket.Payload(tcpHeader(flags, 20))),
		} {
			if got := filter.Keep(frame); got != wanted(&p) {
				t.Errorf("flags %#02x: Keep = %v, want %v", flags, got, wanted(&p))
			}
		}
	}
	frame := tcpFrame(80, ACK, 10)
	if n := testing.AllocsPerRun(100, func() { filter.Keep(frame) }); n != 0 {
		t.Errorf("Keep allocates %v times", n)
	}
}

func BenchmarkFrameFilter(b *testing.B) {
	filter, err := NewFrameFilter(LinkTypeEthernet)
	if err != nil {
		b.Fatal(err)
	}
	frame := tcpFrame(80, ACK, 100)
	b.ReportAllocs()
	for b.Loop() {
		filter.Keep(frame)
	}
}
