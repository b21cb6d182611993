package main

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestRunSeesInside puts each frame of the sample into a tunnel or into 802.11
// and expects the same lines, byte for byte: a scan within names the source
// within.
func TestRunSeesInside(t *testing.T) {
	want := edgescan(t, nil, "run", "-r", sample, "--json", "-").stdout
	if len(starts(t, want)) == 0 {
		t.Fatal("no scan in the sample")
	}
	for name, test := range map[string]struct {
		link uint32
		wrap func(frame []byte, wire int) []byte
	}{
		"VXLAN": {1, func(frame []byte, wire int) []byte {
			udp := binary.BigEndian.AppendUint16([]byte{0xc0, 0, 0x12, 0xb5}, uint16(16+wire))
			return append(append(outerIPv4(17, 16+wire), udp...), append([]byte{0, 0, 8, 0, 0, 0, 0, 0, 7, 0}, frame...)...)
		}},
		"GRE": {1, func(frame []byte, wire int) []byte {
			return append(append(outerIPv4(47, 8+wire), 0x20, 0, 0x65, 0x58, 0, 0, 0, 7), frame...)
		}},
		"802.11": {127, func(frame []byte, _ int) []byte {
			b := []byte{0, 0, 8, 0, 0, 0, 0, 0, 0x08, 0x02, 0, 0}
			b = append(b, frame[:6]...)
			b = append(b, 2, 0, 0, 0, 0, 9)
			b = append(b, frame[6:12]...)
			return append(append(b, 0, 0, 0xaa, 0xaa, 3, 0, 0, 0), frame[12:]...)
		}},
	} {
		got := edgescan(t, bytes.NewReader(wrapped(t, test.link, test.wrap)), "run", "-r", "-", "--json", "-")
		if got.code != 0 || got.stdout != want {
			t.Errorf("%s: exit code %d, lines\n%swant\n%s%s", name, got.code, got.stdout, want, got.stderr)
		}
	}
}

// outerIPv4 is an Ethernet and an IPv4 header between a tunnel's ends.
func outerIPv4(protocol byte, payload int) []byte {
	b := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(20+payload))
	return append(b, 0, 0, 0, 0, 64, protocol, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2)
}

// wrapped rewrites the sample, a little-endian pcap file, frame by frame.
func wrapped(t *testing.T, link uint32, wrap func(frame []byte, wire int) []byte) []byte {
	t.Helper()
	in := sampleBytes(t)
	out := binary.LittleEndian.AppendUint32(bytes.Clone(in[:20]), link)
	for in = in[24:]; len(in) > 0; {
		captured, wire := int(binary.LittleEndian.Uint32(in[8:])), int(binary.LittleEndian.Uint32(in[12:]))
		frame := wrap(in[16:16+captured], wire)
		out = append(out, in[:8]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)+wire-captured))
		out = append(out, frame...)
		in = in[16+captured:]
	}
	return out
}
