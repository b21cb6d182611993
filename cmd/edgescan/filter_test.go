package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// compile makes a filter for Ethernet of an expression.
func compile(t *testing.T, expression string) string {
	t.Helper()
	out, err := exec.Command("tcpdump", "-ddd", "-y", "EN10MB", expression).Output()
	if err != nil {
		t.Skipf("needs tcpdump: %v", err)
	}
	return strings.TrimSpace(string(out)) // as $( ) gives it
}

// TestFilterIsAsIfTheRestWereNotThere compares with a capture of what passes.
func TestFilterIsAsIfTheRestWereNotThere(t *testing.T) {
	whole := sampleBytes(t)
	plain := write(t, "whole.pcap", whole)
	for expression, want := range map[string]string{
		"not host 10.50.0.66": "10.50.0.67 10.50.0.68",
		"arp":                 "10.50.0.68",
		"not arp and not (host 10.50.0.67 and tcp port 23)": "10.50.0.66",
		"port 9": "",
	} {
		program := compile(t, expression)
		left := filepath.Join(t.TempDir(), "left.pcap")
		if out, err := exec.Command("tcpdump", "-r", plain, "-w", left, expression).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		alone := edgescan(t, nil, "run", "-r", left, "--json", "-")
		frames := number(t, alone.stderr, "packets")
		for name, r := range map[string]result{
			"one worker":     edgescan(t, nil, "run", "-r", plain, "--json", "-", "--filter", program, "--workers", "1"),
			"two workers":    edgescan(t, nil, "run", "-r", plain, "--json", "-", "--filter", program, "--workers", "2"),
			"standard input": edgescan(t, bytes.NewReader(whole), "run", "-r", "-", "--json", "-", "--filter", program),
			"with commas":    edgescan(t, nil, "run", "-r", sample, "--json", "-", "--filter", strings.ReplaceAll(program, "\n", ",")),
		} {
			if r.code != 0 || r.stdout != alone.stdout {
				t.Errorf("%q, %s: code %d, other lines than of what passes alone:\n%s\nwant\n%s", expression, name, r.code, r.stdout, alone.stdout)
			}
			if all, out := number(t, r.stderr, "packets"), number(t, r.stderr, "filtered_out"); all != "6256" || atoi(t, all)-atoi(t, out) != atoi(t, frames) {
				t.Errorf("%q, %s: %s packets, %s filtered out, want 6256, all but %s", expression, name, all, out, frames)
			}
			if strings.Contains(r.stderr, "filtered out\"") {
				t.Errorf("%q, %s: counted as not decoded too: %s", expression, name, r.stderr)
			}
		}
		if want != "" {
			if got := strings.Join(starts(t, alone.stdout), " "); got != want {
				t.Errorf("%q: named %s, want %s", expression, got, want)
			}
		}
		if strings.Contains(alone.stderr, "filtered_out") {
			t.Errorf("without a filter there is a count of it: %s", alone.stderr)
		}
	}
}

// number returns a count of the summary.
func number(t *testing.T, log, name string) string {
	t.Helper()
	found := regexp.MustCompile(`\b` + name + `=(\d+)`).FindStringSubmatch(log)
	if found == nil {
		t.Fatalf("no %s in %s", name, log)
	}
	return found[1]
}

func atoi(t *testing.T, digits string) (n int) {
	t.Helper()
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}

// TestFilterWhileFollowing stops a run of which nothing passes.
func TestFilterWhileFollowing(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a.pcap"), sampleBytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "run", "-r", folder, "--follow", "--json", "-", "--filter", "1,6 0 0 0")
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // three polls
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, cmd)
	if stdout.Len() > 0 || number(t, stderr.String(), "filtered_out") != "6256" {
		t.Errorf("%s%s", &stdout, &stderr)
	}
}

func TestFilterOfMap(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a.png")
	args := []string{"map", "-r", sample, "--src", "10.50.0.66", "-o", out}
	if r := edgescan(t, nil, args...); r.code != 0 {
		t.Fatal(r.stderr)
	}
	r := edgescan(t, nil, append(args, "--filter", compile(t, "not host 10.50.0.66"))...)
	if r.code != 1 || !strings.Contains(r.stderr, "10.50.0.66 touched nothing") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}

