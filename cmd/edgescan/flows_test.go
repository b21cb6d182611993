//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgescan/internal/flowlog"
)

// firewallLog is what a firewall logs of one that asks so many ports of a host.
func firewallLog(src string, from, ports int) string {
	var b strings.Builder
	at := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	for port := from; port < from+ports; port++ {
		fmt.Fprintf(&b, "%s gw kernel: DROP: IN=eth0 OUT= SRC=%s DST=10.0.0.1 LEN=60 TTL=50 PROTO=TCP SPT=40000 DPT=%d WINDOW=1024 SYN\n",
			at.Add(time.Duration(port)*100*time.Millisecond).Format("2006-01-02T15:04:05.000Z"), src, port)
	}
	return b.String()
}

func compress(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRunReadsFlowLogs(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	log := firewallLog("198.51.100.7", 1, 60)
	whole := put("whole.log", []byte(log))
	zipped := put("whole.gz", compress(t, log))
	second, first := put("a.log", []byte(firewallLog("198.51.100.7", 31, 30))), put("b.log.gz", compress(t, firewallLog("198.51.100.7", 1, 30)))
	want := edgescan(t, nil, "run", "--flows", whole)
	if want.code != 0 || strings.Count(want.stdout, "scan start 198.51.100.7 vertical") != 1 || strings.Count(want.stdout, "60 tcp ports of 10.0.0.1") != 1 {
		t.Fatalf("code %d\n%s%s", want.code, want.stdout, want.stderr)
	}
	for _, figure := range []string{" flows=60 ", " malformed=0 ", " incidents=1 "} {
		if !strings.Contains(want.stderr, figure) {
			t.Errorf("no %s in %s", figure, want.stderr)
		}
	}
	for name, args := range map[string][]string{
		"compressed":   {"--flows", zipped},
		"pieces":       {"--flows", second, "--flows", first},
		"a pattern":    {"--flows", filepath.Join(dir, "[ab].log*")},
		"from a pipe":  {"--flows", "-"},
		"with a piece": {"--flows", first, "--flows", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdin io.Reader
			switch name {
			case "from a pipe":
				stdin = strings.NewReader(log)
			case "with a piece":
				stdin = strings.NewReader(firewallLog("198.51.100.7", 31, 30))
			}
			got := edgescan(t, stdin, append([]string{"run"}, args...)...)
			if got.code != 0 || got.stdout != want.stdout {
				t.Errorf("code %d\n%s%s, want\n%s", got.code, got.stdout, got.stderr, want.stdout)
			}
		})
	}
}

