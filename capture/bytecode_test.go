package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// The programs of tcpdump 4.99 for Ethernet: "tcp port 80" and, for an interface,
// "vlan".
const (
	tcpPort80 = "20\n40 0 0 12\n21 0 6 34525\n48 0 0 20\n21 0 15 6\n40 0 0 54\n21 12 0 80\n40 0 0 56\n21 10 11 80\n21 0 10 2048\n48 0 0 23\n" +
		"21 0 8 6\n40 0 0 20\n69 6 0 8191\n177 0 0 14\n72 0 0 14\n21 2 0 80\n72 0 0 16\n21 0 1 80\n6 0 0 262144\n6 0 0 0\n"
	liveVLAN = "8,48 0 0 4294963248,21 4 0 1,40 0 0 12,21 2 0 33024,21 1 0 34984,21 0 1 37120,6 0 0 262144,6 0 0 0,"
)

// bytecode parses a program that is right.
func bytecode(t testing.TB, text string) Bytecode {
	t.Helper()
	b, err := ParseBytecode(text)
	if err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return b
}

func TestParseBytecode(t *testing.T) {
	long := func(n int) string { return fmt.Sprint(n) + strings.Repeat("\n6 0 0 1", n) }
	cases := []struct {
		name, text string
		wants      error
		says       string
	}{
		{"lines", tcpPort80, nil, ""},
		{"commas", strings.ReplaceAll(strings.TrimSpace(tcpPort80), "\n", ","), nil, ""},
		{"lines of Windows", strings.ReplaceAll(tcpPort80, "\n", "\r\n"), nil, ""},
		{"everything", "1\n6 0 0 262144", nil, ""},
		{"what the kernel knows", liveVLAN, nil, ""},
		{"the longest", long(4096), nil, ""},
		{"division", "3,52 0 0 7,6 0 0 1,6 0 0 0", nil, ""},
		{"a register returned", "4,2 0 0 15,96 0 0 15,22 0 0 0,6 0 0 0", ErrBytecode, "instruction 3: it returns a register"},

		{"empty", "", ErrNotBytecode, ""},
		{"blank", " \n ", ErrNotBytecode, ""},
		{"commas alone", ",,", ErrNotBytecode, ""},
		{"an expression", "not host 10.0.0.9", ErrNotBytecode, ""},
		{"tcpdump -d", "(000) ret #262144", ErrNotBytecode, ""},
		{"tcpdump -dd", "{ 0x6, 0, 0, 0x00040000 },", ErrNotBytecode, ""},
		{"negative", "1\n6 0 0 -1", ErrNotBytecode, ""},
		{"no count", "6 0 0 1", ErrBytecode, "begin with the number"},
		{"none", "0", ErrBytecode, "want 1 to 4096"},
		{"too many", long(4097), ErrBytecode, "4097"},
		{"cut off", "3\n40 0 0 12\n6 0 0 1", ErrBytecode, "has 2 instructions and says that they are 3"},
		{"more than said", "1\n6 0 0 1\n6 0 0 0", ErrBytecode, "has 2"},
		{"three numbers", "2\n40 0 0\n6 0 0 1", ErrBytecode, "instruction 1: 3 numbers, want 4"},
		{"a large jump", "2\n21 256 0 1\n6 0 0 1", ErrBytecode, "instruction 1: 256 is too large"},
		{"a large operand", "2\n40 0 0 4294967296\n6 0 0 1", ErrBytecode, "instruction 1: 4294967296"},
		{"unknown code", "2\n255 0 0 1\n6 0 0 1", ErrBytecode, "instruction 1: 255 is no known code"},
		{"jumps of a load", "2\n40 1 0 12\n6 0 0 1", ErrBytecode, "instruction 1"},
		{"jump behind the end", "3\n40 0 0 12\n21 0 1 1\n6 0 0 1", ErrBytecode, "instruction 2: it jumps behind the end"},
		{"always behind the end", "2\n5 0 0 1\n6 0 0 1", ErrBytecode, "instruction 1: it jumps behind the end"},
		{"loop", "2\n5 0 0 4294967295\n6 0 0 1", ErrBytecode, "instruction 1: it jumps back"},
		{"no return", "2\n6 0 0 1\n40 0 0 12", ErrBytecode, "instruction 2: the last one has to return"},
		{"division by zero", "2\n52 0 0 0\n6 0 0 1", ErrBytecode, "instruction 1: it divides by zero"},
		{"rest by zero", "2\n148 0 0 0\n6 0 0 1", ErrBytecode, "instruction 1: it divides by zero"},
		{"a wide shift", "2\n100 0 0 32\n6 0 0 1", ErrBytecode, "instruction 1: it shifts"},
		{"no such scratch register", "2\n2 0 0 16\n6 0 0 1", ErrBytecode, "instruction 1"},
		{"scratch not stored", "2\n96 0 0 3\n6 0 0 1", ErrBytecode, "instruction 1: it loads what was not stored"},
		{"scratch stored on one way", "4\n21 0 1 1\n2 0 0 3\n96 0 0 3\n6 0 0 1", ErrBytecode, "instruction 3: it loads what was not stored"},
		{"unknown extension", "2\n32 0 0 4294963264\n6 0 0 1", ErrBytecode, "instruction 1: it loads what no kernel has"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, err := ParseBytecode(c.text)
			if !errors.Is(err, c.wants) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v that says %q", err, c.wants, c.says)
			}
			if (err == nil) != (len(b) > 0) {
				t.Errorf("%d instructions and %v", len(b), err)
			}
		})
	}
}

