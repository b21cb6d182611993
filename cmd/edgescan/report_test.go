package main

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
)

// crowdOfScanners is a capture of scanners in networks of their own, each of which
// tries ports of the same host that nobody answers.
func crowdOfScanners(t *testing.T, scanners, ports int) []byte {
	t.Helper()
	c := newRawCapture(t)
	for port := range ports {
		for i := range scanners {
			c.add(&layers.IPv4{Version: 4, TTL: 60, Protocol: layers.IPProtocolTCP, SrcIP: net.IPv4(198, 18, byte(i), 7), DstIP: net.IPv4(10, 60, 0, byte(port%5+i*5%250))},
				&layers.TCP{SrcPort: 40000, DstPort: layers.TCPPort(1 + (port*7919+i)%60000), SYN: true, Seq: 7})
		}
	}
	return c.file.Bytes()
}

// reportOf returns the page that report writes, and fails where it fails.
func reportOf(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "report.html")
	if r := edgescan(t, nil, append([]string{"report", "-o", out}, args...)...); r.code != 0 {
		t.Fatalf("%v: code %d: %s", args, r.code, r.stderr)
	}
	return string(must(os.ReadFile(out)))
}

func TestReportOfTheSample(t *testing.T) {
	page := reportOf(t, "-r", sample, "--others", "2")
	for _, want := range []string{
		"3 scans by 3 sources", "sample.pcap.gz, 2026-11-23", "10.50.0.66", "10.50.0.67", "10.50.0.68", "300 tcp ports of 10.60.0.5",
		"The busiest others", "threshold, TCP", "TRW by contacts, all protocols", "telnet 23", "<dd>6256</dd>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page, "<article"); n != 5 {
		t.Errorf("%d sources have pictures, want 3 that scan and 2 others", n)
	}
	if again := reportOf(t, "-r", sample, "--others", "2"); again != page {
		t.Error("the same capture gives another page")
	}
}

func TestReportOfHundredScannersIsSmall(t *testing.T) {
	page := reportOf(t, "-r", write(t, "crowd.pcap", crowdOfScanners(t, 100, 300)))
	if n := strings.Count(page, "scan end"); n != 100 {
		t.Errorf("%d scans, want 100", n)
	}
	if len(page) > 2_000_000 {
		t.Errorf("%d bytes", len(page))
	}
}

func TestReportOfWhatCanBeRead(t *testing.T) {
	whole := sampleBytes(t)
	cut := write(t, "cut.pcap", whole[:len(whole)/2+5])
	out := filepath.Join(t.TempDir(), "report.html")
	r := edgescan(t, nil, "report", "-r", cut, "-o", out)
	page := string(must(os.ReadFile(out)))
	if r.code != 1 || !strings.Contains(r.stderr, "cut.pcap") || !strings.Contains(page, `class="problem"`) || !strings.Contains(page, "10.50.0.66") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
	missing := filepath.Join(t.TempDir(), "none.html")
	r = edgescan(t, nil, "report", "-r", "/nosuch.pcap", "-o", missing)
	if _, err := os.Stat(missing); r.code != 1 || err == nil || !strings.Contains(r.stderr, "/nosuch.pcap") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}

// TestReportOfNothing: a capture without packets is no error, and says so.
func TestReportOfNothing(t *testing.T) {
	page := reportOf(t, "-r", write(t, "empty.pcap", sampleBytes(t)[:24]))
	if !strings.Contains(page, "No scan") || !strings.Contains(page, "<dt>Packets</dt><dd>0</dd>") {
		t.Errorf("the page says\n%s", page)
	}
}

func TestReportOfFlows(t *testing.T) {
	log := filepath.Join(t.TempDir(), "conn.log")
	if r := edgescan(t, nil, "synth", "--seed", "5", "--only", "syn", "--flows", "zeek", "-o", log); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if page := reportOf(t, "--flows", log); !strings.Contains(page, "Flow records") || !strings.Contains(page, "1 scan by 1 source") {
		t.Error("the page does not tell of the flows")
	}
}

