package capture

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ngOption builds an option, padded.
func ngOption(code uint16, value string) []any {
	return []any{code, uint16(len(value)), value + strings.Repeat("\x00", -len(value)&3)}
}

// ngInterfaceOf builds an interface description with a snaplen.
func ngInterfaceOf(link LinkType, snaplen uint32, options ...any) []byte {
	return ngBlock(little, ngInterface, append([]any{uint16(link), uint16(0), snaplen}, options...)...)
}

// oddFiles are files that other programs write seldom, or by mistake. What their
// frames are is for TestOddFiles, and compared with tshark where it is installed.
var oddFiles = []struct {
	name   string
	file   []byte
	want   string // time in ns, link type, captured and wire length of each frame
	err    error
	tshark int    // how many more frames tshark has
	why    string // it has more
}{
	{name: "modified pcap, little-endian", file: pcapFile(little, pcapModified, 1, modifiedRecord(5, 60, 90), modifiedRecord(6, 42, 42)),
		want: "1000005000 1 60/90, 1000006000 1 42/42"},
	{name: "modified pcap, cut in the longer header", file: pcapFile(little, pcapModified, 1, modifiedRecord(5, 60, 90), modifiedRecord(6, 42, 42)[:20]),
		want: "1000005000 1 60/90", err: ErrTruncated},
	{name: "pcap, snaplen 4 GB", file: mutate(pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 60, 60, strings.Repeat("x", 60))),
		func(b []byte) { copy(b[16:], "\xff\xff\xff\xff") }), want: "1000005000 1 60/60"},
	{name: "pcap, records beyond the snaplen", file: mutate(pcapFile(big, pcapMicroseconds, 1, pcapRecord(big, 5, 60, 60, strings.Repeat("x", 60))),
		func(b []byte) { b[19] = 20 }), want: "1000005000 1 60/60"},
	{name: "pcap, a record that overlaps the next", file: pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 64, 64, strings.Repeat("x", 60)), pcapRecord(little, 6, 60, 60, strings.Repeat("y", 60))),
		want: "1000005000 1 64/64", err: ErrTruncated},
	{name: "pcapng, sections of different byte order, link types and clocks", file: slices.Concat(
		ngSectionBlock(little),
		ngInterfaceOf(1, 96, ngOption(ngTSResolution, "\x09")...),
		ngInterfaceOf(LinkTypeLinuxSLL2, 0, ngOption(ngTSResolution, "\x94")...), // 2^-20 s
		ngPacketBlock(little, 0, 1_500_000_000, 60, strings.Repeat("x", 60)),
		ngPacketBlock(little, 1, 3<<19, 60, strings.Repeat("x", 60)),
		ngSectionBlock(big),
		ngInterfaceBlock(big, LinkTypeRaw, append(ngOption(ngTSResolution, "\x03"), ngOption(ngTSOffset, "\x00\x00\x00\x00\x00\x00\x00\x64")...)...),
		ngPacketBlock(big, 0, 2500, 60, strings.Repeat("x", 60)),
		ngSectionBlock(little),
		ngInterfaceOf(LinkTypeNull, 0),
		ngPacketBlock(little, 0, 3_000_000, 60, strings.Repeat("x", 60)),
	), want: "1500000000 1 60/60, 1500000000 276 60/60, 102500000000 101 60/60, 3000000000 0 60/60"},
	{name: "pcapng, seconds", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0, ngOption(ngTSResolution, "\x00")...), ngPacketBlock(little, 0, 7, 60, "abcd")),
		want: "7000000000 1 4/60"},
	{name: "pcapng, obsolete packets", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0), ngInterfaceOf(LinkTypeRaw, 0),
		ngBlock(little, ngPacket, uint16(1), uint16(7), uint32(0), uint32(2_000_000), uint32(3), uint32(9), "abc"),
		ngBlock(little, ngPacket, uint16(0), uint16(math.MaxUint16), uint32(0), uint32(3_000_000), uint32(5), uint32(5), "abcde\x00\x00\x00", uint16(2), uint16(4), uint32(1), uint32(0))),
		want: "2000000000 101 3/9, 3000000000 1 5/5"},
	{name: "pcapng, simple packets cut by the snaplen and not", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 10),
		ngBlock(little, ngSimple, uint32(60), strings.Repeat("x", 10)), ngBlock(little, ngSimple, uint32(7), strings.Repeat("x", 7))),
		want: "0 1 10/60, 0 1 7/7"},
	{name: "pcapng, simple packets with snaplen 0", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0),
		ngBlock(little, ngSimple, uint32(9), strings.Repeat("x", 9))), want: "0 1 9/9"},
	{name: "pcapng, simple packets with snaplen 4 GB", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, math.MaxUint32),
		ngBlock(little, ngSimple, uint32(9), strings.Repeat("x", 9))), want: "0 1 9/9"},
	{name: "pcapng, enhanced packets with options and beyond the snaplen", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 4),
		ngBlock(little, ngEnhanced, append([]any{uint32(0), uint32(0), uint32(1_000_000), uint32(5), uint32(5), "abcde\x00\x00\x00"}, append(ngOption(1, "a comment"), uint32(0))...)...)),
		want: "1000000000 1 5/5"},
	{name: "pcapng, unknown blocks and statistics", file: slices.Concat(ngSectionBlock(little), ngBlock(little, 0x40000bad, "xyz"), ngInterfaceOf(1, 0), ngBlock(little, 4, uint32(0)),
		ngPacketBlock(little, 0, 7, 60, "abcd"), ngBlock(little, 5, uint32(0), uint64(0)), ngPacketBlock(little, 0, 8, 60, "abcd")), want: "7000 1 4/60, 8000 1 4/60",
		tshark: 1, why: "(it shows the block that it does not know as a packet without time and data)"},
	{name: "pcapng, an interface that does not exist", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0), ngPacketBlock(little, 0, 7, 60, "abcd"), ngPacketBlock(little, 5, 7, 60, "abcd")),
		want: "7000 1 4/60", err: ErrDamaged},
	{name: "pcapng, an unknown block that reaches into the next", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0), ngPacketBlock(little, 0, 7, 60, "abcd"),
		mutate(ngBlock(little, 0x0bad, "xyz"), func(b []byte) { b[4] += 8 }), ngPacketBlock(little, 0, 8, 60, "abcd")), want: "7000 1 4/60", err: ErrDamaged},
	{name: "pcapng, a section header that reaches into the next block", file: slices.Concat(mutate(ngSectionBlock(little), func(b []byte) { b[4] += 20 }), ngInterfaceOf(1, 0), ngPacketBlock(little, 0, 7, 60, "abcd")),
		err: ErrDamaged},
	{name: "pcapng, a packet of 4 GB", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0), ngPacketBlock(little, 0, 7, 60, "abcd"),
		mutate(ngPacketBlock(little, 0, 7, 60, "abcd"), func(b []byte) { copy(b[20:], "\xff\xff\xff\xff") })), want: "7000 1 4/60", err: ErrDamaged},
	{name: "pcapng, a block of 4 GB", file: slices.Concat(ngSectionBlock(little), ngInterfaceOf(1, 0), ngPacketBlock(little, 0, 7, 60, "abcd"),
		mutate(ngPacketBlock(little, 0, 7, 60, "abcd"), func(b []byte) { copy(b[4:], "\xfc\xff\xff\xff") })), want: "7000 1 4/60", err: ErrDamaged},
	{name: "pcapng, an interface of 4 GB", file: slices.Concat(ngSectionBlock(little), mutate(ngInterfaceOf(1, 0), func(b []byte) { copy(b[4:], "\xfc\xff\xff\xff") })), err: ErrDamaged},
}