func TestParseFileBytecode(t *testing.T) {
	if _, err := ParseFileBytecode(tcpPort80); err != nil {
		t.Error(err)
	}
	_, err := ParseFileBytecode(liveVLAN)
	if !errors.Is(err, ErrBytecode) || !strings.Contains(err.Error(), "instruction 1: it loads what files do not have") {
		t.Errorf("vlan of an interface: %v", err)
	}
	if _, err := ParseFileBytecode("x"); !errors.Is(err, ErrNotBytecode) {
		t.Error(err)
	}
}

// expressions are filters as people write them.
var expressions = []string{
	"", "host 192.168.1.2", "src host 192.168.1.2", "dst 192.168.1.2", "not host 192.168.1.2",
	"host 192.168.1.2 or 192.168.1.1", "net 192.168.0.0/16", "src net 10.0.0.0 mask 255.0.0.0", "net 10",
	"not (net 10.0.0.0/8 and port 53)", "port 53", "tcp dst port 80", "src port 443", "portrange 1-1023", "udp portrange 5000-6000",
	"tcp", "udp", "icmp", "icmp6", "arp", "ip", "ip6", "sctp", "!tcp", "tcp && port 80", "tcp and not port 80", "not tcp and not udp",
	"(tcp port 80 or udp port 53) and net 192.168.0.0/16", "host fe80::1", "net fe80::/10", "ip6 and udp",
	"tcp[tcpflags] & tcp-syn != 0", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "udp[4:2] > 100", "ip[0] & 0xf != 5", "ip[8] < 64", "icmp[icmptype] == icmp-echo",
	"greater 1000", "less 100", "len / 3 % 2 = 1", "ip proto 17", "ip6 proto 58", "ip multicast",
}

// ethernetExpressions are those of Ethernet alone.
var ethernetExpressions = []string{
	"ether host ff:ff:ff:ff:ff:ff", "ether src 00:11:22:33:44:55", "ether broadcast", "ether multicast", "ether proto 0x88cc",
	"vlan", "vlan 100", "vlan and tcp", "mpls", "pppoes", "pppoes and tcp", "not vlan and not arp", "ether[0] & 1 = 0 and ip[16] >= 224",
}

// TestCapturesTcpdump counts what passes in real captures as tcpdump does.
func TestCapturesTcpdump(t *testing.T) {
	files := realCaptures(t)
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("needs tcpdump")
	}
	each := map[LinkType][2]int{} // captures, frames in them
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil || info.Size() > 150<<10 {
			continue
		}
		plain, link, ok := unpackOne(t, path)
		if !ok || each[link][0] == 5 {
			continue
		}
		all := expressions
		if link == LinkTypeEthernet {
			all = append(all[:len(all):len(all)], ethernetExpressions...)
		}
		frames := 0
		for _, expression := range all {
			out, err := exec.Command(tcpdump, "-ddd", "-r", plain, expression).Output()
			if err != nil {
				continue // not for this link type
			}
			b, err := ParseFileBytecode(string(out))
			if err != nil {
				t.Errorf("%s: %q: %v", filepath.Base(path), expression, err)
				continue
			}
			d, p, got := Decoder{Only: b}, Packet{}, 0
			frames = 0
			if err := eachFrame(plain, func(_ int, f *Frame) {
				frames++
				if d.Decode(f.Link, f.Time, f.Data, f.Wire, &p) != ReasonFiltered {
					got++
				}
			}); err != nil {
				t.Fatal(err)
			}
			written, err := exec.Command(tcpdump, "-r", plain, "-w", "-", expression).Output()
			if err != nil {
				t.Fatalf("tcpdump -r %s %q: %v", path, expression, err)
			}
			kept, err := readAll(bytes.NewReader(written))
			if err != nil || len(kept) != got {
				t.Errorf("%s: %q lets %d through, with tcpdump %d (%v)", filepath.Base(path), expression, got, len(kept), err)
			}
		}
		each[link] = [2]int{each[link][0] + 1, each[link][1] + frames}
	}
	t.Logf("captures and frames by link type: %v", each)
}

