package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// pcapFile builds a pcap file of records.
func pcapFile(order binary.AppendByteOrder, magic uint32, link LinkType, records ...[]byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	for _, field := range []uint32{0, 0, 0, uint32(link)} { // snaplen 0, as some writers have it
		b = order.AppendUint32(b, field)
	}
	return append(b, slices.Concat(records...)...)
}

// pcapRecord builds a record with a time of 1 s and the given fraction.
func pcapRecord(order binary.AppendByteOrder, fraction, captured, wire uint32, data string) []byte {
	var b []byte
	for _, field := range []uint32{1, fraction, captured, wire} {
		b = order.AppendUint32(b, field)
	}
	return append(b, data...)
}

// ngBlock builds a pcapng block; fields are numbers of their own size, or
// strings.
func ngBlock(order binary.AppendByteOrder, kind uint32, fields ...any) []byte {
	var body []byte
	for _, field := range fields {
		switch v := field.(type) {
		case uint16:
			body = order.AppendUint16(body, v)
		case uint32:
			body = order.AppendUint32(body, v)
		case uint64:
			body = order.AppendUint64(body, v)
		case string:
			body = append(body, v...)
		default:
			panic(fmt.Sprintf("field of type %T", field))
		}
	}
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	size := uint32(len(body) + ngOverhead)
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, size)
	return order.AppendUint32(append(b, body...), size)
}

func ngSectionBlock(order binary.AppendByteOrder) []byte {
	return ngBlock(order, ngSection, uint32(ngByteOrder), uint16(1), uint16(0), uint64(math.MaxUint64))
}

func ngInterfaceBlock(order binary.AppendByteOrder, link LinkType, options ...any) []byte {
	return ngBlock(order, ngInterface, append([]any{uint16(link), uint16(0), uint32(0)}, options...)...)
}

