//go:build unix

package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// parseMetrics reads a page as Prometheus does.
func parseMetrics(t *testing.T, page []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, page)
	}
	return families
}

// get asks the program for a page.
func (f *follower) get(path string) (status int, body []byte) {
	f.t.Helper()
	address := regexp.MustCompile(`metrics and health address=(\S+)`).FindStringSubmatch(f.log.String())
	if address == nil {
		f.t.Fatal("does not say where its metrics are")
	}
	client := &http.Client{Timeout: 15 * time.Second}
	answer, err := client.Get("http://" + address[1] + path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		f.t.Fatal(err)
	}
	return answer.StatusCode, body
}

func TestMetricsOfARun(t *testing.T) {
	f := startFollower(t, "metrics: 127.0.0.1:0\n")
	if status, body := f.get("/healthz"); status != 200 || string(body) != "ok\n" {
		t.Errorf("health: %d, %q", status, body)
	}
	if status, _ := f.get("/"); status != 404 {
		t.Errorf("no page: %d", status)
	}
	values := func() map[string]float64 {
		_, page := f.get("/metrics")
		values := map[string]float64{}
		for name, family := range parseMetrics(t, page) {
			for _, m := range family.Metric {
				values[name] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
		return values
	}
	if v := values(); v["edgescan_incidents_total"] != 0 || v["edgescan_packets_total"] != 0 {
		t.Errorf("before a packet: %v", v)
	}
	f.capture("sample.pcap", sampleBytes(t))
	f.wait("three incidents", func() bool { return values()["edgescan_incidents_total"] == 3 })
	f.wait("all packets", func() bool {
		v := values()
		return v["edgescan_packets_total"]+v["edgescan_not_decoded_total"] == 6256
	})
	v := values()
	for _, name := range []string{"edgescan_contacts_total", "edgescan_sources_total", "edgescan_looks_total", "edgescan_memory_peak_bytes", "process_resident_memory_bytes"} {
		if v[name] <= 0 {
			t.Errorf("%s is %v", name, v[name])
		}
	}
	if v["edgescan_memory_limit_bytes"] != 32<<20 || v["edgescan_build_info"] != 1 || v["edgescan_alerts_failed_total"] != 0 || v["edgescan_alerts_total"] < 3 {
		t.Errorf("figures %v", v)
	}
	if start := time.Unix(int64(v["process_start_time_seconds"]), 0); time.Since(start) > time.Hour || time.Until(start) > time.Minute {
		t.Errorf("started at %v", start)
	}
	if status, _ := f.get("/healthz"); status != 200 {
		t.Errorf("health: %d", status)
	}
	f.end()
}

// manager is a service manager to the program.
type manager struct {
	t      *testing.T
	socket *net.UnixConn
	path   string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // the test's own may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return &manager{t, socket, path}
}

// hears waits for a message with a line, passing over others, and returns its
// lines.
func (m *manager) hears(line string) string {
	m.t.Helper()
	m.socket.SetReadDeadline(time.Now().Add(15 * time.Second))
	message := make([]byte, 4096)
	for {
		n, err := m.socket.Read(message)
		if err != nil {
			m.t.Fatalf("waited for %s: %v", line, err)
		}
		if lines := "\n" + string(message[:n]) + "\n"; strings.Contains(lines, "\n"+line+"\n") {
			return lines
		}
	}
}

func TestServiceManager(t *testing.T) {
	m := newManager(t)
	f := startFollower(t, "", "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=200000")
	m.hears("READY=1")
	for range 3 {
		if lines := m.hears("WATCHDOG=1"); !strings.Contains(lines, "\nSTATUS=0 packets, 0 drops, ") {
			t.Errorf("status %q", lines)
		}
	}
	f.hup("configuration read anew")
	if lines := m.hears("RELOADING=1"); !regexp.MustCompile(`\nMONOTONIC_USEC=[1-9][0-9]*\n`).MatchString(lines) {
		t.Errorf("reloads with %q", lines)
	}
	m.hears("READY=1")
	m.hears("WATCHDOG=1")
	f.set("memory: 1MiB\n") // which is refused, and done with just as well
	f.hup("configuration not changed")
	m.hears("RELOADING=1")
	m.hears("READY=1")
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.hears("STOPPING=1")
	expectEnd(t, f.cmd)
}

// TestWatchdogOfAnother is fed by whom it is meant for only.
func TestWatchdogOfAnother(t *testing.T) {
	m := newManager(t)
	f := startFollower(t, "", "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=200000", "WATCHDOG_PID=1")
	m.hears("READY=1")
	f.end()
	m.socket.SetReadDeadline(time.Now().Add(15 * time.Second))
	message := make([]byte, 4096)
	for {
		n, err := m.socket.Read(message)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(message[:n]), "WATCHDOG=1") {
			t.Errorf("told %q", message[:n])
		}
		if string(message[:n]) == "STOPPING=1" {
			return
		}
	}
}

func TestNoServiceManager(t *testing.T) {
	for name, path := range map[string]string{
		"a relative path": "run/notify",
		"no socket":       filepath.Join(t.TempDir(), "nowhere"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NOTIFY_SOCKET", path)
			if r := edgescan(t, nil, "run", "-r", sample); r.code != 1 || !strings.Contains(r.stderr, filepath.Base(path)) {
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			}
		})
	}
}

// TestPulseThatStops tells a loop that does not turn from ones that do.
func TestPulseThatStops(t *testing.T) {
	var p pulse
	if err := p.check(t.Context(), 0); err == nil {
		t.Error("well without a loop")
	}
	turns, hangs := p.loop("eth0"), p.loop("eth1")
	done := make(chan struct{})
	defer close(done)
	turn := func(l *loop) {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				l.turn()
			}
		}
	}
	go turn(turns)
	if err := p.check(t.Context(), 300*time.Millisecond); err == nil || !strings.Contains(err.Error(), "eth1") || strings.Contains(err.Error(), "eth0") {
		t.Errorf("a loop hangs: %v", err)
	}
	go turn(hangs)
	if err := p.check(t.Context(), 15*time.Second); err != nil {
		t.Errorf("all turn: %v", err)
	}
}

func TestMonitorPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := edgescan(t, nil, "run", "-r", t.TempDir(), "--follow", "--metrics", l.Addr().String())
	if r.code != 1 || !strings.Contains(r.stderr, "--metrics "+l.Addr().String()) {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
}