// unpackOne writes a capture as plain pcap for tcpdump. It reports whether the
// capture is undamaged and of one link type.
func unpackOne(t *testing.T, path string) (plain string, link LinkType, ok bool) {
	t.Helper()
	file := []byte(nil)
	ok = true
	err := eachFrame(path, func(n int, f *Frame) {
		if n == 1 {
			link = f.Link
			file = pcapFile(binary.LittleEndian, 0xa1b2c3d4, link)
		}
		ok = ok && f.Link == link
		file = append(file, pcapRecord(binary.LittleEndian, 0, uint32(len(f.Data)), uint32(f.Wire), string(f.Data))...)
	})
	if err != nil || file == nil {
		return "", 0, false
	}
	return writeFile(t, t.TempDir(), "plain.pcap", file), link, ok
}

// randomProgram makes a program that the parser takes, with all codes but the
// negation, which x/net/bpf does not run.
func randomProgram(rng *rand.Rand) Bytecode {
	codes := []uint16{
		0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x01, 0x80, 0xb1, 0x02, 0x03, 0x60, 0x61, 0x07, 0x87, 0x05,
		0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x6c, 0x7c, 0x9c, 0xac,
		0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d, 0x06, 0x06,
	}
	for {
		b := make(Bytecode, 2+rng.IntN(20))
		for i := range b {
			op := codes[rng.IntN(len(codes))]
			b[i] = bpf.RawInstruction{Op: op, K: uint32(rng.IntN(40))}
			switch op & 7 {
			case 5:
				if op != 0x05 {
					b[i].Jt, b[i].Jf = uint8(rng.IntN(5)), uint8(rng.IntN(5))
				}
				b[i].K %= 8
			case 2, 3:
				b[i].K %= 4
			case 6:
				b[i].K %= 2
			}
			if op == opLoadScratch || op == opLoadScratchX {
				b[i].K %= 4
			}
		}
		b[len(b)-1] = bpf.RawInstruction{Op: opReturn, K: 1}
		if parsed, err := ParseBytecode(b.text()); err == nil {
			return parsed
		}
	}
}

// text prints a program as tcpdump -ddd does.
func (b Bytecode) text() string {
	lines := []string{fmt.Sprint(len(b))}
	for _, r := range b {
		lines = append(lines, fmt.Sprint(r.Op, r.Jt, r.Jf, r.K))
	}
	return strings.Join(lines, "\n")
}

// TestMachine holds the machine to that of x/net/bpf, where that is right.
func TestMachine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 20_000 {
		b := randomProgram(rng)
		instructions, _ := bpf.Disassemble(b)
		vm, err := bpf.NewVM(instructions)
		if err != nil {
			t.Fatalf("%v:\n%s", err, b.text())
		}
		frame := make([]byte, rng.IntN(48))
		for i := range frame {
			frame[i] = byte(rng.IntN(8))
		}
		n, err := vm.Run(frame)
		if err != nil {
			t.Fatal(err)
		}
		got := b.accepts(frame, len(frame))
		if got != (n > 0) {
			t.Fatalf("%v on %x, want %d:\n%s", got, frame, n, b.text())
		}
		if got {
			accepted++
		}
	}
	if accepted < 2000 || accepted > 18_000 {
		t.Errorf("%d of 20000 accepted: the test tests little", accepted)
	}
}

func TestMachineNegates(t *testing.T) {
	b := bytecode(t, "5,48 0 0 0,132 0 0 0,21 0 1 4294967294,6 0 0 1,6 0 0 0")
	if !b.accepts([]byte{2}, 1) || b.accepts([]byte{3}, 1) {
		t.Error("-2 is not -2")
	}
}

func TestMachineSeesTheLengthOnTheWire(t *testing.T) {
	greater100 := bytecode(t, "4,128 0 0 0,53 0 1 100,6 0 0 262144,6 0 0 0")
	if !greater100.accepts(make([]byte, 60), 1500) || greater100.accepts(make([]byte, 60), 60) {
		t.Error("the captured length was taken for the one on the wire")
	}
}

