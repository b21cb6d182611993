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
	send(t, testSyslog(t, "unix://"+path, inMemory), vertical())
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
	sink := testSyslog(t, "unix://"+path, inMemory)
	for range 2 {
		send(t, sink, vertical())
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

// TestSyslogDaemonRestart loses nothing.
func TestSyslogDaemonRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	sink := testSyslog(t, "unix://"+path, inMemory)
	send(t, sink, vertical())
	for range 2 {
		conn := listenUnixgram(t, path)
		receive(t, conn)
		send(t, sink, vertical())
		receive(t, conn)
		waitDelivered(t, sink)
		conn.Close()
		send(t, sink, vertical())
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// TestSyslogStalledDaemon fills the socket of a daemon that does not read.
func TestSyslogStalledDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	conn := listenUnixgram(t, path)
	sink := testSyslog(t, "unix://"+path, inMemory)
	for i := range 2000 {
		send(t, sink, numbered(i))
	}
	for range 2000 {
		receive(t, conn)
	}
	waitDelivered(t, sink)
}

func TestSyslogUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sink := testSyslog(t, "udp://"+conn.LocalAddr().String(), inMemory)
	for _, e := range []detect.Event{vertical(), horizontal(), block(), arpSweep()} {
		send(t, sink, e)
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
	if *m.Facility != 3 || *m.Severity != severity || m.Timestamp.UnixNano() != e.Time {
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

// TestSyslogCEF finds the header as it is with text, no structured data, and a
// line of CEF.
func TestSyslogCEF(t *testing.T) {
	h := headerOfCEF(t)
	if got, want := string(appendRFC3164(nil, named(), h)), "<28>Nov 23 02:06:02 edgescan[42]: "+string(appendCEF(nil, named(), h)); got != want {
		t.Errorf("RFC 3164: %q, want %q", got, want)
	}
	line := appendRFC5424(nil, named(), h)
	parsed, err := rfc5424.NewParser().Parse(line)
	if err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	if m := parsed.(*rfc5424.SyslogMessage); m.StructuredData != nil || *m.MsgID != "scan" || *m.Message != string(appendCEF(nil, named(), h)) {
		t.Errorf("RFC 5424: %q", line)
	}
}

func TestHeader(t *testing.T) {
	h := NewHeader()
	for name, good := range map[string]bool{"text": true, "cef": true, "CEF": false, "": false, "leef": false} {
		if err := h.SetFormat(name); (err == nil) != good || err != nil && !errors.Is(err, ErrHeader) {
			t.Errorf("SetFormat(%q) = %v", name, err)
		}
	}
	if err := h.SetFormat("text"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.JSONFormat("cef"); !errors.Is(err, ErrHeader) {
		t.Errorf("JSONFormat(cef): %v", err)
	}
	for name, good := range map[string]bool{"router.example": true, "": false, "two words": false, "r\u00e4uter": false, "a\nb": false, strings.Repeat("a", 256): false} {
		if err := h.SetHost(name); (err == nil) != good || err != nil && !errors.Is(err, ErrHeader) {
			t.Errorf("SetHost(%q) = %v", name, err)
		}
	}
	for name, good := range map[string]bool{"scan-detector": true, "": false, "a:": false, "a[1]": false, strings.Repeat("a", 49): false} {
		if err := h.SetApp(name); (err == nil) != good || err != nil && !errors.Is(err, ErrHeader) {
			t.Errorf("SetApp(%q) = %v", name, err)
		}
	}
	for name, want := range map[string]int{"local7": 23, "kern": 0, "": -1, "13": -1} {
		if err := h.SetFacility(name); (err == nil) != (want >= 0) || want >= 0 && h.Facility != want {
			t.Errorf("SetFacility(%q) = %v", name, err)
		}
	}
	for _, test := range []struct {
		state, severity string
		good            bool
	}{{"start", "alert", true}, {"end", "debug", true}, {"begin", "debug", false}, {"start", "loud", false}} {
		if err := h.SetSeverity(test.state, test.severity); (err == nil) != test.good {
			t.Errorf("SetSeverity(%q, %q) = %v", test.state, test.severity, err)
		}
	}
	h.pid, h.Facility = 42, 0
	line := string(appendRFC5424(nil, vertical(), h))
	if want := "<1>1 2026-11-23T01:06:02.841483Z router.example scan-detector 42 scan [scan@32473 id="; !strings.HasPrefix(line, want) {
		t.Errorf("a line is %q, want %q first", line, want)
	}
}

// FuzzValue hands structured data and text any bytes: an independent parser
// must read one message of it, with the value as far as it is printable.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"", `a"b\\c]d`, `"] forged`, "two\nlines\x00", "\\", "\xff\u00e4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := appendValue([]byte("<28>1 - - - - - [x k="), s)
		line = appendText(append(line, "] "...), s)
		parsed, err := rfc5424.NewParser().Parse(line)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		m := parsed.(*rfc5424.SyslogMessage)
		want := strings.Map(func(r rune) rune { return rune(clean(byte(r))) }, latin1(s))
		if got := (*m.StructuredData)["x"]; len(*m.StructuredData) != 1 || len(got) != 1 || got["k"] != want {
			t.Errorf("%q is read as %q from %q", s, got, line)
		}
	})
}

// latin1 makes each byte a letter.
func latin1(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]Target{
		"":                        {"unix", "/dev/log"},
		"local":                   {"unix", "/dev/log"},
		"unix:///run/log":         {"unix", "/run/log"},
		"udp://127.0.0.1:514":     {"udp", "127.0.0.1:514"},
		"udp://[2001:db8::1]:514": {"udp", "[2001:db8::1]:514"},
		"udp://loghost:5514":      {"udp", "loghost:5514"},
		"tcp://loghost:514":       {"tcp", "loghost:514"},
		"tls://loghost:7000":      {"tls", "loghost:7000"},
		"tls://loghost":           {"tls", "loghost:6514"},
		"tls://[2001:db8::1]":     {"tls", "[2001:db8::1]:6514"},
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
		"loghost":              "use local, unix:///path, udp://host:port",
		"http://loghost:514":   "use local, unix:///path, udp://host:port",
		"tcp://loghost":        "tcp://host:port",
		"tls://":               "tls://host:port",
		"tls://2001:db8::1":    "in brackets",
		"unix://run/log":       "use local, unix:///path, udp://host:port",
		"unix://":              "use local, unix:///path, udp://host:port",
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
