package alert

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"edgescan/capture"
	"edgescan/internal/detect"
)

func flow(proto capture.Proto, src string, srcPort uint16, dst string, dstPort uint16) detect.Flow {
	return detect.Flow{Src: addr(src), Dst: addr(dst), SrcPort: srcPort, DstPort: dstPort, Proto: proto}
}

// TestCommunityID has the flow that the specification gives as its example, in
// both directions, and what has no ID.
func TestCommunityID(t *testing.T) {
	for name, test := range map[string]struct {
		flow detect.Flow
		want string
	}{
		"tcp":                {flow(capture.ProtoTCP, "128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		"the other way":      {flow(capture.ProtoTCP, "66.35.250.204", 80, "128.232.110.120", 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		"arp":                {flow(capture.ProtoARP, "10.50.0.66", 0, "10.50.0.1", 0), ""},
		"icmp of no pair":    {flow(capture.ProtoICMP, "10.50.0.66", 0, "10.50.0.1", 5), ""},
		"neighbour of icmp6": {flow(capture.ProtoICMPv6, "fe80::1", 0, "fe80::2", 135), ""},
		"none":               {detect.Flow{}, ""},
	} {
		if got := communityID(test.flow); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestCommunityIDAgainstTshark has tshark read packets of the same flows.
func TestCommunityIDAgainstTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark (Debian: tshark)")
	}
	flows := []detect.Flow{
		flow(capture.ProtoTCP, "10.50.0.66", 54321, "10.60.0.5", 22),
		flow(capture.ProtoTCP, "10.60.0.5", 22, "10.50.0.66", 54321),
		flow(capture.ProtoTCP, "10.50.0.66", 9, "10.50.0.66", 7),
		flow(capture.ProtoUDP, "192.0.2.1", 500, "192.0.2.1", 4500),
		flow(capture.ProtoTCP, "2001:db8::66", 40000, "2001:db8:1::5", 443),
		flow(capture.ProtoUDP, "2001:db8:1::5", 53, "2001:db8::66", 53),
		flow(capture.ProtoICMP, "10.50.0.66", 0, "10.60.0.5", capture.ICMPEchoRequest),
		flow(capture.ProtoICMP, "10.60.0.5", 0, "10.50.0.66", capture.ICMPTimestamp),
		flow(capture.ProtoICMP, "10.50.0.66", 0, "10.60.0.5", capture.ICMPMaskRequest),
		flow(capture.ProtoICMPv6, "2001:db8::66", 0, "2001:db8:1::5", capture.ICMP6EchoRequest),
	}
	path := filepath.Join(t.TempDir(), "flows.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(file)
	if err := w.WriteFileHeader(65535, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		b := packetOf(t, f)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(b), Length: len(b)}, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tshark, "-n", "-r", path, "--enable-protocol", "communityid", "-T", "fields", "-e", "communityid").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for i, f := range flows {
		if !lines.Scan() {
			t.Fatalf("tshark has %d lines: %s", i, out)
		}
		if got := communityID(f); got != lines.Text() || got == "" {
			t.Errorf("%+v: %q, tshark has %q", f, got, lines.Text())
		}
	}
}

// packetOf returns an IP packet of a flow.
func packetOf(t *testing.T, f detect.Flow) []byte {
	t.Helper()
	proto := layers.IPProtocol(f.Proto)
	var ip gopacket.SerializableLayer
	var network gopacket.NetworkLayer
	if f.Src.Is4() {
		l := &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: f.Src.Netip().AsSlice(), DstIP: f.Dst.Netip().AsSlice()}
		ip, network = l, l
	} else {
		l := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: f.Src.Netip().AsSlice(), DstIP: f.Dst.Netip().AsSlice()}
		ip, network = l, l
	}
	var above gopacket.SerializableLayer
	switch f.Proto {
	case capture.ProtoTCP:
		l := &layers.TCP{SrcPort: layers.TCPPort(f.SrcPort), DstPort: layers.TCPPort(f.DstPort), SYN: true}
		l.SetNetworkLayerForChecksum(network)
		above = l
	case capture.ProtoUDP:
		l := &layers.UDP{SrcPort: layers.UDPPort(f.SrcPort), DstPort: layers.UDPPort(f.DstPort)}
		l.SetNetworkLayerForChecksum(network)
		above = l
	case capture.ProtoICMP:
		above = &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(uint8(f.DstPort), 0)}
	case capture.ProtoICMPv6:
		l := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(uint8(f.DstPort), 0)}
		l.SetNetworkLayerForChecksum(network)
		above = l
	}
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, above, gopacket.Payload(make([]byte, 20))); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}
