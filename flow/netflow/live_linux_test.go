package netflow

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"edgescan/capture"
	"edgescan/flow"
)

// tool returns the path of a program, or skips the test.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s", name)
	}
	return path
}

// unzipped returns a capture of the repository, uncompressed.
func unzipped(t testing.TB, name string) string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const sampleCapture = "../../testdata/sample.pcap.gz"

// loopback opens a Listener on a free port.
func loopback(t testing.TB) *Listener {
	t.Helper()
	l, err := listen(netip.MustParseAddrPort("127.0.0.1:0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// drain returns what has come to a Listener, once nothing more comes.
func drain(t testing.TB, l *Listener) (all []Datagram) {
	t.Helper()
	var d Datagram
	for {
		switch err := l.Next(&d); {
		case err == nil:
			d.Data = bytes.Clone(d.Data)
			all = append(all, d)
		case errors.Is(err, capture.ErrTimeout):
			return all
		default:
			t.Fatal(err)
		}
	}
}

// softflowd has it export a capture, and returns its datagrams and how many records
// it says it has exported.
func softflowd(t testing.TB, file string, args ...string) ([]Datagram, int) {
	t.Helper()
	program := tool(t, "softflowd")
	l := loopback(t)
	args = append([]string{"-r", file, "-n", l.Addr().String(), "-d", "-c", "none", "-p", filepath.Join(t.TempDir(), "pid")}, args...)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("softflowd: %v\n%s", err, out)
	}
	said := regexp.MustCompile(`Flows exported: \d+ \((\d+) records\) in (\d+) packets`).FindSubmatch(out)
	if said == nil {
		t.Fatalf("softflowd says\n%s", out)
	}
	records, _ := strconv.Atoi(string(said[1]))
	packets, _ := strconv.Atoi(string(said[2]))
	all := drain(t, l)
	if len(all) != packets {
		t.Fatalf("%d datagrams came, softflowd has sent %d", len(all), packets)
	}
	return all, records
}

// line is a record as nfdump's line is compared with it.
func line(r *flow.Record) string {
	src, dst := fmt.Sprint(r.SrcPort), fmt.Sprint(r.DstPort)
	if r.Proto == capture.ProtoICMP || r.Proto == capture.ProtoICMPv6 {
		src, dst = "0", fmt.Sprintf("%d.%d", r.Type, r.Code)
	}
	if r.Proto == capture.ProtoICMPv6 {
		dst = "-"
	}
	return fmt.Sprintf("%d %s %s %s %s %d %d %#x %d %d", r.Proto, r.Src.Netip(), src, r.Dst.Netip(), dst,
		r.Out.Packets, r.Out.Bytes, uint8(r.Out.Flags), r.Back.Packets, r.Back.Bytes)
}

// nfdumpLines sends datagrams to nfcapd, and returns the lines that nfdump makes of them.
func nfdumpLines(t testing.TB, all []Datagram) []string {
	t.Helper()
	capd, dump := tool(t, "nfcapd"), tool(t, "nfdump")
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	dir := t.TempDir()
	cmd := exec.Command(capd, "-w", dir, "-b", "127.0.0.1", "-p", strconv.Itoa(port), "-B", "4194304")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // it does not tell when its socket is open
	conn, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range all {
		if _, err := conn.Write(all[i].Data); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(500 * time.Millisecond)
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	out, err := exec.Command(dump, "-R", dir, "-q", "-N", "-6", "-o", "fmt:%pr|%sa|%sp|%da|%dp|%ipkt|%ibyt|%flg|%opkt|%obyt").CombinedOutput()
	if err != nil {
		t.Fatalf("nfdump: %v\n%s\n%s", err, out, &said)
	}
	var lines []string
	for text := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(text), "|")
		if len(f) != 10 {
			continue
		}
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		lines = append(lines, strings.Join(f, " "))
	}
	return lines
}

// flagBits turns nfdump's letters of flags, as in ...A..S., into their bits.
func flagBits(letters string) (bits int) {
	for i, c := range "CEUAPRSF" {
		if i < len(letters) && letters[i] == byte(c) {
			bits |= 1 << (7 - i)
		}
	}
	return bits
}

// comparableLine writes a line of nfdump as line does. Its flags of what is not TCP, and
// ports in place of an ICMP type, are left out.
func comparableLine(text string) (string, bool) {
	f := strings.Fields(text)
	flags := flagBits(f[7])
	switch f[0] {
	case "6":
	case "17", "1":
		flags = 0
	case "58":
		flags, f[4] = 0, "-" // nfdump knows no types of ICMPv6
	default:
		return "", false
	}
	return fmt.Sprintf("%s %s %s %s %s %s %s %#x %s %s", f[0], f[1], f[2], f[3], f[4], f[5], f[6], flags, f[8], f[9]), true
}

// softflowdKinds are the ways in which softflowd exports.
var softflowdKinds = [][]string{
	{"-v", "5"}, {"-v", "9"}, {"-v", "10"}, {"-v", "10", "-b"},
	{"-v", "9", "-A", "milli"}, {"-v", "10", "-A", "sec"}, {"-v", "10", "-A", "milli"}, {"-v", "10", "-A", "micro"}, {"-v", "10", "-A", "nano"},
	{"-v", "5", "-s", "10"}, {"-v", "9", "-s", "10"}, {"-v", "10", "-s", "10"},
}

// TestSoftflowd holds what is read of softflowd's datagrams against what it says
// that it has sent, and against what nfdump reads of the same.
func TestSoftflowd(t *testing.T) {
	file := unzipped(t, sampleCapture)
	for _, args := range softflowdKinds {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			all, said := softflowd(t, file, args...)
			records, _, stats := decode(t, all)
			biflow := args[len(args)-1] == "-b"
			if stats.Records+stats.Ignored != uint64(said) || stats.Lost+stats.Restarts+stats.NoTemplate+stats.Malformed != 0 {
				t.Errorf("softflowd says %d: %+v", said, stats)
			}
			var got, want []string
			for i := range records {
				r := records[i]
				if biflow {
					r = asSent(r)
				}
				if args[1] == "5" && r.Sampling > 1 { // nfdump multiplies
					r.Out.Packets *= r.Sampling
					r.Out.Bytes *= r.Sampling
				}
				got = append(got, line(&r))
			}
			for _, text := range nfdumpLines(t, all) {
				if l, ok := comparableLine(text); ok {
					want = append(want, l)
				}
			}
			if biflow { // nfdump gives one set of flags for both ways
				for _, list := range [][]string{got, want} {
					for i := range list {
						list[i] = anyFlags.ReplaceAllString(list[i], " 0x? ")
					}
				}
			}
			sort.Strings(got)
			sort.Strings(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("nfdump reads (-), here (+):\n%.3000s", diff)
			}
			wantRate := uint32(1)
			if args[len(args)-2] == "-s" {
				wantRate = 10
			}
			for i := range records {
				if got := max(1, records[i].Sampling); got != wantRate {
					t.Fatalf("sampled 1 in %d, want %d", got, wantRate)
				}
			}
		})
	}
}

