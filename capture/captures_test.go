package capture

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"path/filepath"
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

// TestCapturesTshark compares how many packets there are with tshark's count.
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
	for _, path := range files {
		name := filepath.Base(path)
		ours := 0
		_ = eachFrame(path, func(int, *Frame) { ours++ }) // how damaged files end is for TestCaptures
		out, _ := exec.Command(tshark, "-n", "-r", path, "-T", "fields", "-e", "frame.number").Output()
		theirs := strings.Count(string(out), "\n")
		if ours-theirs != differs[name] {
			t.Errorf("%s: %d packets, tshark has %d; want a difference of %d", name, ours, theirs, differs[name])
		}
	}
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
	case LinkTypeEthernet, LinkTypeLinuxSLL, LinkTypeRaw, LinkTypeNull, LinkTypeIPv4, LinkTypeIPv6:
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
// header, and the IP header below it. It is not ok where gopacket found none,
// or went through a tunnel that Decode does not open.
func expectation(packet gopacket.Packet) (want string, ok bool) {
	var p Packet
	for _, layer := range packet.Layers() {
		switch l := layer.(type) {
		case *layers.GRE, *layers.EtherIP, *gopacket.DecodeFailure:
			return "", false
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
