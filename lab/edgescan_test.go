//go:build lab

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// build compiles edgescan into a folder that every user can read.
func build(t *testing.T) (binary string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "edgescan-lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "edgescan")
	cmd := exec.Command("go", "build", "-o", binary, "edgescan/cmd/edgescan")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// process is a running edgescan.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	json   string // path of its JSON file
	stderr lockedBuffer
}

// lockedBuffer may be read while a process writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// watch starts edgescan on the gateway's lan side and waits until it listens.
func watch(t *testing.T, gateway *host, binary string, args ...string) *process {
	t.Helper()
	json := filepath.Join(t.TempDir(), "eve.json")
	return start(t, gateway, binary, json, append([]string{"-i", lan, "--json", json}, args...)...)
}

// start starts edgescan with a command line of its own, which has it write to json,
// and waits until it listens.
func start(t *testing.T, gateway *host, binary, json string, args ...string) *process {
	t.Helper()
	p := &process{t: t, json: json}
	p.cmd = gateway.command(context.Background(), binary, append([]string{"run"}, args...)...)
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("edgescan said:\n%s", &p.stderr)
		}
	})
	waitFor(t, 10*time.Second, "edgescan to listen", func() bool {
		said := p.stderr.String()
		return strings.Contains(said, "watching interfaces=") || strings.Contains(said, "receiving flows address=")
	})
	return p
}

// stop sends a signal, waits for the end and returns the exit code.
func (p *process) stop(signal os.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Error("edgescan ended early:", err)
	}
	late := time.AfterFunc(10*time.Second, func() {
		p.t.Error("edgescan did not end within 10 s")
		p.cmd.Process.Kill()
	})
	defer late.Stop()
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// event is what the tests read of a line.
type event struct {
	Type string `json:"event_type"`
	Src  string `json:"src_ip"`
	Scan struct {
		ID        string
		State     string
		Kind      string
		Contacts  int
		Prefix    string `json:"src_prefix"`
		Sources   int
		Direction string
		Allowed   string
		Picture   string
		SrcIPs    []string `json:"src_ips"`
	}
}

// events reads the lines written so far; a last line without its end is left
// for later.
func (p *process) events() []event {
	p.t.Helper()
	file, err := os.ReadFile(p.json)
	if err != nil {
		return nil
	}
	var events []event
	lines := bytes.Split(file, []byte("\n"))
	for _, line := range lines[:len(lines)-1] {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			p.t.Errorf("%v in %q", err, line)
		}
		events = append(events, e)
	}
	return events
}

// starts returns the start lines of a source.
func (p *process) starts(src string) []event {
	p.t.Helper()
	var starts []event
	for _, e := range p.events() {
		if e.Src == src && e.Scan.State == "start" {
			starts = append(starts, e)
		}
	}
	return starts
}