// TestRunReadsSyntheticFlows finds a scan in each kind of log that synth writes.
func TestRunReadsSyntheticFlows(t *testing.T) {
	dir := t.TempDir()
	for _, format := range flowlog.Names() {
		t.Run(format, func(t *testing.T) {
			log, labels := filepath.Join(dir, format+".log"), filepath.Join(dir, format+".csv")
			if r := edgescan(t, nil, "synth", "-o", log, "--flows", format, "--labels", labels, "--seed", "7"); r.code != 0 {
				t.Fatal(r.stderr)
			}
			r := edgescan(t, nil, "run", "--flows", log, "--json", "-")
			if r.code != 0 || !strings.Contains(r.stderr, " malformed=0 ") {
				t.Fatalf("code %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			named := starts(t, r.stdout)
			if len(named) == 0 {
				t.Errorf("nobody named\n%s", r.stderr)
			}
			for _, src := range named {
				if !bytes.Contains(must(os.ReadFile(labels)), []byte(".log,"+src+",")) {
					t.Errorf("%s named, which does not scan", src)
				}
			}
		})
	}
}

// TestRunReadsGoodFlowsBesideBad reads what can be read, and says what cannot.
func TestRunReadsGoodFlowsBesideBad(t *testing.T) {
	log := firewallLog("198.51.100.7", 1, 60)
	lines := strings.SplitAfter(log, "\n")
	lines[20] = "2026-11-25T06:00:02.100Z gw kernel: DROP: IN=eth0 OUT= SRC=198.51.100.7 DST=10.0.0.300 LEN=60 PROTO=TCP SPT=1 DPT=22 SYN\n"
	bad := write(t, "flows.log", []byte(strings.Join(lines, "")))
	cut := write(t, "cut.gz", compress(t, log)[:200])
	r := edgescan(t, nil, "run", "--flows", bad, "--flows", cut, "--flows", "nowhere.log")
	if r.code != 1 || strings.Count(r.stdout, "scan start") != 1 || !strings.Contains(r.stderr, " malformed=1 ") {
		t.Errorf("code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, name := range []string{"cut.gz", "nowhere.log"} {
		if !strings.Contains(r.stderr, name) {
			t.Errorf("nothing about %s in %s", name, r.stderr)
		}
	}
}

// TestFollowFlowLog writes a log while it is followed, and rotates it.
func TestFollowFlowLog(t *testing.T) {
	log, alerts := write(t, "fw.log", []byte(firewallLog("198.51.100.7", 1, 5))), filepath.Join(t.TempDir(), "eve.json")
	f := &follower{t: t}
	f.start("following", nil, "--flows", log, "--follow", "--json", alerts)
	time.Sleep(300 * time.Millisecond)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	// Records wait for the other half of their connection until the clock has moved on.
	text := firewallLog("198.51.100.7", 6, 40) + firewallLog("198.51.100.8", 400, 1)
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.wait("the alert", fileHas(alerts, `"src_ip":"198.51.100.7"`))
	f.end()
	if !strings.Contains(f.log.String(), " flows=46 ") {
		t.Error("not all was read")
	}
}

// datagrams returns those of a real exporter.
func datagrams(t *testing.T, name string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../flow/netflow/testdata", name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 2 {
		n := int(binary.BigEndian.Uint16(b))
		all = append(all, b[2:2+n])
		b = b[2+n:]
	}
	return all
}

// freeUDP returns a local address that nobody uses.
func freeUDP(t *testing.T) string {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.LocalAddr().String()
}

// TestListenForFlows sends what softflowd has exported of the sample, and garbage.
func TestListenForFlows(t *testing.T) {
	for name, test := range map[string]struct {
		exporter string
		says     []string
		finds    bool
	}{
		"anybody":    {"", []string{"flows come exporter=127.0.0.1", " malformed=1 "}, true},
		"the one":    {"127.0.0.0/8", []string{"flows come exporter=127.0.0.1", " malformed=1 "}, true},
		"who is not": {"192.0.2.1", []string{" refused=4 ", " flows=0 "}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, alerts := freeUDP(t), filepath.Join(t.TempDir(), "eve.json")
			args := []string{"--listen", "udp://" + address, "--json", alerts}
			if test.exporter != "" {
				args = append(args, "--exporter", test.exporter)
			}
			f := &follower{t: t}
			f.start("receiving flows", nil, args...)
			conn, err := net.Dial("udp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			all := append([][]byte{[]byte("\x00\x09garbage")}, datagrams(t, "softflowd-9")...)
			for _, b := range all {
				if _, err := conn.Write(b); err != nil {
					t.Fatal(err)
				}
			}
			if test.finds {
				f.wait("the alerts", fileHas(alerts, `"src_ip":"10.50.0.66"`))
			} else {
				time.Sleep(500 * time.Millisecond)
			}
			f.end()
			for _, want := range test.says {
				if !strings.Contains(f.log.String(), want) {
					t.Errorf("does not say %q", want)
				}
			}
		})
	}
}

// TestSampledFlows says that outcomes cannot be known.
func TestSampledFlows(t *testing.T) {
	address := freeUDP(t)
	f := &follower{t: t}
	f.start("receiving flows", nil, "--listen", "udp://"+address)
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, b := range datagrams(t, "softflowd-9-sampled") {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	f.wait("the warning", func() bool {
		return strings.Contains(f.log.String(), "cannot be known") && strings.Contains(f.log.String(), "one_packet_in=10")
	})
	f.end()
}