// TestFilterAsksForBytecode types what the error tells to type.
func TestFilterAsksForBytecode(t *testing.T) {
	compile(t, "")
	plain := write(t, "it's a $(file).pcap", sampleBytes(t))
	for _, c := range []struct{ file, expression, same string }{
		{sample, "not host 10.50.0.66", ""},
		{plain, "not host 10.50.0.66", ""},
		{plain, `(tcp port 80 or arp) and ! host 10.0.0.9 and tcp[13] != 2`, "(tcp port 80 or arp) and not host 10.0.0.9 and tcp[13] != 2"},
		{plain, "!!arp\n or \x1budp", "arp or udp"},
		{plain, "-1 < len", ""},
	} {
		r := edgescan(t, nil, "run", "-r", c.file, "--filter", c.expression)
		argument := regexp.MustCompile(`(?s)type\n    --filter (.*)\n$`).FindStringSubmatch(r.stderr)
		if r.code != 2 || argument == nil || strings.ContainsRune(argument[1], '\x1b') {
			t.Errorf("code %d: %q", r.code, r.stderr)
			continue
		}
		out, err := exec.Command("sh", "-c", "printf %s "+argument[1]).Output()
		if err != nil {
			t.Fatal(err)
		}
		same := c.same
		if same == "" {
			same = c.expression
		}
		want, err := exec.Command("tcpdump", "-ddd", "-y", "EN10MB", "--", same).Output()
		if err != nil {
			t.Fatal(err)
		}
		// They differ in how many bytes pass, which says nothing here.
		snaplen := regexp.MustCompile(`(?m)^6 0 0 [1-9].*$`)
		if got, want := snaplen.ReplaceAllString(string(out), ""), snaplen.ReplaceAllString(strings.TrimSpace(string(want)), ""); got != want {
			t.Errorf("%s\ngives\n%s\nwant\n%s", argument[1], got, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for _, word := range []string{"", "eth0", "-x", "a b", "it's", `"$HOME" \ $(id) ` + "`id`", "'", "!!", "~", "é", "a;b", "#c", "*"} {
		out, err := exec.Command("sh", "-c", "printf %s "+shellQuote(word)).Output()
		if err != nil {
			t.Skip(err)
		}
		if string(out) != word {
			t.Errorf("%q quoted is %s, which a shell takes for %q", word, shellQuote(word), out)
		}
	}
}

func TestFilterCompileFor(t *testing.T) {
	plain := write(t, "a.pcap", nil)
	for _, c := range []struct {
		interfaces, files []string
		want              string
	}{
		{[]string{"nosuch0"}, nil, "-i nosuch0"},
		{[]string{"lo", "eth0"}, nil, "-i lo"},
		{nil, []string{plain}, "-r " + plain},
		{nil, []string{"-"}, "-y EN10MB"},
		{nil, []string{sample}, "-y EN10MB"},
		{nil, []string{t.TempDir()}, "-y EN10MB"},
	} {
		if got := compileFor(c.interfaces, c.files); got != c.want {
			t.Errorf("%v %v: %s, want %s", c.interfaces, c.files, got, c.want)
		}
	}
}

func TestFilterParse(t *testing.T) {
	var f packetFilter
	if err := f.parse([]string{"eth0"}, nil); err != nil || f.program != nil {
		t.Errorf("not given: %v, %v", f.program, err)
	}
	live := "8,48 0 0 4294963248,21 4 0 1,40 0 0 12,21 2 0 33024,21 1 0 34984,21 0 1 37120,6 0 0 262144,6 0 0 0"
	f.Set(live)
	if err := f.parse([]string{"eth0"}, nil); err != nil || len(f.program) != 8 {
		t.Errorf("for an interface: %v, %v", f.program, err)
	}
	if err := f.parse(nil, []string{"a"}); err == nil {
		t.Error("a VLAN tag that files do not have is accepted for one")
	}
}