var anyFlags = regexp.MustCompile(` 0x[0-9a-f]+ `)

// ends names one way of a connection.
type ends struct {
	src, dst         capture.Addr
	srcPort, dstPort uint16
}

// seen is what packets tell of it.
type seen struct {
	first int64
	flags capture.Flags
}

// seenIn returns what the TCP packets of a capture tell of each way.
func seenIn(t *testing.T, file string) map[ends]seen {
	t.Helper()
	src, err := capture.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	all := map[ends]seen{}
	var decoder capture.Decoder
	var frame capture.Frame
	var p capture.Packet
	for src.Next(&frame) == nil {
		if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &p) != capture.ReasonOK || p.Proto != capture.ProtoTCP {
			continue
		}
		k := ends{p.Src, p.Dst, p.SrcPort, p.DstPort}
		s, ok := all[k]
		if !ok {
			s.first = p.Time
		}
		s.flags |= p.Flags
		all[k] = s
	}
	return all
}

// TestSoftflowdAgainstPackets holds flags and beginnings of flows against the
// packets that softflowd has seen. With -a its clock is that of the capture, years
// from ours.
func TestSoftflowdAgainstPackets(t *testing.T) {
	file := unzipped(t, sampleCapture)
	packets := seenIn(t, file)
	for _, args := range softflowdKinds {
		args := append([]string{"-a"}, args...)
		if args[len(args)-2] == "-s" {
			continue
		}
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			all, _ := softflowd(t, file, args...)
			// They come all at once, and so must be told of.
			for i := range all {
				all[i].Time = testTime
			}
			records, _, _ := decode(t, append(all, all...))
			records = records[len(records)/2:] // IPFIX tells in whole seconds when it was sent: at first its clock is not known better
			compared := 0
			least, most := int64(math.MaxInt64), int64(math.MinInt64)
			for i := range records {
				r := &records[i]
				if r.Proto != capture.ProtoTCP {
					continue
				}
				k := ends{r.Src, r.Dst, r.SrcPort, r.DstPort}
				out, back := packets[k], packets[ends{k.dst, k.src, k.dstPort, k.srcPort}]
				if r.Out.Flags != out.flags || r.Facts.Has(flow.Both) && r.Back.Flags != back.flags {
					t.Errorf("%s: flags %#x and %#x, packets have %#x and %#x", line(r), r.Out.Flags, r.Back.Flags, out.flags, back.flags)
				}
				compared++
				first := out.first
				if out.first == 0 || back.first != 0 && back.first < first {
					first = back.first // softflowd tells for both ways when the first of either came
				}
				least, most = min(least, r.Start-first), max(most, r.Start-first)
			}
			exact := int64(5e6)
			if args[len(args)-1] == "sec" {
				exact += 1e9
			}
			if most-least > exact {
				t.Errorf("flows begin within %v of when packets say, want %v", time.Duration(most-least), time.Duration(exact))
			}
			if compared < 500 {
				t.Errorf("%d flows of TCP", compared)
			}
		})
	}
}

// asSent turns a biflow round, if its source has the higher address: softflowd
// sends it with the lower first.
func asSent(r flow.Record) flow.Record {
	if bytes.Compare(r.Src[:], r.Dst[:]) > 0 {
		r.Turn()
	}
	return r
}
