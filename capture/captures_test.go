package capture

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// realCaptures lists the labelled captures, which are not part of the
// repository, or skips the test.
func realCaptures(t *testing.T) []string {
	t.Helper()
	const folder = "../../shared/captures"
	files, err := filepath.Glob(folder + "/*.gz")
	if err != nil || len(files) == 0 {
		t.Skipf("needs the labelled captures in %s", folder)
	}
	return files
}

// eachFrame calls do for the frames of a file, numbered from 1, and returns
// the error that ended it: nil at the clean end.
func eachFrame(path string, do func(n int, f *Frame)) error {
	file, err := Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var f Frame
	for n := 1; ; n++ {
		if err := file.Next(&f); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		do(n, &f)
	}
}

// TestCaptures reads every real capture to its end, and knows which of them
// are damaged.
func TestCaptures(t *testing.T) {
	damaged := map[string]error{
		"nDPI-KakaoTalk_talk-truncated.pcap.gz":                      ErrTruncated,
		"suricata-verify-10.7.29.101_49898-178.63.41.150_25.pcap.gz": ErrDamaged,
		"suricata-verify-fuzz.pcap.gz":                               ErrDamaged,
		"suricata-verify-tls_DER-incomplete-header.pcap.gz":          ErrDamaged,
		"zeek-ftp-site-exec.pcap.gz":                                 ErrDamaged,
	}
	var all Decoder
	filters := make(map[LinkType]*FrameFilter)
	for _, path := range realCaptures(t) {
		name := filepath.Base(path)
		var d Decoder
		var p Packet
		err := eachFrame(path, func(n int, f *Frame) {
			r := d.Decode(f.Link, f.Time, f.Data, f.Wire, &p)
			if r == ReasonLinkType && f.Link != 178 && f.Link != 253 { // a Juniper header, netlink
				t.Errorf("%s, frame %d: %v", name, n, f.Link)
			}
			if r != ReasonOK {
				return
			}
			if n <= 1000 && f.Wire == len(f.Data) {
				checkCut(t, f.Link, f.Data)
			}
			if filters[f.Link] == nil {
				filter, err := NewFrameFilter(f.Link)
				if err != nil {
					t.Fatal(err)
				}
				filters[f.Link] = filter
			}
			if wanted(&p) && !filters[f.Link].Keep(f.Data) {
				t.Errorf("%s, frame %d: the filter drops %+v", name, n, p)
			}
		})
		if !errors.Is(err, damaged[name]) || (err != nil) != (damaged[name] != nil) {
			t.Errorf("%s: error %v, want %v", name, err, damaged[name])
		}
		for r, n := range d.Counts {
			all.Counts[r] += n
		}
	}
	for r, n := range all.Counts {
		t.Logf("%-20v %8d", Reason(r), n)
	}
}

// TestCapturesTshark compares how many packets there are with tshark's count,
// and of each packet in which tshark finds IP or ARP the innermost addresses,
// the protocol and the ports.
func TestCapturesTshark(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	files := realCaptures(t)
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark")
	}
	// What tshark counts differently, and why.
	differs := map[string]int{
		"ntopng-brcm-tag.pcap.gz":      23, // tshark refuses link type 281
		"suricata-verify-fuzz.pcap.gz": -1, // tshark counts the record of 1.4 GB whose data is missing
	}
	// Packets that tshark reads otherwise, and why.
	const deepMPLS = "more labels than are followed here, in a fuzzer's frame"
	otherwise := map[string]string{
		"PcapPlusPlus-null_loopback.pcap.gz 3":  "no address family: tshark guesses Cisco HDLC",
		"goProbe-default.pcap.gz 1":             "reverse ARP",
		"goProbe-default.pcap.gz 2":             "reverse ARP",
		"goProbe-default.pcap.gz 3":             "reverse ARP",
		"goProbe-default.pcap.gz 4":             "reverse ARP",
		"zeek-linux_dlt_sll2.pcap.gz 6":         "reverse ARP",
		"nDPI-fuzz-2006-06-26-2594.pcap.gz 86":  "TCP without room for its flags",
		"nDPI-fuzz-2006-06-26-2594.pcap.gz 669": "version 6 under the ethertype of version 4",
	}
	for _, n := range []int{217, 342, 417, 427, 535, 685, 948, 1220, 1501, 1660, 1722} {
		otherwise[fmt.Sprint("zeek-mpls-6in6-broken.pcap.gz ", n)] = deepMPLS
	}
	var d Decoder
	var p Packet
	compared := 0
	for _, path := range files {
		name := filepath.Base(path)
		lines := tsharkLines(tshark, path)
		ours := 0
		_ = eachFrame(path, func(n int, f *Frame) {
			ours++
			if n > len(lines) {
				return
			}
			r := d.Decode(f.Link, f.Time, f.Data, f.Wire, &p)
			want, ok := tsharkExpectation(lines[n-1])
			if !ok {
				return
			}
			compared++
			why := otherwise[fmt.Sprint(name, " ", n)]
			if got := tsharkSummary(&p, r); (got != want) != (why != "") {
				t.Errorf("%s, frame %d: %v\n got %s\nwant %s\nby %s", name, n, r, got, want, lines[n-1])
			}
		})
		if ours-len(lines) != differs[name] {
			t.Errorf("%s: %d packets, tshark has %d; want a difference of %d", name, ours, len(lines), differs[name])
		}
	}
	t.Logf("%d packets compared", compared)
	if compared < 500_000 {
		t.Errorf("only %d packets compared", compared)
	}
}

