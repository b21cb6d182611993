package capture

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// outer4 and outer6 are the headers of a tunnel's ends.
func outer4(protocol layers.IPProtocol) *layers.IPv4 {
	ip := ipv4(protocol)
	ip.SrcIP, ip.DstIP, ip.TTL = []byte{198, 51, 100, 1}, []byte{198, 51, 100, 2}, 9
	return ip
}

func outer6(next layers.IPProtocol) *layers.IPv6 {
	ip := ipv6(next)
	ip.SrcIP[4], ip.DstIP[4], ip.HopLimit = 9, 9, 9
	return ip
}

// overlay is a UDP header to a tunnel's port.
func overlay(port layers.UDPPort) *layers.UDP { return &layers.UDP{SrcPort: 50000, DstPort: port} }

// wifi is an IEEE 802.11 header with three addresses, and what else belongs to
// it.
func wifi(control, flags byte, more ...byte) []byte {
	return append([]byte{control, flags, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x10, 0}, more...)
}

// join puts a frame together.
func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// encapsulation is a frame with an IP packet somewhere within.
type encapsulation struct {
	name   string
	link   LinkType
	frame  []byte
	want   Packet
	reason Reason
}

// encapsulations are the frames of this file's tests.
func encapsulations() []encapsulation {
	eth4, eth6 := ethernet(layers.EthernetTypeIPv4), ethernet(layers.EthernetTypeIPv6)
	ip4, ip6 := []byte(tcpFrame(22, SYN, 0)[14:]), serialize(ipv6(layers.IPProtocolTCP), syn())
	in4, in6 := gopacket.Payload(ip4), gopacket.Payload(ip6)
	group := func(p Packet) Packet { return with(p, func(p *Packet) { p.Group = true }) }
	snap4, snap6 := []byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, []byte{0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd}
	fcs := []byte{1, 2, 3, 4}
	sized0 := mutate(ip4, func(b []byte) { b[2], b[3] = 0, 0 }) // the frame's length counts
	address := []byte{2, 0, 0, 0, 0, 4}

	wanted := []encapsulation{
		{"802.11 to the access point", LinkTypeWiFi, join(wifi(0x08, 0x01), snap4, ip4), wantSYN, 0},
		{"802.11 from the access point", LinkTypeWiFi, join(wifi(0x08, 0x02), snap6, ip6), wantSYN6, 0},
		{"802.11 of a station to a group", LinkTypeWiFi,
			mutate(join(wifi(0x08, 0x01), snap4, ip4), func(b []byte) { b[16] = 1 }), group(wantSYN), 0},
		{"802.11 to a group", LinkTypeWiFi,
			mutate(join(wifi(0x08, 0x02), snap4, ip4), func(b []byte) { b[4] = 1 }), group(wantSYN), 0},
		{"802.11 of a source with a group's bit", LinkTypeWiFi,
			mutate(join(wifi(0x08, 0x02), snap4, ip4), func(b []byte) { b[16] = 1 }), wantSYN, 0},
		{"802.11 with QoS", LinkTypeWiFi, join(wifi(0x88, 0x01, 0, 0), snap4, ip4), wantSYN, 0},
		{"802.11 with QoS and HT control", LinkTypeWiFi, join(wifi(0x88, 0x81, 0, 0, 1, 2, 3, 4), snap4, ip4), wantSYN, 0},
		{"802.11 with order but no QoS", LinkTypeWiFi, join(wifi(0x08, 0x81), snap4, ip4), wantSYN, 0},
		{"802.11 with four addresses", LinkTypeWiFi, join(wifi(0x08, 0x03, address...), snap4, ip4), wantSYN, 0},
		{"802.11 with four addresses and QoS", LinkTypeWiFi, join(wifi(0x88, 0x03, address...), []byte{0, 0}, snap6, ip6), wantSYN6, 0},
		{"802.11 aggregate", LinkTypeWiFi,
			join(wifi(0x88, 0x02, 0x80, 0), []byte{1, 0, 0x5e, 0, 0, 1}, address, []byte{0, byte(len(snap4) + len(ip4))}, snap4, ip4), group(wantSYN), 0},
		{"802.11 with SNAP of 802.1H", LinkTypeWiFi, join(wifi(0x08, 0x01), []byte{0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0}, ip4), wantSYN, 0},
		{"802.11 first fragment", LinkTypeWiFi, join(wifi(0x08, 0x05), snap4, ip4), wantSYN, 0},
		{"802.11 later fragment", LinkTypeWiFi,
			mutate(join(wifi(0x08, 0x01), snap4, ip4), func(b []byte) { b[22] = 0x11 }), Packet{}, ReasonEtherType},
		{"802.11 encrypted", LinkTypeWiFi, join(wifi(0x88, 0x41, 0, 0), snap4, ip4), Packet{}, ReasonEncrypted},
		{"802.11 null", LinkTypeWiFi, wifi(0x48, 0x01), Packet{}, ReasonNoData},
		{"802.11 QoS null", LinkTypeWiFi, wifi(0xc8, 0x01, 0, 0), Packet{}, ReasonNoData},
		{"802.11 beacon", LinkTypeWiFi, wifi(0x80, 0, 0, 0, 0), Packet{}, ReasonNoData},
		{"802.11 acknowledgement", LinkTypeWiFi, wifi(0xd4, 0)[:10], Packet{}, ReasonNoData},
		{"802.11 cut short", LinkTypeWiFi, wifi(0x08, 0)[:20], Packet{}, ReasonMalformed},
		{"802.11 without LLC", LinkTypeWiFi, wifi(0x08, 0), Packet{}, ReasonEtherType},

		{"radiotap", LinkTypeRadiotap, join([]byte{0, 0, 8, 0, 0, 0, 0, 0}, wifi(0x08, 0x01), snap4, ip4), wantSYN, 0},
		{"radiotap with FCS", LinkTypeRadiotap, join([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x10}, wifi(0x08, 0x01), snap4, sized0, fcs), wantSYN, 0},
		{"radiotap with time and FCS", LinkTypeRadiotap,
			join([]byte{0, 0, 18, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0}, wifi(0x08, 0x01), snap4, sized0, fcs), wantSYN, 0},
		{"radiotap with two words of presence", LinkTypeRadiotap,
			join([]byte{0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10}, wifi(0x08, 0x01), snap4, sized0, fcs), wantSYN, 0},
		{"radiotap with padding", LinkTypeRadiotap,
			join([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x20}, wifi(0x88, 0x01, 0, 0, 0, 0), snap4, ip4), wantSYN, 0},
		{"radiotap with wrong FCS", LinkTypeRadiotap,
			join([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x50}, wifi(0x08, 0x01), snap4, ip4, fcs), Packet{}, ReasonMalformed},
		{"radiotap presence without end", LinkTypeRadiotap, []byte{0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x80}, Packet{}, ReasonMalformed},
		{"radiotap longer than the frame", LinkTypeRadiotap, []byte{0, 0, 99, 0, 0, 0, 0, 0}, Packet{}, ReasonMalformed},
		{"Prism", LinkTypePrism, join([]byte{0x44, 0, 0, 0, 144, 0, 0, 0}, make([]byte, 136), wifi(0x08, 0x01), snap4, ip4), wantSYN, 0},
		{"AVS", LinkTypeAVS, join([]byte{0x80, 0x21, 0x10, 1, 0, 0, 0, 64}, make([]byte, 56), wifi(0x08, 0x01), snap4, ip4), wantSYN, 0},
		{"AVS as Prism", LinkTypePrism, join([]byte{0x80, 0x21, 0x10, 1, 0, 0, 0, 64}, make([]byte, 56), wifi(0x08, 0x01), snap4, ip4), wantSYN, 0},
		{"PPI", LinkTypePPI, join([]byte{0, 0, 8, 0, 105, 0, 0, 0}, wifi(0x08, 0x01), snap4, ip4), wantSYN, 0},
		{"PPI with FCS", LinkTypePPI,
			join([]byte{0, 0, 36, 0, 105, 0, 0, 0, 9, 0, 0, 0, 2, 0, 20, 0}, make([]byte, 8), []byte{1, 0}, make([]byte, 10), wifi(0x08, 0x01), snap4, sized0, fcs), wantSYN, 0},
		{"PPI with wrong FCS", LinkTypePPI,
			join([]byte{0, 0, 32, 0, 105, 0, 0, 0, 2, 0, 20, 0}, make([]byte, 8), []byte{5, 0}, make([]byte, 10), wifi(0x08, 0x01), snap4, ip4, fcs), Packet{}, ReasonMalformed},
		{"PPI with Ethernet", LinkTypePPI, join([]byte{0, 0, 8, 0, 1, 0, 0, 0}, serialize(eth6, in6)), wantSYN6, 0},
		{"PPI within PPI", LinkTypePPI, []byte{0, 0, 8, 0, 192, 0, 0, 0}, Packet{}, ReasonDepth},

		{"frame relay", LinkTypeFrameRelay, join([]byte{0x18, 0x61, 3, 0xcc}, ip4), wantSYN, 0},
		{"frame relay, IPv6", LinkTypeFrameRelay, join([]byte{0x18, 0x61, 3, 0x8e}, ip6), wantSYN6, 0},
		{"frame relay, Cisco", LinkTypeFrameRelay, join([]byte{0x18, 0x61, 8, 0}, ip4), wantSYN, 0},
		{"frame relay, SNAP", LinkTypeFrameRelay, join([]byte{0x18, 0x61, 3, 0, 0x80, 0, 0, 0, 0x86, 0xdd}, ip6), wantSYN6, 0},
		{"frame relay, bridged", LinkTypeFrameRelay, join([]byte{0x18, 0x61, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7}, serialize(eth4, in4)), wantSYN, 0},
		{"frame relay, address of four bytes", LinkTypeFrameRelay, join([]byte{0x18, 0x60, 0, 1, 3, 0xcc}, ip4), wantSYN, 0},
		{"frame relay, management", LinkTypeFrameRelay, []byte{0, 1, 3, 8, 0, 0x75}, Packet{}, ReasonEtherType},
		{"frame relay, address without end", LinkTypeFrameRelay, make([]byte, 8), Packet{}, ReasonMalformed},
		{"FDDI", LinkTypeFDDI, join([]byte{0x50, 1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, snap4, ip4), group(wantSYN), 0},
		{"FDDI token", LinkTypeFDDI, make([]byte, 13), Packet{}, ReasonEtherType},
		{"InfiniBand", LinkTypeIPoIB, join(make([]byte, 40), []byte{8, 0, 0, 0}, ip4), wantSYN, 0},
		{"NFLOG", LinkTypeNFLOG, join([]byte{2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 3, 0, 5, 0, 10, 0, 'x', 0, 0, 0, 44, 0, 9, 0}, ip4), wantSYN, 0},
		{"NFLOG of a big-endian host", LinkTypeNFLOG, join([]byte{10, 0, 0, 1, 0, 8, 0, 1, 0x86, 0xdd, 3, 0, 0, 64, 0, 9}, ip6), wantSYN6, 0},
		{"NFLOG without payload", LinkTypeNFLOG, []byte{2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 3, 0}, Packet{}, ReasonEtherType},
		{"Broadcom tag", LinkTypeBrcmTag, join(make([]byte, 12), []byte{0x2c, 0, 0, 0x80, 8, 0}, ip4), wantSYN, 0},
		{"VN-Tag", LinkTypeEthernet, serialize(ethernet(0x8926), bytesOf(0, 0, 0, 0, 0x81, 0, 0, 11, 8, 0), in4), wantSYN, 0},
		{"LLC of IP", LinkTypeEthernet, serialize(ethernet(43), bytesOf(6, 6, 3), in4), wantSYN, 0},

		{"GRE", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 8, 0), in4), wantSYN, 0},
		{"GRE over IPv6", LinkTypeEthernet, serialize(eth6, outer6(47), bytesOf(0, 0, 8, 0), in4), wantSYN, 0},
		{"GRE with checksum, key, sequence", LinkTypeEthernet,
			serialize(eth4, outer4(47), &layers.GRE{ChecksumPresent: true, KeyPresent: true, SeqPresent: true, Protocol: layers.EthernetTypeIPv6}, in6), wantSYN6, 0},
		{"GRE with key", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0x20, 0, 0x86, 0xdd, 0, 0, 0, 7), in6), wantSYN6, 0},
		{"GRE with Ethernet", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0x65, 0x58), eth4, in4), wantSYN, 0},
		{"GRE with Ethernet and ARP", LinkTypeEthernet,
			serialize(eth4, outer4(47), bytesOf(0, 0, 0x65, 0x58, 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1), gopacket.Payload(address), bytesOf(192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2)),
			Packet{Src: host1, Dst: host2, Proto: ProtoARP, Type: ARPRequest, Group: true}, 0},
		{"GRE with MPLS", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0x88, 0x47, 0, 1, 1, 9), in4), wantSYN, 0},
		{"GRE in GRE", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 8, 0), outer4(47), bytesOf(0, 0, 8, 0), in4), wantSYN, 0},
		{"PPTP", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0x30, 1, 0x88, 0x0b, 0, 44, 0, 1, 0, 0, 0, 5, 0xff, 3, 0, 0x21), in4), wantSYN, 0},
		{"PPTP with acknowledgement and short protocol", LinkTypeEthernet,
			serialize(eth4, outer4(47), bytesOf(0x30, 0x81, 0x88, 0x0b, 0, 41, 0, 1, 0, 0, 0, 5, 0, 0, 0, 4, 0x21), in4), wantSYN, 0},
		{"PPTP acknowledgement", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 4)),
			Packet{Src: AddrFrom(addr("198.51.100.1")), Dst: AddrFrom(addr("198.51.100.2")), TTL: 9}, ReasonProtocol},
		{"ERSPAN I", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0x88, 0xbe), eth4, in4), wantSYN, 0},
		{"ERSPAN II", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0), eth4, in4), wantSYN, 0},
		{"ERSPAN III", LinkTypeEthernet,
			serialize(eth4, outer4(47), bytesOf(0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), eth4, in4), wantSYN, 0},
		{"WCCP", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0x88, 0x3e), in4), wantSYN, 0},
		{"WCCP 2", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0x88, 0x3e, 0, 0, 0, 0), in4), wantSYN, 0},
		{"GRE keep-alive", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0, 0)),
			Packet{Src: AddrFrom(addr("198.51.100.1")), Dst: AddrFrom(addr("198.51.100.2")), TTL: 9}, ReasonProtocol},
		{"GRE with routing", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0x40, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0), in4),
			Packet{Src: AddrFrom(addr("198.51.100.1")), Dst: AddrFrom(addr("198.51.100.2")), TTL: 9}, ReasonProtocol},
		{"GRE with NHRP", LinkTypeEthernet, serialize(eth4, outer4(47), bytesOf(0, 0, 0x20, 1, 0, 1, 8, 0)),
			Packet{Src: AddrFrom(addr("198.51.100.1")), Dst: AddrFrom(addr("198.51.100.2")), TTL: 9}, ReasonEtherType},
		{"GRE, first fragment", LinkTypeEthernet,
			mutate(serialize(eth4, outer4(47), bytesOf(0, 0, 8, 0), in4), func(b []byte) { b[20] = 0x20 }), wantSYN, 0},
		{"GRE, later fragment", LinkTypeEthernet,
			mutate(serialize(eth4, outer4(47), bytesOf(0, 0, 8, 0), in4), func(b []byte) { b[21] = 9 }),
			Packet{Src: AddrFrom(addr("198.51.100.1")), Dst: AddrFrom(addr("198.51.100.2")), TTL: 9, Fragment: FragmentLater}, ReasonProtocol},
		{"EtherIP", LinkTypeEthernet, serialize(eth4, outer4(97), bytesOf(0x30, 0), eth6, in6), wantSYN6, 0},
		{"6in4", LinkTypeEthernet, serialize(eth4, outer4(41), in6), wantSYN6, 0},

		{"VXLAN", LinkTypeEthernet, serialize(eth4, outer4(17), overlay(4789), &layers.VXLAN{ValidIDFlag: true, VNI: 7}, eth4, in4), wantSYN, 0},
		{"VXLAN over IPv6", LinkTypeEthernet, serialize(eth6, outer6(17), overlay(4789), &layers.VXLAN{ValidIDFlag: true, VNI: 7}, eth6, in6), wantSYN6, 0},
		{"VXLAN with a group policy", LinkTypeEthernet,
			serialize(eth4, outer4(17), overlay(4789), bytesOf(0x88, 0x48, 0, 9, 0, 0, 7, 0), eth4, in4), wantSYN, 0},
		{"VXLAN as Linux has it", LinkTypeEthernet, serialize(eth4, outer4(17), overlay(8472), bytesOf(8, 0, 0, 0, 0, 0, 1, 0), eth4, in4), wantSYN, 0},
		{"VXLAN in GRE in VXLAN", LinkTypeEthernet, serialize(eth4, outer4(17), overlay(4789), bytesOf(8, 0, 0, 0, 0, 0, 1, 0),
			eth4, outer4(47), bytesOf(0, 0, 8, 0), outer4(17), overlay(4789), bytesOf(8, 0, 0, 0, 0, 0, 1, 0), eth4, in4), wantSYN, 0},
		{"Geneve", LinkTypeEthernet, serialize(eth4, outer4(17), overlay(6081), bytesOf(0, 0, 0x65, 0x58, 0, 0, 7, 0), eth4, in4), wantSYN, 0},
		{"Geneve with options and IPv6", LinkTypeEthernet,
			serialize(eth4, outer4(17), overlay(6081), bytesOf(2, 0x40, 0x86, 0xdd, 0, 0, 7, 0, 1, 2, 3, 1, 0, 0, 0, 0), in6), wantSYN6, 0},
	}
	// What goes to a tunnel's port and is none is an ordinary datagram.
	ordinary := Packet{Src: AddrFrom(addr("198.51.100.1")), Dst: AddrFrom(addr("198.51.100.2")), TTL: 9, Proto: ProtoUDP, SrcPort: 50000}
	for _, test := range []struct {
		name    string
		port    layers.UDPPort
		payload []byte
	}{
		{"empty VXLAN", 4789, nil},
		{"no VXLAN", 4789, []byte("\x00\x00\x10\x10\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"VXLAN without identifier", 4789, join(make([]byte, 8), serialize(eth4, in4))},
		{"VXLAN that ends early", 4789, join([]byte{8, 0, 0, 0, 0, 0, 1, 0}, serialize(eth4, in4)[:14+20+4])},
		{"VXLAN with LLDP", 4789, join([]byte{8, 0, 0, 0, 0, 0, 1, 0}, serialize(ethernet(0x88cc), bytesOf(2, 7)))},
		{"VXLAN with OSPF", 4789, join([]byte{8, 0, 0, 0, 0, 0, 1, 0}, serialize(eth4, ipv4(89), bytesOf(2, 1, 0, 44)))},
		{"no Geneve", 6081, join([]byte{0xc0, 0, 0x65, 0x58, 0, 0, 7, 0}, serialize(eth4, in4))},
	} {
		wanted = append(wanted, encapsulation{test.name, LinkTypeEthernet,
			serialize(eth4, outer4(17), overlay(test.port), gopacket.Payload(test.payload)),
			with(ordinary, func(p *Packet) { p.DstPort, p.Payload = uint16(test.port), uint32(len(test.payload)) }), 0})
	}
	return wanted
}

// TestDecodeEncapsulated decodes the frames as they are, and cut.
func TestDecodeEncapsulated(t *testing.T) {
	for _, test := range encapsulations() {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			p := Packet{Seq: 99, Quote: Quote{Valid: true}} // must not shine through
			if r := d.Decode(test.link, 1, test.frame, len(test.frame), &p); r != test.reason {
				t.Errorf("Decode = %v, want %v", r, test.reason)
			}
			test.want.Time, test.want.Length = 1, uint32(len(test.frame))
			if diff := cmp.Diff(test.want, p); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
			checkCut(t, test.link, test.frame)
			if n := testing.AllocsPerRun(10, func() { d.Decode(test.link, 1, test.frame, len(test.frame), &p) }); n != 0 {
				t.Errorf("Decode allocates %v times", n)
			}
		})
	}
}