// ngPacketBlock builds an enhanced packet block.
func ngPacketBlock(order binary.AppendByteOrder, number uint32, ticks uint64, wire uint32, data string) []byte {
	return ngBlock(order, ngEnhanced, number, uint32(ticks>>32), uint32(ticks), uint32(len(data)), wire, data)
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// readAll reads the frames of a capture, with copies of their data, and the
// error that ended it: nil at the clean end.
func readAll(r io.Reader) (frames []Frame, err error) {
	f, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	for {
		var fr Frame
		if err := f.Next(&fr); err == io.EOF {
			return frames, nil
		} else if err != nil {
			return frames, err
		}
		fr.Data = slices.Clone(fr.Data)
		frames = append(frames, fr)
	}
}

var (
	little binary.AppendByteOrder = binary.LittleEndian
	big    binary.AppendByteOrder = binary.BigEndian
)

func TestFile(t *testing.T) {
	const second = int64(time.Second)
	frame := func(t int64, link LinkType, data string, wire int) Frame {
		return Frame{Time: t, Link: link, Data: []byte(data), Wire: wire}
	}
	modified := slices.Concat(pcapRecord(little, 5, 2, 9, ""), make([]byte, 8), []byte("ab"))
	ns := []any{uint16(ngTSResolution), uint16(1), "\x09\x00\x00\x00", uint32(0)}
	tests := []struct {
		name string
		file []byte
		want []Frame
		err  error
	}{
		{"pcap", pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab"), pcapRecord(little, 6, 0, 0, "")),
			[]Frame{frame(second+5000, 1, "ab", 9), frame(second+6000, 1, "", 0)}, nil},
		{"big-endian", pcapFile(big, pcapMicroseconds, LinkTypeLinuxSLL2, pcapRecord(big, 5, 2, 9, "ab")),
			[]Frame{frame(second+5000, LinkTypeLinuxSLL2, "ab", 9)}, nil},
		{"nanoseconds", pcapFile(little, pcapNanoseconds, 1, pcapRecord(little, 5, 2, 9, "ab")), []Frame{frame(second+5, 1, "ab", 9)}, nil},
		{"big-endian nanoseconds", pcapFile(big, pcapNanoseconds, 1, pcapRecord(big, 5, 2, 9, "ab")), []Frame{frame(second+5, 1, "ab", 9)}, nil},
		{"modified", pcapFile(little, pcapModified, 1, modified), []Frame{frame(second+5000, 1, "ab", 9)}, nil},
		{"wire length below the captured", pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 1, "ab")), []Frame{frame(second+5000, 1, "ab", 2)}, nil},
		{"wire length beyond an int32", pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, math.MaxUint32, "ab")),
			[]Frame{frame(second+5000, 1, "ab", math.MaxInt32)}, nil},
		{"frame check length in the link type", pcapFile(little, pcapMicroseconds, 0x24000001, pcapRecord(little, 5, 2, 9, "ab")), []Frame{frame(second+5000, 1, "ab", 9)}, nil},
		{"no records", pcapFile(little, pcapMicroseconds, 1), nil, nil},
		{"cut in the file header", pcapFile(little, pcapMicroseconds, 1)[:23], nil, ErrTruncated},
		{"cut in a record header", pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab")[:9]), nil, ErrTruncated},
		{"cut in a record", pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab"), pcapRecord(little, 5, 2, 9, "a")), []Frame{frame(second+5000, 1, "ab", 9)}, ErrTruncated},
		{"damaged record", pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, maxFrame+1, 9, "ab")), nil, ErrDamaged},
		{"empty", nil, nil, ErrNotCapture},
		{"three bytes", []byte("abc"), nil, ErrNotCapture},
		{"text", []byte("timestamp,src,dst"), nil, ErrNotCapture},
		{"gzip of text", compress([]byte("timestamp,src,dst")), nil, ErrNotCapture},

		{"gzip of pcap", compress(pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab"))), []Frame{frame(second+5000, 1, "ab", 9)}, nil},
		{"gzip, cut", compress(pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab")))[:30], nil, ErrTruncated},
		{"gzip, wrong checksum", mutate(compress(pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab"))), func(b []byte) { b[len(b)-8]++ }),
			[]Frame{frame(second+5000, 1, "ab", 9)}, ErrDamaged},
		{"gzip, garbage after it", append(compress(pcapFile(little, pcapMicroseconds, 1)), "garbage garbage"...), nil, ErrDamaged},

		{"pcapng", slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1), ngPacketBlock(little, 0, 7, 9, "abc")), []Frame{frame(7000, 1, "abc", 9)}, nil},
		{"pcapng, sections of both byte orders", slices.Concat(
			ngSectionBlock(little), ngInterfaceBlock(little, 1), ngPacketBlock(little, 0, 7, 9, "abc"),
			ngSectionBlock(big), ngInterfaceBlock(big, LinkTypeRaw), ngInterfaceBlock(big, LinkTypeLinuxSLL2, ns...),
			ngPacketBlock(big, 1, 7, 9, "abcd"), ngPacketBlock(big, 0, 7, 9, "")),
			[]Frame{frame(7000, 1, "abc", 9), frame(7, LinkTypeLinuxSLL2, "abcd", 9), frame(7000, LinkTypeRaw, "", 9)}, nil},
		{"pcapng, other blocks", slices.Concat(ngSectionBlock(little), ngBlock(little, 0x0bad, strings.Repeat("x", 3*inputSize)), ngInterfaceBlock(little, 1),
			ngBlock(little, 5), ngPacketBlock(little, 0, 7, 9, "abc")), []Frame{frame(7000, 1, "abc", 9)}, nil},
		{"pcapng, simple and obsolete packets", slices.Concat(ngSectionBlock(little), ngBlock(little, ngInterface, uint16(1), uint16(0), uint32(2)),
			ngBlock(little, ngPacket, uint16(0), uint16(0), uint32(0), uint32(7), uint32(3), uint32(9), "abc"), ngBlock(little, ngSimple, uint32(9), "abc")),
			[]Frame{frame(7000, 1, "abc", 9), frame(7000, 1, "ab", 9)}, nil},
		{"pcapng, interface unknown", slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1), ngPacketBlock(little, 1, 7, 9, "abc")), nil, ErrDamaged},
		{"pcapng, interface of the section before", slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1), ngSectionBlock(little), ngPacketBlock(little, 0, 7, 9, "abc")), nil, ErrDamaged},
		{"pcapng, simple packet without interface", slices.Concat(ngSectionBlock(little), ngBlock(little, ngSimple, uint32(9), "abc")), nil, ErrDamaged},
		{"pcapng, no byte order mark", mutate(ngSectionBlock(little), func(b []byte) { b[8]++ }), nil, ErrDamaged},
		{"pcapng, block of 8 bytes", slices.Concat(ngSectionBlock(little), little.AppendUint32(little.AppendUint32(nil, 1), 8)), nil, ErrDamaged},
		{"pcapng, block of 13 bytes", slices.Concat(ngSectionBlock(little), little.AppendUint32(little.AppendUint32(nil, 1), 13)), nil, ErrDamaged},
		{"pcapng, huge packet block", slices.Concat(ngSectionBlock(little), little.AppendUint32(little.AppendUint32(nil, 6), 0xfffffffc)), nil, ErrDamaged},
		{"pcapng, huge other block", slices.Concat(ngSectionBlock(little), little.AppendUint32(little.AppendUint32(nil, 5), 0xfffffffc)), nil, ErrTruncated},
		{"pcapng, lengths differ", slices.Concat(ngSectionBlock(little), mutate(ngInterfaceBlock(little, 1), func(b []byte) { b[len(b)-4]++ })), nil, ErrDamaged},
		{"pcapng, captured length beyond the block", slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1),
			mutate(ngPacketBlock(little, 0, 7, 9, "abcd"), func(b []byte) { b[20] = 5 })), nil, ErrDamaged},
		{"pcapng, packet block of 12 bytes", slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1), ngBlock(little, ngEnhanced, uint32(0))), nil, ErrDamaged},
		{"pcapng, option beyond the block", slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1, uint16(9), uint16(999), "\x09\x00\x00\x00"), ngPacketBlock(little, 0, 7, 9, "abc")),
			[]Frame{frame(7000, 1, "abc", 9)}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := readAll(bytes.NewReader(test.file))
			if !errors.Is(err, test.err) || (err != nil) != (test.err != nil) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got, cmp.Transformer("data", func(b []byte) string { return string(b) })); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			again, err2 := readAll(iotest.OneByteReader(bytes.NewReader(test.file)))
			if fmt.Sprint(err) != fmt.Sprint(err2) || !cmp.Equal(got, again) {
				t.Errorf("read byte by byte: %d frames, %v; want %d, %v", len(again), err2, len(got), err)
			}
		})
	}
}