// tsharkFields are the columns that TestCapturesTshark asks for. Protocols
// names the layers from the outermost on; each field has its values in that
// order.
var tsharkFields = []string{"frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
	"tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "arp.src.proto_ipv4", "arp.dst.proto_ipv4"}

// tsharkLines returns those columns of each packet of a file.
func tsharkLines(tshark, path string) []string {
	arguments := []string{"-n", "-r", path, "-T", "fields", "-E", "occurrence=a",
		// Each packet for itself, as the decoder sees it.
		"-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"}
	for _, field := range tsharkFields {
		arguments = append(arguments, "-e", field)
	}
	out, _ := exec.Command(tshark, arguments...).Output() // how damaged files end is for TestCaptures
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// tsharkSummary writes what tshark's fields tell of a packet, too.
func tsharkSummary(p *Packet, r Reason) string {
	if r != ReasonOK || p.Fragment == FragmentLater {
		return fmt.Sprintf("other %v > %v", p.Src.Netip(), p.Dst.Netip())
	}
	if p.Proto != ProtoTCP && p.Proto != ProtoUDP {
		return fmt.Sprintf("%v %v > %v", p.Proto, p.Src.Netip(), p.Dst.Netip())
	}
	return fmt.Sprintf("%v %v > %v ports %d %d", p.Proto, p.Src.Netip(), p.Dst.Netip(), p.SrcPort, p.DstPort)
}

// tsharkExpectation is that summary by a line of tshark's: the first transport
// layer that carries no tunnel, and the last IP layer below it. It is not ok
// where there is no IP.
func tsharkExpectation(line string) (want string, ok bool) {
	columns := strings.Split(line, "\t")
	if len(columns) != len(tsharkFields) {
		return "", false
	}
	taken := make(map[string]int)
	take := func(field string) string { // the field's next value
		values := strings.Split(columns[slices.Index(tsharkFields, field)], ",")
		n := taken[field]
		if taken[field]++; n < len(values) {
			return values[n]
		}
		return ""
	}
	address := func(field string) Addr {
		a, err := netip.ParseAddr(take(field))
		if err != nil {
			return Addr{}
		}
		return AddrFrom(a)
	}
	var p Packet
	names := strings.Split(columns[0], ":")
	for i, layer := range names {
		switch layer {
		case "ip", "ipv6":
			p.Src, p.Dst = address(layer+".src"), address(layer+".dst")
			ok = true
		case "arp":
			p.Proto, p.Src, p.Dst = ProtoARP, address("arp.src.proto_ipv4"), address("arp.dst.proto_ipv4")
			return tsharkSummary(&p, ReasonOK), p.Src != Addr{}
		case "tcp", "udp":
			ports := take(layer+".srcport") + " " + take(layer+".dstport")
			if i+1 < len(names) && (names[i+1] == "vxlan" || names[i+1] == "geneve") {
				continue
			}
			if ports == " " {
				return "", false
			}
			return fmt.Sprintf("%s %v > %v ports %s", layer, p.Src.Netip(), p.Dst.Netip(), ports), ok
		case "icmp":
			p.Proto = ProtoICMP
			return tsharkSummary(&p, ReasonOK), ok
		case "icmpv6":
			p.Proto = ProtoICMPv6
			return tsharkSummary(&p, ReasonOK), ok
		}
	}
	return tsharkSummary(&p, ReasonProtocol), ok
}

// TestCapturesGopacket compares every packet of which gopacket finds the
// transport layer.
func TestCapturesGopacket(t *testing.T) {
	compared := 0
	var d Decoder
	var p Packet
	for _, path := range realCaptures(t) {
		_ = eachFrame(path, func(n int, f *Frame) {
			decoder := oracle(f.Link)
			if decoder == nil {
				return
			}
			want, ok := expectation(gopacket.NewPacket(f.Data, decoder, gopacket.DecodeOptions{Lazy: true, NoCopy: true}))
			if !ok {
				return
			}
			compared++
			r := d.Decode(f.Link, f.Time, f.Data, f.Wire, &p)
			if got := summary(&p); r != ReasonOK || got != want {
				t.Errorf("%s, frame %d: %v\n got %s\nwant %s", filepath.Base(path), n, r, got, want)
			}
		})
	}
	t.Logf("%d packets compared", compared)
	if compared < 100_000 {
		t.Errorf("only %d packets compared", compared)
	}
}

// oracle returns gopacket's decoder, where it has one.
func oracle(link LinkType) gopacket.Decoder {
	switch link {
	case LinkTypeEthernet, LinkTypeLinuxSLL, LinkTypeRaw, LinkTypeNull, LinkTypeIPv4, LinkTypeIPv6,
		LinkTypeFDDI, LinkTypeWiFi, LinkTypeRadiotap, LinkTypePrism:
		return layers.LinkType(link)
	}
	return nil
}

// summary writes the fields that gopacket can tell, too.
func summary(p *Packet) string {
	return fmt.Sprintf("%v %v > %v ttl %d ports %d %d seq %d ack %d flags %#x type %d code %d",
		p.Proto, p.Src.Netip(), p.Dst.Netip(), p.TTL, p.SrcPort, p.DstPort, p.Seq, p.Ack, p.Flags, p.Type, p.Code)
}

// expectation is the summary of what gopacket has found: the first transport
// header that carries no tunnel, and the IP header below it. It is not ok where
// gopacket found none.
func expectation(packet gopacket.Packet) (want string, ok bool) {
	var p Packet
	found := packet.Layers()
	for i, layer := range found {
		switch l := layer.(type) {
		case *gopacket.DecodeFailure:
			return "", false
		case *layers.Ethernet:
			p = Packet{}
		case *layers.IPv4:
			if l.Version != 4 {
				return "", false // gopacket does not look at it
			}
			p.Src, p.Dst, p.TTL = addrOf(l.SrcIP), addrOf(l.DstIP), l.TTL
		case *layers.IPv6:
			p.Src, p.Dst, p.TTL = addrOf(l.SrcIP), addrOf(l.DstIP), l.HopLimit
		case *layers.TCP:
			if len(l.Contents) < 20 {
				return "", false // gopacket gave up
			}
			p.Proto, p.SrcPort, p.DstPort, p.Seq, p.Ack = ProtoTCP, uint16(l.SrcPort), uint16(l.DstPort), l.Seq, l.Ack
			p.Flags = Flags(l.Contents[13])
			return summary(&p), true
		case *layers.UDP:
			if len(l.Contents) < 8 {
				return "", false
			}
			if i+1 < len(found) && (found[i+1].LayerType() == layers.LayerTypeVXLAN || found[i+1].LayerType() == layers.LayerTypeGeneve) {
				continue
			}
			p.Proto, p.SrcPort, p.DstPort = ProtoUDP, uint16(l.SrcPort), uint16(l.DstPort)
			return summary(&p), true
		case *layers.ICMPv4:
			p.Proto, p.Type, p.Code = ProtoICMP, l.TypeCode.Type(), l.TypeCode.Code()
			switch p.Type {
			case ICMPEchoRequest, ICMPEchoReply, ICMPTimestamp, ICMPTimestampReply, ICMPMaskRequest, ICMPMaskReply:
				p.SrcPort = l.Id
			}
			return summary(&p), true
		case *layers.ICMPv6:
			p.Proto, p.Type, p.Code = ProtoICMPv6, l.TypeCode.Type(), l.TypeCode.Code()
			if p.Type == ICMP6EchoRequest || p.Type == ICMP6EchoReply {
				p.SrcPort = be16(l.Payload)
			}
			return summary(&p), true
		case *layers.ARP:
			if l.ProtAddressSize != 4 || l.Protocol != layers.EthernetTypeIPv4 {
				return "", false
			}
			p.Proto, p.Type = ProtoARP, uint8(l.Operation)
			p.Src, p.Dst = addrOf(l.SourceProtAddress), addrOf(l.DstProtAddress)
			return summary(&p), true
		}
	}
	return "", false
}

// addrOf converts an address of 4 or 16 bytes.
func addrOf(b []byte) Addr {
	a, _ := netip.AddrFromSlice(b)
	return AddrFrom(a)
}
