//go:build lab

package lab

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabFlows has a real softflowd tell a confined edgescan what it sees of a real
// nmap: a SYN scan, and a sweep of a port.
func TestLabFlows(t *testing.T) {
	needRoot(t, "nmap", "softflowd")
	n := newNetwork(t)
	serve(n.join(wan, "server", serverNumbers()...))
	scanner, sweeper := n.join(lan, "scanner", firstScanner), n.join(lan, "sweeper", firstScanner+1)
	json := filepath.Join(t.TempDir(), "eve.json")
	edgescan := start(t, n.gateway, build(t), json, "--listen", "udp://127.0.0.1:2055", "--exporter", "127.0.0.1", "--json", json)
	checkConfined(t, edgescan, `[1-9]\d*`)
	exporter := n.gateway.command(context.Background(), "softflowd", "-d", "-i", lan, "-v", "9", "-n", "127.0.0.1:2055",
		"-t", "expint=1", "-t", "general=5", "-t", "tcp=5", "-t", "tcp.rst=2", "-t", "tcp.fin=2", "-t", "udp=5", "-c", "none", "-p", filepath.Join(t.TempDir(), "pid"))
	if err := exporter.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		exporter.Process.Signal(syscall.SIGTERM)
		exporter.Wait()
	}()
	time.Sleep(time.Second) // it does not say when it listens
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	nmap(ctx, t, scanner, "-sS", "-Pn", "--top-ports", "100", "10.60.0.5")
	nmap(ctx, t, sweeper, "-sS", "-Pn", "-n", "-p", "23", "10.60.0.0/26")
	stream(ctx, t, n.join(lan, "phone", firstClient))
	waitFor(t, 60*time.Second, "both scans", func() bool {
		file, _ := os.ReadFile(json)
		found := map[string]string{}
		for line := range strings.Lines(string(file)) {
			for src, kind := range map[string]string{scanner.addr: "vertical", sweeper.addr: "horizontal"} {
				if strings.Contains(line, `"src_ip":"`+src+`"`) && strings.Contains(line, `"state":"start"`) && strings.Contains(line, `"kind":"`+kind+`"`) {
					found[src] = kind
				}
			}
		}
		return len(found) == 2
	})
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	for _, e := range edgescan.events() {
		if e.Src != scanner.addr && e.Src != sweeper.addr {
			t.Errorf("names %s as well", e.Src)
		}
	}
	if said := edgescan.stderr.String(); !strings.Contains(said, "flows come exporter=127.0.0.1") || !strings.Contains(said, " lost=0 ") || !strings.Contains(said, " drops=0 ") {
		t.Errorf("not all flows came")
	}
}

// stream sends datagrams through the gateway until ctx ends or the test does:
// softflowd sees packets when so many have come that the kernel's block is full.
func stream(ctx context.Context, t *testing.T, from *host) {
	conn, err := from.dial(ctx, "udp", "10.60.0.5:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for ctx.Err() == nil {
			if _, err := conn.Write(make([]byte, 400)); errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(500 * time.Microsecond)
		}
	}()
}
