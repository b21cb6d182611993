package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgescan/quant"
)

// asProgram makes the test binary behave as edgescan itself, so that tests run
// the real command line in a process of its own.
const asProgram = "EDGESCAN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const sample = "../../testdata/sample.pcap.gz"

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// edgescan runs the program to its end.
func edgescan(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	cmd.Stdin = stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// sampleBytes returns the bundled capture, unpacked.
func sampleBytes(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write makes a file in a temporary folder.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// starts returns the sources of the start lines among JSON lines.
func starts(t *testing.T, lines string) []string {
	t.Helper()
	var sources []string
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		var e struct {
			EventType string `json:"event_type"`
			SrcIP     string `json:"src_ip"`
			Scan      struct{ State string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.EventType != "scan" {
			t.Fatalf("line %q: %v", line, err)
		}
		if e.Scan.State == "start" {
			sources = append(sources, e.SrcIP)
		}
	}
	return sources
}

const wantSources = "10.50.0.66 10.50.0.67 10.50.0.68"

func TestRunFindsTheScansOfTheSample(t *testing.T) {
	plain := sampleBytes(t)
	for name, run := range map[string]func() result{
		"gzip":           func() result { return edgescan(t, nil, "run", "-r", sample, "--json", "-") },
		"plain":          func() result { return edgescan(t, nil, "run", "-r", write(t, "a.pcap", plain), "--json", "-") },
		"standard input": func() result { return edgescan(t, bytes.NewReader(plain), "run", "-r", "-", "--json", "-") },
	} {
		r := run()
		if r.code != 0 {
			t.Errorf("%s: exit code %d: %s", name, r.code, r.stderr)
		}
		if got := strings.Join(starts(t, r.stdout), " "); got != wantSources {
			t.Errorf("%s: named %s, want %s", name, got, wantSources)
		}
		for _, word := range []string{"packets=6256", "drops=0", "sources=", "incidents=3", "forgotten_sources=0", "forgotten_contacts=0", "incidents_cut_short=0", "peak_memory="} {
			if !strings.Contains(r.stderr, word) {
				t.Errorf("%s: summary without %s: %s", name, word, r.stderr)
			}
		}
	}
}

func TestRunIsReproducible(t *testing.T) {
	a := edgescan(t, nil, "run", "-r", sample, "--json", "-")
	b := edgescan(t, nil, "run", "-r", sample, "--json", "-")
	if a.stdout != b.stdout {
		t.Error("two runs over one file differ")
	}
}

func TestBadInput(t *testing.T) {
	plain := sampleBytes(t)
	model := must(os.ReadFile("../../quant/default.esq"))
	flipped := bytes.Clone(model)
	flipped[len(flipped)/2] ^= 1
	cases := []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"nothing to do", []string{"run"}, 2, []string{"-i", "-r"}},
		{"file and interface", []string{"run", "-i", "lo", "-r", sample}, 2, []string{"-i", "-r"}},
		{"unknown flag", []string{"run", "--speed", "9"}, 2, []string{"speed", "--help"}},
		{"unknown command", []string{"scan"}, 2, []string{"scan"}},
		{"stray argument", []string{"run", "-r", sample, "more"}, 2, []string{"more"}},
		{"missing file", []string{"run", "-r", "nowhere.pcap"}, 1, []string{"nowhere.pcap", "no such file"}},
		{"no capture", []string{"run", "-r", write(t, "a.txt", []byte("hello, this is a text file"))}, 1, []string{"a.txt", "not a capture"}},
		{"cut file", []string{"run", "-r", write(t, "cut.pcap", plain[:len(plain)-7])}, 1, []string{"cut.pcap", "incidents=3"}},
		{"cut header", []string{"run", "-r", write(t, "head.pcap", plain[:11])}, 1, []string{"head.pcap"}},
		{"empty file", []string{"run", "-r", write(t, "empty.pcap", nil)}, 1, []string{"empty.pcap"}},
		{"good file behind a bad one", []string{"run", "-r", "nowhere.pcap", "-r", sample}, 1, []string{"nowhere.pcap", "incidents=3"}},
		{"folder without captures", []string{"run", "-r", t.TempDir()}, 1, []string{"no capture file"}},
		{"bad files beside a good one", []string{"run", "-r", sample, "-r", write(t, "b.txt", []byte("a text")), "-r", write(t, "c.pcap", plain[:len(plain)-7])}, 1,
			[]string{"b.txt", "c.pcap", "incidents=3"}},
		{"standard input twice", []string{"run", "-r", "-", "-r", "-"}, 2, []string{"standard input"}},
		{"following a file", []string{"run", "-r", sample, "--follow"}, 2, []string{"--follow", "folder"}},
		{"following two folders", []string{"run", "-r", t.TempDir(), "-r", t.TempDir(), "--follow"}, 2, []string{"--follow", "one folder"}},
		{"following an interface", []string{"run", "-i", "lo", "--follow"}, 2, []string{"--follow"}},
		{"flows of no kind", []string{"synth", "-o", "x", "--flows", "syslog"}, 2, []string{"--flows", "syslog", "zeek"}},
		{"captures and flows", []string{"run", "-r", sample, "--flows", sample}, 2, []string{"--flows", "-r"}},
		{"no flow log", []string{"run", "--flows", write(t, "d.txt", []byte("hello\n"))}, 1, []string{"d.txt", "no flow log", "nfdump CSV"}},
		{"a missing flow log", []string{"run", "--flows", "nowhere.log"}, 1, []string{"nowhere.log", "no such file"}},
		{"a pattern of nothing", []string{"run", "--flows", "nowhere.*.log"}, 2, []string{"nowhere.*.log", "no file"}},
		{"a bad pattern", []string{"run", "--flows", "nowhere.[.log"}, 2, []string{"nowhere.[.log", "pattern"}},
		{"a folder of flow logs", []string{"run", "--flows", t.TempDir()}, 1, []string{"folder"}},
		{"following flows of standard input", []string{"run", "--flows", "-", "--follow"}, 2, []string{"--follow"}},
		{"following a compressed flow log", []string{"run", "--flows", sample, "--follow"}, 1, []string{"compressed"}},
		{"flows of standard input twice", []string{"run", "--flows", "-", "--flows", "-"}, 2, []string{"standard input"}},
		{"a filter for flows", []string{"run", "--flows", sample, "--filter", "1,6 0 0 0"}, 2, []string{"--filter", "packets"}},
		{"flows in too little memory", []string{"run", "--flows", sample, "--memory", "16MiB"}, 2, []string{"--memory", "at least"}},
		{"listening nowhere", []string{"run", "--listen", "127.0.0.1:2055"}, 2, []string{"--listen", "udp://127.0.0.1:2055"}},
		{"listening where nobody can", []string{"run", "--listen", "udp://192.0.2.1:2055"}, 1, []string{"192.0.2.1"}},
		{"exporters of nothing", []string{"run", "-r", sample, "--exporter", "10.0.0.1"}, 2, []string{"--exporter", "--listen"}},
		{"no exporter", []string{"run", "--listen", "udp://127.0.0.1:0", "--exporter", "router"}, 2, []string{"--listen"}},
		{"an exporter by name", []string{"run", "--listen", "udp://127.0.0.1:2055", "--exporter", "router"}, 2, []string{"--exporter", "router"}},
		{"metrics of a flow log", []string{"run", "--flows", sample, "--metrics", "127.0.0.1:9469"}, 2, []string{"--metrics", "--listen"}},
		{"missing model", []string{"run", "-r", sample, "--model", "nowhere.esq"}, 1, []string{"nowhere.esq"}},
		{"damaged model", []string{"run", "-r", sample, "--model", write(t, "bad.esq", flipped)}, 1, []string{"bad.esq", "checksum"}},
		{"cut model", []string{"run", "-r", sample, "--model", write(t, "cut.esq", model[:len(model)/2])}, 1, []string{"cut.esq"}},
		{"model for other maps", []string{"run", "-r", sample, "--model", write(t, "other.esq", mismatched(t))}, 1, []string{"another featurizer", "train it anew"}},
		{"no model", []string{"run", "-r", sample, "--model", sample}, 1, []string{"not an edgescan model"}},
		{"a user for files", []string{"run", "-r", sample, "--user", "nobody"}, 2, []string{"--user", "-i"}},
		{"no such user", []string{"run", "-i", "lo", "--user", "no-such-user"}, 2, []string{"--user", "no-such-user"}},
		{"too little memory", []string{"run", "-r", sample, "--memory", "1MiB"}, 2, []string{"--memory", "at least"}},
		{"too much memory", []string{"run", "-r", sample, "--memory", "1024GiB"}, 2, []string{"--memory", "at most"}},
		{"too small a ring", []string{"run", "-i", "lo", "-i", "nosuch0", "--ring", "64KiB"}, 2, []string{"--ring", "2 interfaces", "64 KiB"}},
		{"too small for its rings", []string{"run", "-i", "lo", "--ring", "128KiB", "--rings", "4"}, 2, []string{"--ring 128KiB", "1 interfaces of 4 rings", "64 KiB"}},
		{"no rings", []string{"run", "-i", "lo", "--rings", "0"}, 2, []string{"--rings 0", "1 to 16"}},
		{"too many rings", []string{"run", "-i", "lo", "--rings", "17"}, 2, []string{"--rings 17", "1 to 16"}},
		{"too large a ring", []string{"run", "-i", "lo", "--ring", "30MiB"}, 2, []string{"--ring 30MiB", "--memory 32MiB"}},
		{"an expression for a filter", []string{"run", "-i", "eth0", "--filter", "not host 10.0.0.9"}, 2, []string{`--filter "$(tcpdump -ddd -i eth0 'not host 10.0.0.9')"`}},
		{"an empty filter", []string{"run", "-r", sample, "--filter", ""}, 2, []string{"--filter", "tcpdump", "failed"}},
		{"a bad filter", []string{"run", "-r", sample, "--filter", "2,21 0 3 1,6 0 0 0"}, 2, []string{"--filter", "instruction 1", "behind the end"}},
		{"no workers", []string{"run", "-r", sample, "--workers", "0"}, 2, []string{"--workers", "at least 1"}},
		{"no size", []string{"run", "-r", sample, "--memory", "much"}, 2, []string{"memory", "32MiB"}},
		{"bad syslog target", []string{"run", "-r", sample, "--syslog", "http://127.0.0.1:1"}, 2, []string{"http://127.0.0.1:1"}},
		{"authorities that are not there", []string{"run", "-r", sample, "--syslog", "tls://127.0.0.1", "--syslog-ca", "/nosuch.pem"}, 2, []string{"/nosuch.pem", "--syslog-ca"}},
		{"authorities for nobody", []string{"run", "-r", sample, "--syslog-ca", "/nosuch.pem"}, 2, []string{"tls://"}},
		{"a target twice", []string{"run", "-r", sample, "--syslog", "local", "--syslog", "unix:///dev/log"}, 2, []string{"twice"}},
		{"a log to nobody's syslog", []string{"run", "-r", sample, "--log", "syslog"}, 2, []string{"--log", "--syslog"}},
		{"a log to nowhere", []string{"run", "-r", sample, "--log", "file"}, 2, []string{"--log", "stderr, syslog, both"}},
		{"no facility", []string{"run", "-r", sample, "--syslog", "local", "--syslog-facility", "local8"}, 2, []string{"local8", "local7"}},
		{"no severity", []string{"run", "-r", sample, "--syslog", "local", "--syslog-severity", "start=loud"}, 2, []string{"loud", "warning"}},
		{"a spool for nobody", []string{"run", "-r", sample, "--spool", "/nosuch"}, 2, []string{"--syslog"}},
		{"a small spool", []string{"run", "-r", sample, "--syslog", "local", "--spool", "/nosuch", "--spool-size", "1KiB"}, 2, []string{"136KiB"}},
		{"a spool in no folder", []string{"run", "-r", sample, "--syslog", "local", "--spool", "/nosuch/spool"}, 1, []string{"/nosuch/spool"}},
		{"a socket without a path", []string{"run", "-r", sample, "--json", "unix://eve"}, 2, []string{"unix:///PATH"}},
		{"JSON to nowhere", []string{"run", "-r", sample, "--json", "nowhere/eve.json"}, 1, []string{"nowhere/eve.json"}},
		{"no format of JSON", []string{"run", "-r", sample, "--json", "-", "--json-format", "cef"}, 2, []string{"--json-format", "cef", "eve, ecs"}},
		{"no format of syslog", []string{"run", "-r", sample, "--syslog", "local", "--syslog-format", "leef"}, 2, []string{"--syslog-format", "leef", "text, cef"}},
		{"metrics of files", []string{"run", "-r", sample, "--metrics", "127.0.0.1:0"}, 2, []string{"--metrics", "--follow"}},
		{"metrics without a port", []string{"run", "-r", t.TempDir(), "--follow", "--metrics", "127.0.0.1"}, 2, []string{"--metrics 127.0.0.1", "ADDRESS:PORT"}},
		{"metrics at no port", []string{"run", "-r", t.TempDir(), "--follow", "--metrics", "127.0.0.1:65536"}, 2, []string{"--metrics", "65536", "ADDRESS:PORT"}},
		{"metrics at a named port", []string{"run", "-i", "lo", "--metrics", ":http"}, 2, []string{"--metrics", "http", "ADDRESS:PORT"}},
		{"metrics at IPv6 without brackets", []string{"run", "-i", "lo", "--metrics", "::1:9469"}, 2, []string{"--metrics", "ADDRESS:PORT"}},
		{"metrics at another's address", []string{"run", "-r", t.TempDir(), "--follow", "--metrics", "192.0.2.1:9469"}, 1, []string{"--metrics 192.0.2.1:9469"}},
		{"pictures amid JSON", []string{"run", "-r", sample, "--json", "-", "--picture"}, 2, []string{"--picture", "--picture-dir"}},
		{"pictures of no kind", []string{"run", "-r", sample, "--picture=oil"}, 2, []string{"oil", "off, auto, unicode, ascii"}},
		{"pictures to nowhere", []string{"run", "-r", sample, "--picture-dir", "/nosuch/pictures"}, 1, []string{"--picture-dir", "/nosuch/pictures"}},
		{"too few pictures", []string{"run", "-r", sample, "--picture-keep", "0"}, 2, []string{"--picture-keep"}},
		{"no interface", []string{"run", "-i", "nosuch0"}, 1, []string{"nosuch0"}},
		{"train on captures as flows", []string{"train", "-o", "a.float", "--of", "flows", "--captures", t.TempDir()}, 2, []string{"--captures", "--of flows"}},
		{"train on nothing known", []string{"train", "-o", "a.float", "--of", "frames"}, 2, []string{"frames", "packets, flows"}},
		{"eval without captures", []string{"eval"}, 2, []string{"--captures"}},
		{"eval without labels", []string{"eval", "--captures", t.TempDir()}, 1, []string{"labels.csv"}},
		{"map without output", []string{"map", "-r", sample}, 2, []string{"-o"}},
		{"map of a stranger", []string{"map", "-r", sample, "--src", "203.0.113.9", "-o", filepath.Join(t.TempDir(), "a.png")}, 1, []string{"203.0.113.9"}},
		{"explain nobody", []string{"explain", "-r", sample}, 2, []string{"--src"}},
		{"explain a name", []string{"explain", "-r", sample, "--src", "printer"}, 2, []string{"--src", "printer"}},
		{"explain a stranger", []string{"explain", "-r", sample, "--src", "203.0.113.9"}, 1, []string{"203.0.113.9 touched nothing"}},
		{"report without output", []string{"report", "-r", sample}, 2, []string{"-o"}},
		{"report of too many others", []string{"report", "-r", sample, "-o", filepath.Join(t.TempDir(), "a.html"), "--others", "1000"}, 2, []string{"--others", "100"}},
		{"report of nothing", []string{"report", "-o", filepath.Join(t.TempDir(), "a.html")}, 2, []string{"-r"}},
		{"report to nowhere", []string{"report", "-r", sample, "-o", "/nosuch/a.html"}, 1, []string{"/nosuch/a.html"}},
		{"synth without output", []string{"synth"}, 2, []string{"-o"}},
		{"no pictures", []string{"synth", "--pictures", t.TempDir(), "--count", "0"}, 2, []string{"--count"}},
		{"unknown behaviour", []string{"synth", "--only", "dancing", "-o", filepath.Join(t.TempDir(), "a.pcap")}, 2, []string{"dancing"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := edgescan(t, nil, c.args...)
			if r.code != c.code {
				t.Errorf("exit code %d, want %d", r.code, c.code)
			}
			for _, word := range c.says {
				if !strings.Contains(r.stderr, word) {
					t.Errorf("does not say %q: %s", word, r.stderr)
				}
			}
			if strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "goroutine") {
				t.Errorf("panics: %s", r.stderr)
			}
		})
	}
}

