//go:build lab

package lab

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/sample.pcap.gz and its labels anew")

// sampleScans are the scanners of the sample, by host number on the lan.
var sampleScans = []struct {
	kind   string
	number int
	after  time.Duration
	args   []string
	note   string
}{
	{"vertical", 66, 5 * time.Second, []string{"-sS", "-Pn", "--top-ports", "300", "10.60.0.5"}, "SYN scan of 300 ports of one host"},
	{"horizontal", 67, 12 * time.Second, []string{"-sS", "-Pn", "-p", "23", "--max-retries", "1", "10.60.0.0/26"}, "sweep of 64 hosts for port 23"},
	{"horizontal", 68, 20 * time.Second, []string{"-sn", "10.50.0.0/24"}, "ARP sweep of its own network"},
}

// sampleTime is how long the sample lasts.
const sampleTime = 40 * time.Second

// TestMakeSample records the capture that the repository ships.
func TestMakeSample(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	needRoot(t, "nmap", "tcpdump")
	n := newNetwork(t)
	server := n.join(wan, "server", serverNumbers()...)
	serve(server)
	scanners := make([]*host, len(sampleScans))
	for i, s := range sampleScans {
		scanners[i] = n.join(lan, fmt.Sprintf("scan%d", s.number), s.number)
	}
	file := filepath.Join(t.TempDir(), "sample.pcap")
	stopCapture := record(t, n.gateway, file)
	ctx, cancel := context.WithTimeout(context.Background(), sampleTime)
	defer cancel()
	stopClients := startClients(ctx, n, server)
	for i, s := range sampleScans {
		time.AfterFunc(s.after, func() { nmap(ctx, t, scanners[i], s.args...) })
	}
	<-ctx.Done()
	stopClients()
	stopCapture()
	compress(t, file, "../testdata/sample.pcap.gz")
	writeLabels(t, scanners, "../testdata/sample.labels.csv")
}

// writeLabels writes a row per scanner; whoever has none is benign.
func writeLabels(t *testing.T, scanners []*host, file string) {
	t.Helper()
	rows := [][]string{{"file", "scanners", "kind", "tool", "note", "ignore"}}
	for i, s := range sampleScans {
		rows = append(rows, []string{"sample.pcap.gz", scanners[i].addr, s.kind, "nmap", s.note, ""})
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(csv.NewWriter(out).WriteAll(rows), out.Close()); err != nil {
		t.Error(err)
	}
}

// nmap runs a scan to its end and returns what it printed.
func nmap(ctx context.Context, t *testing.T, h *host, args ...string) string {
	t.Helper()
	out, err := h.command(ctx, "nmap", append([]string{"-n", "-T4"}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("nmap on %s: %v\n%s", h.name, err, out)
	}
	return string(out)
}

// record captures what passes the gateway's lan side until the function that
// it returns is called.
func record(t *testing.T, gateway *host, file string) (stop func()) {
	t.Helper()
	cmd := gateway.command(context.Background(), "tcpdump", "-i", lan, "-s", "96", "-Z", "root", "-w", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 10*time.Second, "tcpdump to listen", func() bool { return hasPacketSocket(cmd.Process.Pid) })
	return func() {
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Error("tcpdump:", err)
		}
	}
}

func compress(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(zip, in)
	if err := errors.Join(err, zip.Close(), out.Close()); err != nil {
		t.Error(err)
	}
}