// TestFileLeftOut damages what blocks of pcapng hold: what is behind them is read,
// and the error at the end says what was not.
func TestFileLeftOut(t *testing.T) {
	head := slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1))
	packet := ngPacketBlock(little, 0, 7, 9, "abcd")
	lies := mutate(packet, func(b []byte) { b[20] = 5 })
	for _, test := range []struct {
		name string
		file []byte
		want int
		err  string
	}{
		{"one", slices.Concat(head, packet, lies, packet), 2, fmt.Sprintf("a block at byte %d was left out: ", len(head)+len(packet))},
		{"two", slices.Concat(head, ngPacketBlock(little, 3, 7, 9, ""), packet, lies, packet), 2, fmt.Sprintf("2 blocks were left out, the first at byte %d: ", len(head))},
		{"an interface", slices.Concat(ngSectionBlock(little), ngBlock(little, ngInterface, uint32(1)), ngInterfaceBlock(little, 1), packet, ngPacketBlock(little, 1, 7, 9, "abcd")), 2, "was left out: "},
		{"one, and cut", slices.Concat(head, lies, packet, packet[:9]), 1, "cut off after byte "},
	} {
		got, err := readAll(bytes.NewReader(test.file))
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "left out") {
			t.Errorf("%s: error %q, want %q", test.name, err, test.err)
		}
		if len(got) != test.want {
			t.Errorf("%s: %d frames, want %d", test.name, len(got), test.want)
		}
	}
}

// TestFileCut cuts files everywhere: what is whole is delivered, and only the
// end of a record is a clean end.
func TestFileCut(t *testing.T) {
	var ng, classic bytes.Buffer
	ends := map[*bytes.Buffer][]int{}
	step := func(out *bytes.Buffer, b []byte) {
		out.Write(b)
		ends[out] = append(ends[out], out.Len())
	}
	step(&classic, pcapFile(little, pcapMicroseconds, 1))
	step(&ng, slices.Concat(ngSectionBlock(little)))
	step(&ng, ngInterfaceBlock(little, 1))
	for i := range 5 {
		data := strings.Repeat("x", 10*i)
		step(&classic, pcapRecord(little, 0, uint32(len(data)), 100, data))
		step(&ng, ngPacketBlock(little, 0, 0, 100, data))
	}
	for out, skip := range map[*bytes.Buffer]int{&classic: 1, &ng: 2} {
		for n := 4; n <= out.Len(); n++ {
			frames, err := readAll(bytes.NewReader(out.Bytes()[:n]))
			whole, clean := slices.BinarySearch(ends[out], n)
			if clean {
				whole++
			}
			if len(frames) != max(0, whole-skip) || (err == nil) != clean || (err != nil && !errors.Is(err, ErrTruncated)) {
				t.Errorf("cut at %d: %d frames, %v; want %d, clean end %v", n, len(frames), err, max(0, whole-skip), clean)
			}
		}
	}
}