// mismatched returns the built-in model, said to be trained on other maps.
func mismatched(t *testing.T) []byte {
	t.Helper()
	n, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	meta := n.Meta()
	meta.Featurizer = "maps of another kind"
	if n, err = n.WithMeta(meta); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := n.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestInterruptEndsWithASummary stops a run that waits for more input.
func TestInterruptEndsWithASummary(t *testing.T) {
	cmd := exec.Command(os.Args[0], "run", "-r", "-", "--json", "-")
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Write(sampleBytes(t)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // for the pipe to be read; nothing tells when
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if !strings.Contains(stderr.String(), "incidents=3") || len(starts(t, stdout.String())) != 3 {
		t.Errorf("summary %q", stderr.String())
	}
}

func TestSynthMapAndEvalWorkTogether(t *testing.T) {
	dir := t.TempDir()
	pcap := filepath.Join(dir, "scene.pcap")
	for _, args := range [][]string{
		{"synth", "-o", pcap, "--labels", filepath.Join(dir, "labels.csv"), "--seed", "5", "--only", "syn,crawler"},
		{"map", "-r", pcap, "-o", filepath.Join(dir, "all.png")},
		{"eval", "--captures", dir, "--model", "../../quant/default.esq"},
	} {
		if r := edgescan(t, nil, args...); r.code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, r.code, r.stderr)
		}
	}
	again := filepath.Join(dir, "again.pcap")
	edgescan(t, nil, "synth", "-o", again, "--seed", "5", "--only", "syn,crawler")
	if !bytes.Equal(must(os.ReadFile(pcap)), must(os.ReadFile(again))) {
		t.Error("the same seed gives other bytes")
	}
	if png := must(os.ReadFile(filepath.Join(dir, "all.png"))); !bytes.HasPrefix(png, []byte("\x89PNG")) {
		t.Error("no PNG")
	}
}

func TestModelInfo(t *testing.T) {
	for _, c := range []struct {
		args []string
		of   string
	}{{nil, "synthetic traffic\n"}, {[]string{"--flows"}, "synthetic traffic, as flows\n"}} {
		r := edgescan(t, nil, append([]string{"model", "info"}, c.args...)...)
		if r.code != 0 || !strings.Contains(r.stdout, "multiply-adds") || !strings.Contains(r.stdout, "threshold") || !strings.Contains(r.stdout, c.of) {
			t.Errorf("%v: exit code %d: %s", c.args, r.code, r.stdout)
		}
	}
}
