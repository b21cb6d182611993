package alert

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgescan/internal/detect"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

var zone = time.FixedZone("test", 3600)

// testSyslog returns a sink whose output does not depend on the machine.
func testSyslog(t *testing.T, target string) *Syslog {
	t.Helper()
	parsed, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSyslog(parsed)
	s.host, s.pid, s.zone = "router", 42, zone
	return s
}

// wantLocal is vertical as a local daemon gets it.
const wantLocal = "<28>Nov 23 02:06:02 edgescan[42]: scan start 10.50.0.66 vertical: 12 tcp ports of 10.60.0.5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, 8081, ..., score 0.998"

func listenUnixgram(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func receive(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestSyslogLocalDatagram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	conn := listenUnixgram(t, path)
	if err := testSyslog(t, "unix://"+path).Alert(vertical()); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, conn); got != wantLocal {
		t.Errorf("got  %s\nwant %s", got, wantLocal)
	}
}

func TestSyslogLocalStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	sink := testSyslog(t, "unix://"+path)
	for range 2 {
		if err := sink.Alert(vertical()); err != nil {
			t.Fatal(err)
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil || string(got) != wantLocal+"\n" {
			t.Errorf("got %q, %v", got, err)
		}
		conn.Close()
	}
}

// TestSyslogDaemonRestart loses only the alert that nobody listened to.
func TestSyslogDaemonRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	sink := testSyslog(t, "unix://"+path)
	if err := sink.Alert(vertical()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket: %v, want %v", err, os.ErrNotExist)
	}
	for range 2 {
		conn := listenUnixgram(t, path)
		if err := sink.Alert(vertical()); err != nil {
			t.Errorf("daemon is there: %v", err)
		}
		receive(t, conn)
		conn.Close()
		if sink.Alert(vertical()) == nil {
			t.Error("daemon is gone: no error")
		}
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// TestSyslogStalledDaemon fills the socket of a daemon that does not read.
func TestSyslogStalledDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	conn := listenUnixgram(t, path)
	sink := testSyslog(t, "unix://"+path)
	start := time.Now()
	var err error
	for range 100_000 {
		if err = sink.Alert(vertical()); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("full socket: %v, want %v", err, os.ErrDeadlineExceeded)
	}
	if err := sink.Alert(vertical()); !errors.Is(err, ErrStalled) {
		t.Errorf("after that: %v, want %v", err, ErrStalled)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("held the caller up for %v", d)
	}
	for range 2 {
		receive(t, conn)
	}
	sink.stalled = time.Time{}
	if err := sink.Alert(vertical()); err != nil {
		t.Errorf("daemon reads again: %v", err)
	}
}

func TestSyslogUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sink := testSyslog(t, "udp://"+conn.LocalAddr().String())
	for _, e := range []detect.Event{vertical(), horizontal(), block(), arpSweep()} {
		if err := sink.Alert(e); err != nil {
			t.Fatal(err)
		}
		checkRFC5424(t, receive(t, conn.(net.Conn)), e)
	}
}

func checkRFC5424(t *testing.T, line string, e detect.Event) {
	t.Helper()
	parsed, err := rfc5424.NewParser().Parse([]byte(line))
	if err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	m := parsed.(*rfc5424.SyslogMessage)
	severity := uint8(notice)
	if e.State == detect.Start {
		severity = warning
	}
	if *m.Facility != facility || *m.Severity != severity || m.Timestamp.UnixNano() != e.Time {
		t.Errorf("facility %d, severity %d, time %v in %q", *m.Facility, *m.Severity, m.Timestamp, line)
	}
	if *m.Hostname != "router" || *m.Appname != "edgescan" || *m.ProcID != "42" || *m.MsgID != "scan" || *m.Message != message(e) {
		t.Errorf("header or text of %q", line)
	}
	data := (*m.StructuredData)[sdID]
	for name, want := range map[string]string{"id": idString(e.ID), "state": string(e.State), "kind": string(e.Kind), "src_ip": e.Source.Netip().String(), "top_ports": numberList(e.TopPorts)} {
		if data[name] != want {
			t.Errorf("%s is %q, want %q in %q", name, data[name], want, line)
		}
	}
	if len(data) != 18 {
		t.Errorf("%d parameters, want 18 in %q", len(data), line)
	}
}

func TestHeaderHost(t *testing.T) {
	for name, want := range map[string]string{"router.example": "router.example", "": "-", "two words": "-", "räuter": "-", "a\nb": "-", strings.Repeat("a", 256): "-"} {
		if got := headerHost(name); got != want {
			t.Errorf("headerHost(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]Target{
		"":                        {"unix", "/dev/log"},
		"local":                   {"unix", "/dev/log"},
		"unix:///run/log":         {"unix", "/run/log"},
		"udp://127.0.0.1:514":     {"udp", "127.0.0.1:514"},
		"udp://[2001:db8::1]:514": {"udp", "[2001:db8::1]:514"},
		"udp://loghost:5514":      {"udp", "loghost:5514"},
	} {
		got, err := ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %v, %v, want %v", in, got, err, want)
		}
		if again, err := ParseTarget(got.String()); err != nil || again != got {
			t.Errorf("ParseTarget(%q) = %v, %v, want %v", got, again, err, got)
		}
	}
}

func TestParseTargetErrors(t *testing.T) {
	for in, hint := range map[string]string{
		"loghost":              "use local, unix:///path or udp://host:port",
		"tcp://loghost:514":    "use local, unix:///path or udp://host:port",
		"unix://run/log":       "use local, unix:///path or udp://host:port",
		"unix://":              "use local, unix:///path or udp://host:port",
		"udp://loghost":        "udp://host:port",
		"udp://2001:db8::1":    "in brackets",
		"udp://:514":           "host is missing",
		"udp://loghost:0":      "port must be 1 to 65535",
		"udp://loghost:syslog": "port must be 1 to 65535",
		"udp://loghost:65536":  "port must be 1 to 65535",
	} {
		_, err := ParseTarget(in)
		if !errors.Is(err, ErrTarget) || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), in) {
			t.Errorf("ParseTarget(%q): %v, want a hint at %q", in, err, hint)
		}
	}
}
