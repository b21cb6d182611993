package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"edgescan/capture"
)

// rawCapture is a capture of IP packets in the making.
type rawCapture struct {
	t    *testing.T
	file bytes.Buffer
	w    *pcapgo.Writer
	at   time.Time // of the next packet
}

// newRawCapture returns an empty one.
func newRawCapture(t *testing.T) *rawCapture {
	t.Helper()
	c := &rawCapture{t: t, at: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)}
	c.w = pcapgo.NewWriter(&c.file)
	if err := c.w.WriteFileHeader(65535, layers.LinkType(capture.LinkTypeRaw)); err != nil {
		t.Fatal(err)
	}
	return c
}

// add adds a packet, and lets a millisecond pass.
func (c *rawCapture) add(ip gopacket.SerializableLayer, tcp *layers.TCP) {
	c.t.Helper()
	if err := tcp.SetNetworkLayerForChecksum(ip.(gopacket.NetworkLayer)); err != nil {
		c.t.Fatal(err)
	}
	frame := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(frame, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp); err != nil {
		c.t.Fatal(err)
	}
	n := len(frame.Bytes())
	if err := c.w.WritePacket(gopacket.CaptureInfo{Timestamp: c.at, CaptureLength: n, Length: n}, frame.Bytes()); err != nil {
		c.t.Fatal(err)
	}
	c.at = c.at.Add(time.Millisecond)
}

// newAddressEach is a capture of a scan of 40 ports of one host, each from
// another address of 2001:db8:66::/64, all refused.
func newAddressEach(t *testing.T) []byte {
	t.Helper()
	c := newRawCapture(t)
	target := net.ParseIP("2001:db8:1::5")
	for i := range 40 {
		scanner := net.ParseIP(fmt.Sprintf("2001:db8:66::%x", 0xa000+i))
		probe := &layers.TCP{SrcPort: 40000, DstPort: layers.TCPPort(i + 1), SYN: true, Seq: 7}
		refusal := &layers.TCP{SrcPort: layers.TCPPort(i + 1), DstPort: 40000, RST: true, ACK: true, Ack: 8}
		for _, s := range []struct {
			src, dst net.IP
			tcp      *layers.TCP
		}{{scanner, target, probe}, {target, scanner, refusal}} {
			c.add(&layers.IPv6{Version: 6, HopLimit: 60, NextHeader: layers.IPProtocolTCP, SrcIP: s.src, DstIP: s.dst}, s.tcp)
		}
		c.at = c.at.Add(200 * time.Millisecond)
	}
	return c.file.Bytes()
}

func TestScanFromNewAddresses(t *testing.T) {
	file := write(t, "rotating.pcap", newAddressEach(t))
	r := edgescan(t, nil, "run", "-r", file, "--json", "-")
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if r.code != 0 || len(lines) != 2 {
		t.Fatalf("code %d, lines\n%s%s", r.code, r.stdout, r.stderr)
	}
	var e struct {
		Src  string `json:"src_ip"`
		Scan struct {
			State, Kind, Scope string
			Prefix             netip.Prefix `json:"src_prefix"`
			Sources, Ports     int
			SrcIPs             []netip.Addr `json:"src_ips"`
		}
	}
	if err := json.Unmarshal([]byte(lines[1]), &e); err != nil {
		t.Fatal(err)
	}
	s := &e.Scan
	if e.Src != "2001:db8:66::" || s.State != "end" || s.Kind != "vertical" || s.Scope != "prefix" || s.Sources < 38 || s.Ports < 38 {
		t.Errorf("the end says %+v", e)
	}
	for _, a := range s.SrcIPs {
		if !s.Prefix.Contains(a) {
			t.Errorf("%v is not of %v", a, s.Prefix)
		}
	}
}

func TestMapOfPrefix(t *testing.T) {
	file := write(t, "rotating.pcap", newAddressEach(t))
	for _, args := range [][]string{{"--src", "2001:db8:66::/64"}, {"--src", "2001:db8:66::a007"}, nil} {
		out := filepath.Join(t.TempDir(), "map.png")
		if r := edgescan(t, nil, append([]string{"map", "-r", file, "-o", out}, args...)...); r.code != 0 {
			t.Errorf("%v: code %d: %s", args, r.code, r.stderr)
			continue
		}
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		f.Close()
	}
	r := edgescan(t, nil, "map", "-r", file, "-o", filepath.Join(t.TempDir(), "map.png"), "--src", "2001:db8:1::/64")
	if r.code != 1 || !strings.Contains(r.stderr, "not judged as a group") {
		t.Errorf("a prefix that does not scan: code %d: %s", r.code, r.stderr)
	}
}