// TestDecodeNested nests each kind of tunnel as deep as is allowed, and once
// more.
func TestDecodeNested(t *testing.T) {
	eth4 := ethernet(layers.EthernetTypeIPv4)
	for name, tunnel := range map[string][]gopacket.SerializableLayer{
		"IP in IP": {outer4(4)},
		"GRE":      {outer4(47), bytesOf(0, 0, 8, 0)},
		"EtherIP":  {outer4(97), bytesOf(0x30, 0), eth4},
		"VXLAN":    {outer4(17), overlay(4789), bytesOf(8, 0, 0, 0, 0, 0, 1, 0), eth4},
	} {
		for _, depth := range []int{maxTunnels, maxTunnels + 1, 50} {
			layers := []gopacket.SerializableLayer{gopacket.Payload(tcpFrame(22, SYN, 0)[14:])}
			for range depth {
				layers = slices.Concat(tunnel, layers)
			}
			want := ReasonOK
			if depth > maxTunnels {
				want = ReasonDepth
			}
			var d Decoder
			var p Packet
			if r := d.Decode(LinkTypeEthernet, 0, serialize(append([]gopacket.SerializableLayer{eth4}, layers...)...), 0, &p); r != want {
				t.Errorf("%s, %d deep: %v, want %v", name, depth, r, want)
			}
		}
	}
}