// modifiedRecord builds a record of Kuznetzov's format.
func modifiedRecord(fraction, captured, wire uint32) []byte {
	return slices.Concat(pcapRecord(little, fraction, captured, wire, ""), []byte{2, 0, 0, 0, 0x08, 0, 0, 0}, bytes.Repeat([]byte{'x'}, int(captured)))
}

func TestOddFiles(t *testing.T) {
	for _, test := range oddFiles {
		t.Run(test.name, func(t *testing.T) {
			frames, err := readAll(bytes.NewReader(test.file))
			if !errors.Is(err, test.err) || (err != nil) != (test.err != nil) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if err != nil && !strings.Contains(err.Error(), "byte ") {
				t.Errorf("an error that does not say where: %v", err)
			}
			if got := describeFrames(frames); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func describeFrames(frames []Frame) string {
	var said []string
	for _, f := range frames {
		said = append(said, fmt.Sprintf("%d %d %d/%d", f.Time, f.Link, len(f.Data), f.Wire))
	}
	return strings.Join(said, ", ")
}

// TestOddFilesTshark compares number, times and lengths of the frames with
// tshark's.
func TestOddFilesTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark")
	}
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	folder := t.TempDir()
	for n, test := range oddFiles {
		path := writeFile(t, folder, fmt.Sprint(n), test.file)
		out, _ := exec.Command(tshark, "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len", "-e", "frame.len").Output()
		var theirs []string
		for line := range strings.Lines(string(out)) {
			if line = strings.TrimSuffix(line, "\n"); test.tshark == 0 || !strings.HasPrefix(line, "\t") {
				theirs = append(theirs, line)
			}
		}
		frames, _ := readAll(bytes.NewReader(test.file))
		if more := strings.Count(string(out), "\n") - len(frames); more != test.tshark {
			t.Errorf("%s: %d frames, tshark has %d more; want %d %s", test.name, len(frames), more, test.tshark, test.why)
		}
		for i := range min(len(frames), len(theirs)) {
			f := frames[i]
			ours := fmt.Sprintf("%d.%09d\t%d\t%d", f.Time/1e9, f.Time%1e9, len(f.Data), f.Wire)
			if strings.HasPrefix(theirs[i], "\t") {
				ours = strings.TrimPrefix(ours, "0.000000000") // a simple packet block, which has no time
			}
			if ours != theirs[i] {
				t.Errorf("%s, frame %d: %q, tshark has %q", test.name, i+1, ours, theirs[i])
			}
		}
	}
}
