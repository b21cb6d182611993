package main

import (
	"encoding/json"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// ecsLine is what a user's script reads of a line of ECS.
type ecsLine struct {
	Timestamp time.Time `json:"@timestamp"`
	Message   string
	Event     struct {
		Kind, Action string
		Start, End   time.Time
		Duration     int64
	}
	Source   struct{ IP string }
	Edgescan struct {
		Scan    struct{ ID, State, Allowed string }
		Summary struct{ Started, Ongoing int } `json:"scan_summary"`
	}
}

// ecsLines reads them as strictly as they must be.
func ecsLines(t *testing.T, r result) []ecsLine {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	var lines []ecsLine
	for _, text := range strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n") {
		var l ecsLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v in %q", err, text)
		}
		if l.Timestamp.IsZero() || l.Event.End.Sub(l.Event.Start) != time.Duration(l.Event.Duration) || !strings.HasPrefix(l.Message, "scan ") {
			t.Errorf("time, duration or message of %s", text)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestECSOfTheSample has the same scans as EVE has, in the same order.
func TestECSOfTheSample(t *testing.T) {
	var sources, want []string
	for _, l := range ecsLines(t, edgescan(t, nil, "run", "-r", sample, "--json", "-", "--json-format", "ecs")) {
		if l.Event.Kind != "alert" || l.Event.Action != "scan-"+l.Edgescan.Scan.State || l.Edgescan.Scan.ID == "" {
			t.Errorf("%+v", l)
		}
		if l.Edgescan.Scan.State == "start" {
			sources = append(sources, l.Source.IP)
		}
	}
	if want = strings.Fields(wantSources); !slices.Equal(sources, want) {
		t.Errorf("named %v, want %v", sources, want)
	}
}

// TestECSOfAllowedAndFolded reads what is no alert of one scan.
func TestECSOfAllowedAndFolded(t *testing.T) {
	allowed := 0
	for _, l := range ecsLines(t, edgescan(t, nil, "run", "-r", sample, "--json", "-", "--json-format", "ecs", "--show-allowed", "--allow", `source=10.50.0.66 reason="the \"auditor\""`)) {
		if l.Edgescan.Scan.Allowed == `the "auditor"` && l.Event.Kind == "event" && l.Source.IP == "10.50.0.66" {
			allowed++
		}
	}
	if allowed != 2 {
		t.Errorf("%d lines of an allowed scan, want 2", allowed)
	}
	lines := ecsLines(t, edgescan(t, nil, "run", "-r", sample, "--json", "-", "--json-format", "ecs", "--fold", "1"))
	if last := lines[len(lines)-1]; last.Event.Action != "scan-summary" || last.Edgescan.Summary.Started != 2 {
		t.Errorf("the last line is %+v", last)
	}
}

// TestCEFOfTheSample takes the lines from a socket.
func TestCEFOfTheSample(t *testing.T) {
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	config := write(t, "a.yaml", []byte("syslog: udp://"+collector.LocalAddr().String()+"\nsyslog-format: cef\nsyslog-severity: [start=alert]\n"))
	r := edgescanWith(t, []string{"EDGESCAN_SYSLOG_HOSTNAME=router"}, "run", "--config", config, "-r", sample)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	packet := make([]byte, 4096)
	for range 3 { // the starts, in order
		if err := collector.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, _, err := collector.ReadFrom(packet)
		if err != nil {
			t.Fatal(err)
		}
		header, extensions, _ := strings.Cut(string(packet[:n]), "|9|")
		if !strings.HasPrefix(header, "<25>1 ") || !strings.Contains(header, " router edgescan ") || !strings.Contains(header, " scan - CEF:0|edgescan|edgescan|"+version+"|scan-") {
			t.Errorf("the header is %q", header)
		}
		if !strings.HasPrefix(extensions, "rt=") || !strings.Contains(extensions, " act=scan-start dvchost=router src=10.50.0.6") {
			t.Errorf("the extensions are %q", extensions)
		}
	}
}