// TestEncapsulatedGopacket compares what gopacket makes of the frames.
func TestEncapsulatedGopacket(t *testing.T) {
	// What gopacket reads otherwise, and why.
	differs := map[string]string{
		"VXLAN as Linux has it":    "gopacket knows the assigned port only",
		"VXLAN without identifier": "gopacket takes all that goes to the port for VXLAN",
		"no Geneve":                "gopacket takes all that goes to the port for Geneve",
	}
	compared := 0
	for _, test := range encapsulations() {
		decoder := oracle(test.link)
		if decoder == nil || test.reason != ReasonOK {
			continue
		}
		frame := test.frame
		if test.link == LinkTypeWiFi || test.link == LinkTypePrism {
			frame = join(frame, make([]byte, 4)) // gopacket always takes a check sequence off
		}
		want, ok := expectation(gopacket.NewPacket(frame, decoder, gopacket.Default))
		if !ok {
			continue
		}
		compared++
		if got := summary(&test.want); (got != want) != (differs[test.name] != "") {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, want)
		}
	}
	if compared < 40 {
		t.Errorf("only %d frames compared", compared)
	}
}

// TestEncapsulatedTshark does the same with tshark.
func TestEncapsulatedTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark")
	}
	// What tshark reads otherwise, and why.
	const all = "tshark takes all that goes to the port for a tunnel"
	differs := map[string]string{
		"VXLAN as Linux has it":    "tshark knows the assigned port only",
		"no VXLAN":                 all,
		"VXLAN without identifier": all,
		"VXLAN that ends early":    all,
		"VXLAN with LLDP":          all,
		"VXLAN with OSPF":          all,
		"no Geneve":                all,
	}
	compared := 0
	tests := make(map[LinkType][]encapsulation)
	for _, test := range encapsulations() {
		if test.reason == ReasonOK {
			tests[test.link] = append(tests[test.link], test)
		}
	}
	for link, tests := range tests {
		path := filepath.Join(t.TempDir(), "frames.pcap")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := pcapgo.NewWriter(file)
		w.WriteFileHeader(65535, 0)
		for _, test := range tests {
			w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(test.frame), Length: len(test.frame)}, test.frame)
		}
		// pcapgo's link types have eight bits.
		if _, err := file.WriteAt([]byte{byte(link), byte(link >> 8), 0, 0}, 20); err != nil {
			t.Fatal(err)
		}
		file.Close()
		for i, line := range tsharkLines(tshark, path) {
			test := tests[i]
			want, ok := tsharkExpectation(line)
			if !ok {
				continue
			}
			compared++
			if got := tsharkSummary(&test.want, ReasonOK); (got != want) != (differs[test.name] != "") {
				t.Errorf("%s:\n got %s\nwant %s\nby %s", test.name, got, want, strings.TrimSpace(line))
			}
		}
	}
	if compared < 60 {
		t.Errorf("only %d frames compared", compared)
	}
}
