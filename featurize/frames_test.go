package featurize

import (
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"edgescan/capture"
)

// onWire builds the frame of a packet and decodes it again, so that a test
// holds for what a decoder makes of real bytes.
func onWire(t *testing.T, p capture.Packet) capture.Packet {
	t.Helper()
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, frameLayers(&p)...); err != nil {
		t.Fatal(err)
	}
	var d capture.Decoder
	var got capture.Packet
	frame := buffer.Bytes()
	if r := d.Decode(capture.LinkTypeEthernet, p.Time, frame, len(frame), &got); r != capture.ReasonOK {
		t.Fatalf("decode %x: %v", frame, r)
	}
	return got
}

func frameLayers(p *capture.Packet) []gopacket.SerializableLayer {
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}}
	if p.Group {
		eth.DstMAC = net.HardwareAddr{255, 255, 255, 255, 255, 255}
	}
	if p.Proto == capture.ProtoARP {
		eth.EthernetType = layers.EthernetTypeARP
		return []gopacket.SerializableLayer{eth, &layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, Operation: uint16(p.Type),
			SourceHwAddress: make([]byte, 6), SourceProtAddress: p.Src[12:], DstHwAddress: make([]byte, 6), DstProtAddress: p.Dst[12:],
		}}
	}
	eth.EthernetType = layers.EthernetTypeIPv4
	if !p.Src.Is4() {
		eth.EthernetType = layers.EthernetTypeIPv6
	}
	return append([]gopacket.SerializableLayer{eth}, ipLayers(p)...)
}

// ipLayers are the layers from IP up. An IPv4 first fragment is cut after
// eight bytes, where the flags of TCP are missing.
func ipLayers(p *capture.Packet) []gopacket.SerializableLayer {
	above := transportLayers(p)
	if !p.Src.Is4() {
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocol(p.Proto), SrcIP: p.Src[:], DstIP: p.Dst[:]}
		for _, l := range above {
			setNetwork(l, ip)
		}
		return append([]gopacket.SerializableLayer{ip}, above...)
	}
	ip := &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: layers.IPProtocol(p.Proto), SrcIP: p.Src[12:], DstIP: p.Dst[12:]}
	for _, l := range above {
		setNetwork(l, ip)
	}
	if p.Fragment == capture.FragmentFirst {
		ip.Flags = layers.IPv4MoreFragments
		above = []gopacket.SerializableLayer{gopacket.Payload(bytesOf(above...)[:8])}
	}
	return append([]gopacket.SerializableLayer{ip}, above...)
}

func transportLayers(p *capture.Packet) []gopacket.SerializableLayer {
	payload := gopacket.Payload(make([]byte, p.Payload))
	switch p.Proto {
	case capture.ProtoTCP:
		has := func(f capture.Flags) bool { return p.Flags&f != 0 }
		return []gopacket.SerializableLayer{&layers.TCP{
			SrcPort: layers.TCPPort(p.SrcPort), DstPort: layers.TCPPort(p.DstPort), Seq: p.Seq, Ack: p.Ack, Window: 1024,
			FIN: has(capture.FIN), SYN: has(capture.SYN), RST: has(capture.RST), PSH: has(capture.PSH), ACK: has(capture.ACK), URG: has(capture.URG),
		}, payload}
	case capture.ProtoUDP:
		return []gopacket.SerializableLayer{&layers.UDP{SrcPort: layers.UDPPort(p.SrcPort), DstPort: layers.UDPPort(p.DstPort)}, payload}
	}
	message := append([]byte{p.Type, p.Code, 0, 0, 0, 0, 0, 0}, quoted(p)...)
	return []gopacket.SerializableLayer{gopacket.Payload(message)}
}

// quoted is what follows the ICMP header: the packet that an error quotes, cut
// after its ports or, without Ports, after its addresses; or the target of
// neighbour discovery.
func quoted(p *capture.Packet) []byte {
	q := &p.Quote
	if !q.Valid {
		if p.Type == capture.ICMP6NeighborSol || p.Type == capture.ICMP6NeighborAdvert {
			return q.Dst[:]
		}
		return nil
	}
	inner := capture.Packet{Src: q.Src, Dst: q.Dst, SrcPort: q.SrcPort, DstPort: q.DstPort, Proto: q.Proto, Type: capture.ICMPTimestamp}
	b := bytesOf(ipLayers(&inner)...)
	if q.Ports {
		return b[:28]
	}
	return b[:20]
}

func setNetwork(l gopacket.SerializableLayer, ip gopacket.NetworkLayer) {
	if s, ok := l.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		s.SetNetworkLayerForChecksum(ip)
	}
}

func bytesOf(parts ...gopacket.SerializableLayer) []byte {
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
