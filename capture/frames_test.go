package capture

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// tcpFrame builds an Ethernet frame of IPv4 and TCP with a payload of zeros.
func tcpFrame(port uint16, flags Flags, payload int) []byte {
	b := make([]byte, 14+20+20+payload)
	copy(b, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00})
	ip := b[14:]
	copy(ip, []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2})
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	tcp := ip[20:]
	binary.BigEndian.PutUint16(tcp, 40000)
	binary.BigEndian.PutUint16(tcp[2:], port)
	binary.BigEndian.PutUint32(tcp[4:], 1000)
	tcp[12] = 5 << 4
	tcp[13] = byte(flags)
	return b
}

// serialize builds a frame of gopacket's layers, with right lengths.
func serialize(parts ...gopacket.SerializableLayer) []byte {
	for i, part := range parts {
		network, ok := part.(gopacket.NetworkLayer)
		for _, above := range parts[i+1:] {
			if c, okay := above.(interface {
				SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
			}); ok && okay {
				c.SetNetworkLayerForChecksum(network)
			}
		}
	}
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

// Layers that the tests put together.
func ethernet(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{DstMAC: []byte{2, 0, 0, 0, 0, 2}, SrcMAC: []byte{2, 0, 0, 0, 0, 1}, EthernetType: kind}
}

func ipv4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: protocol, SrcIP: []byte{192, 0, 2, 1}, DstIP: []byte{192, 0, 2, 2}}
}

func ipv6(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next,
		SrcIP: []byte{0: 0x20, 1: 1, 2: 0x0d, 3: 0xb8, 15: 1}, DstIP: []byte{0: 0x20, 1: 1, 2: 0x0d, 3: 0xb8, 15: 2}}
}

func syn() *layers.TCP {
	return &layers.TCP{SrcPort: 40000, DstPort: 22, Seq: 1000, SYN: true, Window: 1024}
}
