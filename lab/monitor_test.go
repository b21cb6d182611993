//go:build lab

package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const metricsAddress = "127.0.0.1:9469"

// page fetches a page of edgescan's from the gateway.
func page(t *testing.T, gateway *host, path string) string {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return gateway.dial(ctx, network, address)
		},
	}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + metricsAddress + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("%s: %v, %d, %s", path, err, answer.StatusCode, body)
	}
	return string(body)
}

// metric returns the sum of a metric's samples.
func metric(page, name string) (sum float64) {
	for _, found := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)$`).FindAllStringSubmatch(page, -1) {
		value, _ := strconv.ParseFloat(found[1], 64)
		sum += value
	}
	return sum
}

// TestLabMonitor scrapes a confined edgescan while a real nmap scans, and takes its
// alerts by a Unix socket whose other end comes late, and their pictures.
func TestLabMonitor(t *testing.T) {
	needRoot(t, "nmap")
	n := newNetwork(t)
	serve(n.join(wan, "server", serverNumbers()...))
	scanner := n.join(lan, "scanner", firstScanner)
	socket, pictures := filepath.Join(publicFolder(t), "alerts"), publicFolder(t)
	edgescan := start(t, n.gateway, build(t), "", "-i", lan, "--user", fmt.Sprint(ordinary), "--metrics", metricsAddress, "--json", "unix://"+socket, "--picture-dir", pictures)
	checkConfined(t, edgescan, fmt.Sprint(ordinary))
	if health := page(t, n.gateway, "/healthz"); health != "ok\n" {
		t.Errorf("health %q", health)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	nmap(ctx, t, scanner, "-sS", "-Pn", "--top-ports", "100", "10.60.0.5")
	waitFor(t, 20*time.Second, "the scan in the metrics, and its alert in the queue", func() bool {
		p := page(t, n.gateway, "/metrics")
		return metric(p, "edgescan_incidents_total") == 1 && metric(p, "edgescan_alerts_waiting") == 1
	})
	lines := receive(t, socket)
	waitFor(t, 60*time.Second, "the alert's delivery", func() bool { return metric(page(t, n.gateway, "/metrics"), "edgescan_alerts_waiting") == 0 })
	select {
	case line := <-lines:
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Src != scanner.addr || e.Scan.State != "start" {
			t.Errorf("%v in %q", err, line)
		}
		if f, err := os.Open(e.Scan.Picture); err != nil {
			t.Errorf("the picture that the alert names: %v", err)
		} else if _, err := png.Decode(f); err != nil || filepath.Dir(e.Scan.Picture) != pictures {
			t.Errorf("%s: %v", e.Scan.Picture, err)
		}
	case <-time.After(10 * time.Second):
		t.Error("no alert came by the socket")
	}
	var p string
	waitFor(t, 20*time.Second, "the scan's packets in the metrics", func() bool { // an interface's figures are as of the latest second
		p = page(t, n.gateway, "/metrics")
		return metric(p, "edgescan_interface_packets_total") >= 200
	})
	if metric(p, "edgescan_interface_drops_total") != 0 || metric(p, "edgescan_alerts_undelivered_total") != 0 {
		t.Errorf("figures:\n%s", p)
	}
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

// receive takes what comes to a socket, line by line.
func receive(t *testing.T, path string) <-chan string {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for s := bufio.NewScanner(conn); s.Scan(); {
					lines <- s.Text()
				}
			}()
		}
	}()
	return lines
}

// TestLabReloadUnderLoad reads the configuration anew all the time, every third
// time a broken one, while hosts scan and others use the network: no packet is
// lost, and each scan is one incident.
func TestLabReloadUnderLoad(t *testing.T) {
	needRoot(t, "nmap")
	binary := build(t)
	n := newNetwork(t)
	server := n.join(wan, "server", serverNumbers()...)
	serve(server)
	var scanners []*host
	for i := range 4 {
		scanners = append(scanners, n.join(lan, fmt.Sprint("scanner", i), firstScanner+i))
	}
	alerts := filepath.Join(publicFolder(t), "eve.json")
	file := newConfigFile(t, alerts)
	p := start(t, n.gateway, binary, alerts, "--config", file.path)
	checkConfined(t, p, fmt.Sprint(ordinary))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stopClients := startClients(ctx, n, server)
	var reloads atomic.Int64
	reloading, stopReloads := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for reloading.Err() == nil {
			settings := "json: " + alerts + "\nallow: ['source=192.0.2." + fmt.Sprint(reloads.Load()%250) + " reason=\"a test\"']"
			if reloads.Load()%3 == 2 {
				settings = "json: [" // broken
			}
			file.write(settings)
			p.cmd.Process.Signal(syscall.SIGHUP)
			reloads.Add(1)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	for _, s := range scanners {
		nmap(ctx, t, s, "-sS", "-Pn", "-n", "--min-rate", "2000", "--max-rate", "2500", "-p", "1-5000", "10.60.0.5")
	}
	waitFor(t, 20*time.Second, "all scans", func() bool {
		for _, s := range scanners {
			if len(p.starts(s.addr)) == 0 {
				return false
			}
		}
		return true
	})
	waitFor(t, 20*time.Second, "reloads enough to show something", func() bool {
		said := p.stderr.String()
		return strings.Count(said, "configuration read anew") >= 20 && strings.Count(said, "configuration not changed") >= 10
	})
	stopReloads()
	<-ended
	stopClients()
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	said := p.stderr.String()
	t.Logf("%d reloads, %d of them made, %d refused", reloads.Load(), strings.Count(said, "configuration read anew"), strings.Count(said, "configuration not changed"))
	if !strings.Contains(said, " drops=0 ") || !strings.Contains(said, fmt.Sprintf(" incidents=%d ", len(scanners))) {
		t.Errorf("packets were lost, or scans are not one incident each")
	}
	told := map[string]int{}
	for _, e := range p.events() {
		told[e.Src]++
	}
	for _, s := range scanners {
		if told[s.addr] < 2 || told[s.addr] > 3 {
			t.Errorf("%d lines about %s, want start and end, and at most one between", told[s.addr], s.addr)
		}
	}
	if len(told) != len(scanners) {
		t.Errorf("others are named too: %v", told)
	}
}