// TestMachineOffsets loads from where no frame reaches; offsets wrap at 32 bits.
func TestMachineOffsets(t *testing.T) {
	for offset, want := range map[uint32]bool{0: true, 3: true, 4: false, 1<<31 - 1: false, 1 << 31: false, 1<<32 - 2: false, 1<<32 - 1: false} {
		for _, load := range []string{"48 0 0 0", "80 0 0 0"} {
			b := bytecode(t, "3,1 0 0 0,"+load+",6 0 0 1")
			if load[0] == '8' {
				b[0].K = offset
			} else {
				b[1].K = offset
			}
			if got := b.accepts(make([]byte, 4), 4); got != want {
				t.Errorf("%s at %d: %v", load, offset, got)
			}
		}
	}
	wraps := bytecode(t, "5,1 0 0 4294967295,80 0 0 3,21 0 1 7,6 0 0 1,6 0 0 0")
	if !wraps.accepts([]byte{0, 0, 7, 0}, 4) {
		t.Error("3 and -1 are not 2")
	}
}

// TestBoth holds the combination to its parts.
func TestBoth(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	programs := []Bytecode{bytecode(t, tcpPort80), bytecode(t, "1,6 0 0 9"), bytecode(t, "1,6 0 0 0")}
	for range 3000 {
		programs = append(programs, randomProgram(rng))
	}
	second := Filter(LinkTypeEthernet, 256)
	alone, err := bpf.NewVM(second)
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{tcpFrame(80, SYN, 0), tcpFrame(81, SYN, 0), tcpFrame(80, ACK, 100), tcpFrame(80, SYN, 0)[:30], nil}
	passed := 0
	for _, first := range programs {
		vm, err := bpf.NewVM(both(first, second))
		if err != nil {
			t.Fatalf("%v:\n%s", err, first.text())
		}
		for _, frame := range frames {
			want := 0
			if first.accepts(frame, len(frame)) {
				want, _ = alone.Run(frame)
			}
			got, err := vm.Run(frame)
			if err != nil || got != want {
				t.Fatalf("%d, want %d, %v:\n%s", got, want, err, first.text())
			}
			passed += min(got, 1)
		}
	}
	if passed < 500 {
		t.Errorf("%d passed: the test tests little", passed)
	}
	if got := both(nil, second); len(got) != len(second) {
		t.Errorf("without a first program %d instructions, want %d", len(got), len(second))
	}
}

func TestFilteredDecodingAllocates(t *testing.T) {
	d := Decoder{Only: bytecode(t, tcpPort80)}
	var p Packet
	for port, want := range map[uint16]Reason{80: ReasonOK, 81: ReasonFiltered} {
		frame := tcpFrame(port, SYN, 0)
		if n := testing.AllocsPerRun(100, func() { d.Decode(LinkTypeEthernet, 1, frame, len(frame), &p) }); n != 0 {
			t.Errorf("port %d: %v allocations", port, n)
		}
		if got := d.Decode(LinkTypeEthernet, 1, frame, len(frame), &p); got != want || (got != ReasonOK) != (p.Proto == ProtoNone) {
			t.Errorf("port %d: %v, want %v; %+v", port, got, want, p)
		}
	}
}

// FuzzBytecode parses anything. What is taken can be attached, which only Linux
// can tell, and runs on any frame.
func FuzzBytecode(f *testing.F) {
	for _, text := range []string{tcpPort80, liveVLAN, "1\n6 0 0 262144", "4,128 0 0 0,53 0 1 100,6 0 0 262144,6 0 0 0", "tcp", "", "2,5 0 0 0,6 0 0 1",
		"4,0 0 0 5,2 0 0 3,97 0 0 3,6 0 0 1", "3,177 0 0 14,72 0 0 4294967295,6 0 0 1"} {
		f.Add(text, []byte("a frame"))
	}
	try := attacher(f)
	f.Fuzz(func(t *testing.T, text string, frame []byte) {
		b, err := ParseBytecode(text)
		if err != nil {
			if b != nil || !errors.Is(err, ErrBytecode) && !errors.Is(err, ErrNotBytecode) {
				t.Errorf("%v with %v", b, err)
			}
			return
		}
		if again, err := ParseBytecode(b.text()); err != nil || again.text() != b.text() {
			t.Errorf("parsed again: %v", err)
		}
		b.accepts(frame, len(frame)+1)
		if err := try(both(b, Filter(LinkTypeEthernet, 256))); err != nil {
			t.Errorf("the kernel: %v:\n%s", err, b.text())
		}
	})
}

func BenchmarkFilteredDecode(b *testing.B) {
	frame := tcpFrame(81, SYN, 0)
	d := Decoder{Only: bytecode(b, tcpPort80)}
	var p Packet
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(LinkTypeEthernet, 1, frame, len(frame), &p)
	}
}