func TestPcapngTime(t *testing.T) {
	const s = int64(time.Second)
	tests := []struct {
		resolution uint8
		offset     int64
		ticks      uint64
		want       int64
	}{
		{6, 0, 1_500_000, 1_500_000_000},
		{9, 0, 1_500_000, 1_500_000},
		{0, 0, 3, 3 * s},
		{3, 2, 1, 2*s + 1_000_000},
		{12, 0, 5999, 5},
		{28, 0, math.MaxUint64, 1},
		{29, 0, math.MaxUint64, 0},
		{64, 0, math.MaxUint64, 0},
		{127, 0, math.MaxUint64, 0},
		{0x80, 0, 3, 3 * s},
		{0x80 | 10, 0, 1536, s + s/2},
		{0x80 | 63, 0, math.MaxUint64, 2*s - 1},
		{0x80 | 64, 0, math.MaxUint64, s - 1},
		{0xff, 0, math.MaxUint64, 0},
		{0, 0, math.MaxUint64, math.MaxInt64},
		{6, 0, math.MaxUint64, math.MaxInt64},
		{9, 0, math.MaxUint64, math.MaxInt64},
		{6, math.MaxInt64, 1_000_000, math.MaxInt64},
		{6, math.MinInt64, 0, -math.MaxInt64 / s * s},
		{6, -1, 1_000_000, 0},
	}
	for _, test := range tests {
		c := ngClock{resolution: test.resolution, offset: test.offset}
		if got := c.time(test.ticks); got != test.want {
			t.Errorf("resolution %#x, offset %d: %d ticks = %d ns, want %d", test.resolution, test.offset, test.ticks, got, test.want)
		}
	}
}

