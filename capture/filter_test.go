package capture

import (
	"testing"

	"github.com/google/gopacket"
)

// wanted says which decoded packets the filter must let through: all but TCP
// that neither starts nor ends anything, and is not odd.
func wanted(p *Packet) bool {
	return p.Proto != ProtoTCP || p.Fragment != FragmentNone || p.Flags&(SYN|FIN|RST) != 0 || p.Flags&ACK == 0
}

func TestFilter(t *testing.T) {
	bulk, bulk6 := tcpFrame(80, ACK|PSH, 100)[14:], serialize(ipv6(6), tcpHeader(ACK|PSH, 20))
	inside := func(kind uint16, before []byte, packet []byte) []byte {
		frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, byte(kind >> 8), byte(kind)}, before...)
		return append(frame, packet...)
	}
	tests := []struct {
		name  string
		link  LinkType
		frame []byte
		keep  bool
	}{
		{"bulk", LinkTypeEthernet, inside(0x800, nil, bulk), false},
		{"bulk6", LinkTypeEthernet, inside(0x86dd, nil, bulk6), false},
		{"bulk with IPv4 options", LinkTypeRaw,
			serialize(bytesOf(0x46, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 1, 1, 1), tcpHeader(ACK, 20)), false},
		{"bulk behind a tag", LinkTypeEthernet, inside(0x8100, []byte{0, 1, 8, 0}, bulk), false},
		{"bulk behind two tags", LinkTypeEthernet, inside(0x88a8, []byte{0, 1, 0x81, 0, 0, 1, 0x86, 0xdd}, bulk6), false},
		{"bulk behind three tags", LinkTypeEthernet, inside(0x88a8, []byte{0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 8, 0}, bulk), true},
		{"bulk in PPPoE", LinkTypeEthernet, inside(0x8864, []byte{0x11, 0, 0, 1, 0, 42, 0, 0x21}, bulk), false},
		{"bulk6 in PPPoE", LinkTypeEthernet, inside(0x8864, []byte{0x11, 0, 0, 1, 0, 42, 0, 0x57}, bulk6), false},
		{"bulk in PPPoE behind a tag", LinkTypeEthernet, inside(0x8100, []byte{0, 7, 0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, 0x21}, bulk), false},
		{"bulk in MPLS", LinkTypeEthernet, inside(0x8847, []byte{0, 1, 1, 9}, bulk), true},
		{"bulk behind an extension header", LinkTypeRaw, serialize(ipv6(60), extension(6), tcpHeader(ACK, 20)), true},
		{"bulk raw", LinkTypeRaw, bulk, false},
		{"bulk6 raw", LinkTypeRaw, bulk6, false},
		{"bulk cooked", LinkTypeLinuxSLL, append([]byte{14: 8, 15: 0}, bulk...), true},
		{"esp", LinkTypeRaw, serialize(ipv4(50), bytesOf(1, 2, 3, 4)), false},
		{"esp6", LinkTypeRaw, serialize(ipv6(50), bytesOf(1, 2, 3, 4)), false},
		{"fragment", LinkTypeRaw, mutate(bulk, func(b []byte) { b[6] = 0x20 }), true},
		{"later fragment", LinkTypeRaw, mutate(bulk, func(b []byte) { b[7] = 9 }), true},
		{"don't fragment", LinkTypeRaw, mutate(bulk, func(b []byte) { b[6] = 0x40 }), false},
		{"udp", LinkTypeRaw, serialize(ipv4(17), bytesOf(0, 1, 0, 2, 0, 8, 0, 0)), true},
		{"ospf", LinkTypeRaw, serialize(ipv4(89), bytesOf(2, 1)), true},
		{"IP in IP, bulk inside", LinkTypeRaw, serialize(ipv4(4), gopacket.Payload(bulk)), true},
		{"IP in IPv6, bulk inside", LinkTypeRaw, serialize(ipv6(4), gopacket.Payload(bulk)), true},
		{"6in4, bulk inside", LinkTypeRaw, serialize(ipv4(41), gopacket.Payload(bulk6)), true},
		{"GRE, bulk inside", LinkTypeRaw, serialize(ipv4(47), bytesOf(0, 0, 8, 0), gopacket.Payload(bulk)), true},
		{"GRE over IPv6, bulk inside", LinkTypeRaw, serialize(ipv6(47), bytesOf(0, 0, 8, 0), gopacket.Payload(bulk)), true},
		{"EtherIP, bulk inside", LinkTypeRaw, serialize(ipv4(97), bytesOf(0x30, 0), gopacket.Payload(inside(0x800, nil, bulk))), true},
		{"VXLAN, bulk inside", LinkTypeRaw,
			serialize(ipv4(17), overlay(4789), bytesOf(8, 0, 0, 0, 0, 0, 1, 0), gopacket.Payload(inside(0x800, nil, bulk))), true},
		{"arp", LinkTypeEthernet, inside(0x806, nil, make([]byte, 28)), true},
		{"spanning tree", LinkTypeEthernet, inside(38, nil, make([]byte, 38)), true},
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