func TestMapAtATime(t *testing.T) {
	dir := t.TempDir()
	draw := func(args ...string) (result, string) {
		out := filepath.Join(dir, "map.svg")
		r := edgescan(t, nil, append([]string{"map", "-r", sample, "-o", out}, args...)...)
		svg, _ := os.ReadFile(out)
		return r, string(svg)
	}
	for _, c := range []struct{ at, want string }{
		{"", "refused 292"},
		{"2026-11-23T07:19:01.1300Z", "refused 9<"},
		{"07:19:30", "refused 292"},
		{"+20s", "refused 292"},
	} {
		args := []string{"--src", "10.50.0.66"}
		if c.at != "" {
			args = append(args, "--at", c.at)
		}
		if r, svg := draw(args...); r.code != 0 || !strings.Contains(svg, c.want) {
			t.Errorf("at %q: code %d, no %q: %s", c.at, r.code, c.want, r.stderr)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--src", "10.50.0.66", "--at", "07:00:00"}, 2, "the capture begins later"},
		{[]string{"--src", "10.50.0.66", "--at", "noon"}, 2, "+90s"},
		{[]string{"--src", "10.50.0.66", "--at", "+1s"}, 1, "touched nothing up to then"},
		{[]string{"--at", "+1s"}, 2, "--src"},
	} {
		if r, _ := draw(c.args...); r.code != c.code || !strings.Contains(r.stderr, c.says) {
			t.Errorf("%v: code %d: %s", c.args, r.code, r.stderr)
		}
	}
}

func TestMapFormats(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"all.png", "all.svg", "one.png", "one.SVG"} {
		args := []string{"map", "-r", sample, "-o", filepath.Join(dir, name)}
		if strings.HasPrefix(name, "one") {
			args = append(args, "--src", "10.50.0.67")
		}
		if r := edgescan(t, nil, args...); r.code != 0 {
			t.Fatal(r.stderr)
		}
		data := must(os.ReadFile(filepath.Join(dir, name)))
		if _, err := png.Decode(bytes.NewReader(data)); (err == nil) != strings.HasSuffix(name, "png") {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasSuffix(strings.ToLower(name), "svg") && !bytes.HasPrefix(data, []byte("<svg")) {
			t.Errorf("%s is no SVG", name)
		}
	}
}

func TestExplain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "why.svg")
	r := edgescan(t, nil, "explain", "-r", sample, "--src", "10.50.0.67", "-o", out)
	for _, want := range []string{"horizontal", "log-odds of a scan", "tcp telnet 23", "threshold, TCP", "named it at 2026-11-23 07:19:08.132"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if r.code != 0 || !strings.Contains(string(must(os.ReadFile(out))), "against one") {
		t.Errorf("code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	early := edgescan(t, nil, "explain", "-r", sample, "--src", "10.50.0.67", "--at", "2026-11-23T07:19:08.130Z")
	if early.code != 0 || !strings.Contains(early.stdout, "did not name it") {
		t.Errorf("before it is named: code %d: %s%s", early.code, early.stdout, early.stderr)
	}
}

func TestSynthPictures(t *testing.T) {
	dir := t.TempDir()
	if r := edgescan(t, nil, "synth", "--pictures", dir, "--count", "20", "--seed", "3"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	rows, err := csv.NewReader(bytes.NewReader(must(os.ReadFile(filepath.Join(dir, "labels.csv"))))).ReadAll()
	if err != nil || len(rows) != 21 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	folders := map[string]int{}
	for _, row := range rows[1:] {
		folder, _, _ := strings.Cut(row[0], "/")
		if (folder == "benign") != (row[1] == "benign") {
			t.Errorf("%s is said to be %s", row[0], row[1])
		}
		folders[folder]++
		if _, err := png.Decode(bytes.NewReader(must(os.ReadFile(filepath.Join(dir, row[0]))))); err != nil {
			t.Errorf("%s: %v", row[0], err)
		}
	}
	if len(folders) != 2 {
		t.Errorf("folders %v", folders)
	}
}