// TestPcapngInterfaces: a file of interface descriptions must not eat the
// memory.
func TestPcapngInterfaces(t *testing.T) {
	file := append(ngSectionBlock(little), bytes.Repeat(ngInterfaceBlock(little, 1), ngMaxInterfaces+1)...)
	if _, err := readAll(bytes.NewReader(file)); !errors.Is(err, ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
}

// TestFileGopacket reads what gopacket writes, and reads it as gopacket does.
func TestFileGopacket(t *testing.T) {
	var out bytes.Buffer
	w, err := pcapgo.NewNgWriter(&out, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1_700_000_000, 123_456_789).UTC()
	for i := range 300 {
		frame := tcpFrame(uint16(i), SYN, 7*i)
		ci := gopacket.CaptureInfo{Timestamp: start.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(frame), Length: len(frame) + i}
		if err := w.WritePacket(ci, frame); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	theirs, err := pcapgo.NewNgReader(bytes.NewReader(out.Bytes()), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "capture.pcapng")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	for {
		data1, ci1, err1 := theirs.ZeroCopyReadPacketData()
		data2, ci2, err2 := ours.ZeroCopyReadPacketData()
		if err1 != err2 || !bytes.Equal(data1, data2) || !ci1.Timestamp.Equal(ci2.Timestamp) || ci1.Length != ci2.Length || ci1.CaptureLength != ci2.CaptureLength {
			t.Fatalf("gopacket: %v %v, %d bytes; ours: %v %v, %d bytes", ci1, err1, len(data1), ci2, err2, len(data2))
		}
		if err1 != nil {
			break
		}
	}
	if s := ours.Stats(); s.Frames != 300 {
		t.Errorf("Stats() = %+v, want 300 frames", s)
	}
}

func TestOpenMissing(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

func TestFileAllocates(t *testing.T) {
	file := pcapFile(little, pcapMicroseconds, 1, bytes.Repeat(pcapRecord(little, 0, 60, 60, strings.Repeat("x", 60)), 20000))
	ng := slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1), bytes.Repeat(ngPacketBlock(little, 0, 0, 60, strings.Repeat("x", 60)), 20000))
	for _, file := range [][]byte{file, ng} {
		f, err := NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		var fr Frame
		if n := testing.AllocsPerRun(15000, func() {
			if err := f.Next(&fr); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Next allocates %v times", n)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 60, 60, string(tcpFrame(22, SYN, 6)))))
	f.Add(pcapFile(big, pcapNanoseconds, LinkTypeLinuxSLL2, pcapRecord(big, 5, 2, 9, "ab")))
	f.Add(pcapFile(little, pcapModified, 1, pcapRecord(little, 5, 2, 9, "abcdefghab")))
	f.Add(slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1, uint16(9), uint16(1), "\xff\x00\x00\x00"), ngPacketBlock(little, 0, 7, 9, "abc"), ngBlock(little, 5)))
	f.Add(slices.Concat(ngSectionBlock(big), ngInterfaceBlock(big, 1, uint16(14), uint16(8), "\x7fabcdefg"), ngBlock(big, ngSimple, uint32(9), "abc"),
		ngBlock(big, ngPacket, uint16(0), uint16(0), uint32(0), uint32(7), uint32(3), uint32(9), "abc")))
	f.Add(compress(pcapFile(little, pcapMicroseconds, 1, pcapRecord(little, 5, 2, 9, "ab"))))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		var d Decoder
		var fr Frame
		var p Packet
		delivered := 0
		for {
			if err = r.Next(&fr); err != nil {
				break
			}
			if len(fr.Data) > maxFrame || fr.Wire < len(fr.Data) {
				t.Fatalf("a frame of %d bytes, %d on the wire", len(fr.Data), fr.Wire)
			}
			delivered += len(fr.Data) + 1
			d.Decode(fr.Link, fr.Time, fr.Data, fr.Wire, &p)
		}
		if file[0] != 0x1f && delivered > len(file) {
			t.Fatalf("%d bytes out of %d", delivered, len(file))
		}
		if again := r.Next(&fr); again != err {
			t.Fatalf("error %v, and then %v", err, again)
		}
		if err != io.EOF && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrDamaged) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}

// BenchmarkReadFile reads a file of a million packets, and decodes them where
// the name says so.
// BenchmarkReadFile reads a million packets of several kinds from a file in the
// page cache, and has tcpdump, where there is one, read and write the same.
func BenchmarkReadFile(b *testing.B) {
	const packets = 1_000_000
	frames := [][]byte{
		tcpFrame(443, ACK, 1446), tcpFrame(443, ACK, 0), tcpFrame(22, SYN, 0), tcpFrame(443, ACK|PSH, 746),
		plain(kind4, append(udpFlowPacket(bulkFlows[0]), make([]byte, 1200)...)),
		plain(kind6, append(serialize(ipv6(6), tcpHeader(ACK, 20)), make([]byte, 1300)...)),
		inEthernetOf(0x81, 0, 0, 1)(kind4, tcpFrame(443, ACK, 1000)[14:]),
		plain(kind4, serialize(ipv4(1), bytesOf(8, 0, 0, 0, 0, 1, 0, 1), gopacket.Payload(make([]byte, 56)))),
	}
	for _, test := range []struct {
		name    string
		snaplen int
	}{{"snaplen 96", 96}, {"full frames", maxFrame}} {
		var records []byte
		for i, frame := range frames {
			captured := min(test.snaplen, len(frame))
			records = append(records, pcapRecord(little, uint32(i), uint32(captured), uint32(len(frame)), string(frame[:captured]))...)
		}
		path := filepath.Join(b.TempDir(), "capture.pcap")
		if err := os.WriteFile(path, pcapFile(little, pcapMicroseconds, 1, bytes.Repeat(records, packets/len(frames))), 0o600); err != nil {
			b.Fatal(err)
		}
		rate := func(b *testing.B) {
			b.ReportMetric(float64(b.N)*packets/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/packets/float64(b.N), "ns/packet")
		}
		b.Run(test.name+", decoded", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				var d Decoder
				var fr Frame
				var p Packet
				for err = f.Next(&fr); err == nil; err = f.Next(&fr) {
					d.Decode(fr.Link, fr.Time, fr.Data, fr.Wire, &p)
				}
				if err != io.EOF || d.Counts[ReasonOK] != packets {
					b.Fatal(err, d.Counts)
				}
				f.Close()
			}
			rate(b)
		})
		b.Run(test.name+", tcpdump", func(b *testing.B) {
			tcpdump, err := exec.LookPath("tcpdump")
			if err != nil {
				b.Skip("needs tcpdump")
			}
			for b.Loop() {
				if out, err := exec.Command(tcpdump, "-r", path, "-w", os.DevNull).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
			rate(b)
		})
	}
}
