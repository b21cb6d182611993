package synth

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// decoder decodes a frame up to its transport layer and checks that it is
// whole.
type decoder struct {
	eth    layers.Ethernet
	vlan   layers.Dot1Q
	arp    layers.ARP
	ip4    layers.IPv4
	ip6    layers.IPv6
	tcp    layers.TCP
	udp    layers.UDP
	icmp4  layers.ICMPv4
	icmp6  layers.ICMPv6
	load   gopacket.Payload
	parser *gopacket.DecodingLayerParser
	found  []gopacket.LayerType
}

func newDecoder() *decoder {
	d := new(decoder)
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &d.eth, &d.vlan, &d.arp, &d.ip4, &d.ip6, &d.tcp, &d.udp, &d.icmp4, &d.icmp6, &d.load)
	d.parser.IgnoreUnsupported = true
	return d
}

// check decodes a whole frame and reports what is wrong with it.
func (d *decoder) check(frame []byte) string {
	if err := d.parser.DecodeLayers(frame, &d.found); err != nil {
		return err.Error()
	}
	if d.parser.Truncated {
		return "truncated"
	}
	for _, l := range d.found {
		switch l {
		case layers.LayerTypeARP:
			return ""
		case layers.LayerTypeIPv4:
			if fold(sum(d.ip4.Contents, 0)) != 0 {
				return "IPv4 checksum"
			}
			if d.ip4.FragOffset != 0 || d.ip4.Flags&layers.IPv4MoreFragments != 0 {
				return ""
			}
			if s := transportSum(d.ip4.SrcIP, d.ip4.DstIP, byte(d.ip4.Protocol), d.ip4.Payload); s != "" {
				return s
			}
		case layers.LayerTypeIPv6:
			if s := transportSum(d.ip6.SrcIP, d.ip6.DstIP, byte(d.ip6.NextHeader), d.ip6.Payload); s != "" {
				return s
			}
		case layers.LayerTypeTCP, layers.LayerTypeUDP, layers.LayerTypeICMPv4, layers.LayerTypeICMPv6:
			return ""
		}
	}
	return "no transport layer"
}

// transportSum checks the checksum of a transport header and its payload.
func transportSum(src, dst []byte, proto byte, p []byte) string {
	s := uint64(0)
	if proto != protoICMP {
		s = sum(src, sum(dst, uint64(proto)+uint64(len(p))))
	}
	if fold(sum(p, s)) != 0 {
		return "transport checksum"
	}
	return ""
}

// TestFramesAreValid decodes every frame that is neither cut nor a fragment.
func TestFramesAreValid(t *testing.T) {
	d, whole := newDecoder(), 0
	for seed := range uint64(150) {
		s := Generate(seed, Options{})
		last := int64(0)
		for i := range s.Frames {
			f := &s.Frames[i]
			if f.Time < last {
				t.Fatalf("seed %d frame %d: out of order", seed, i)
			}
			last = f.Time
			if f.Actor < 0 || int(f.Actor) >= len(s.Actors) {
				t.Fatalf("seed %d frame %d: actor %d", seed, i, f.Actor)
			}
			if f.Wire < len(f.Data) {
				t.Fatalf("seed %d frame %d: wire length %d below %d", seed, i, f.Wire, len(f.Data))
			}
			if f.Wire > len(f.Data) || isFragment(f.Data) {
				continue
			}
			whole++
			if wrong := d.check(f.Data); wrong != "" {
				t.Fatalf("seed %d frame %d of %s: %s\n%x", seed, i, s.Actors[f.Actor].Tool, wrong, f.Data)
			}
		}
	}
	if whole < 100_000 {
		t.Errorf("only %d whole frames", whole)
	}
}

func isFragment(p []byte) bool {
	at := 12
	if p[at] == 0x81 {
		at += 4
	}
	return p[at] == 8 && p[at+1] == 0 && (p[at+8]&0x3f != 0 || p[at+9] != 0)
}

// TestTcpdumpReads has tcpdump read a scene and find nothing odd.
func TestTcpdumpReads(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("no tcpdump")
	}
	s := Generate(5, Options{})
	name := filepath.Join(t.TempDir(), "scene.pcap")
	var file bytes.Buffer
	if err := s.WritePcap(&file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tcpdump, "-nnr", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out, []byte("\n")); n < len(s.Frames) {
		t.Errorf("%d lines for %d frames", n, len(s.Frames))
	}
}

func ipString(b []byte) string {
	a, _ := netip.AddrFromSlice(b)
	return a.String()
}
