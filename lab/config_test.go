//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabReload changes the configuration of an edgescan that has given up its
// privileges, while a host scans: with a right file, a broken one, one that it may
// not read, and none. The scan stays one incident.
func TestLabReload(t *testing.T) {
	needRoot(t, "nmap", "rsyslogd")
	binary := build(t)
	n := newNetwork(t)
	n.join(wan, "server", 5)
	scanner := n.join(lan, "scanner", firstScanner)
	other := n.join(lan, "other", firstScanner+1)
	logs := t.TempDir()
	runRsyslog(t, n.gateway, logs, filepath.Join(t.TempDir(), "log"))
	public := publicFolder(t)
	first, second := filepath.Join(public, "1.json"), filepath.Join(public, "2.json")
	file := newConfigFile(t, first)
	p := start(t, n.gateway, binary, first, "--config", file.path)
	checkConfined(t, p, fmt.Sprint(ordinary))

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	slow := scanner.command(ctx, "nmap", "-n", "-sS", "-Pn", "--max-rate", "20", "-p", "1-60000", "10.60.0.5")
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	defer slow.Wait()
	defer cancel()
	waitFor(t, 20*time.Second, "the scan's start", func() bool { return len(p.starts(scanner.addr)) > 0 })
	id := p.starts(scanner.addr)[0].Scan.ID

	file.hup(p, "memroy: 1MiB\njson: "+second, "memroy")
	file.remove()
	file.hup(p, "", "no such file")
	file.mode = 0o600
	file.hup(p, "json: "+second, "must be able to read the file")
	file.mode = 0o644
	file.hup(p, "json: /root/a.json\npromiscuous: true", `need_a_restart=["json","promiscuous"]`)
	file.hup(p, fmt.Sprintf("json: %s\nsyslog: udp://127.0.0.1:%d", second, syslogPort), `changed=["json","syslog"]`)
	for _, e := range p.events() {
		if e.Scan.ID != id {
			t.Errorf("another incident %+v", e)
		}
	}
	p.json = second
	expectScan(t, p, other, logs)
	rename(t, second)
	file.hup(p, fmt.Sprintf("json: %s\nsyslog: udp://127.0.0.1:%d", second, syslogPort), "changed=[]")
	if _, err := os.Stat(second); err != nil {
		t.Error("the renamed file is not made anew:", err)
	}
	cancel()
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	ends := 0
	for _, e := range p.events() {
		if e.Src == scanner.addr && (e.Scan.ID != id || e.Scan.State == "start") {
			t.Errorf("the scan is more than one incident: %+v", e)
		}
		if e.Scan.ID == id && e.Scan.State == "end" {
			ends++
		}
	}
	if ends != 1 || !strings.Contains(p.stderr.String(), "incidents=2") {
		t.Errorf("%d ends", ends)
	}
}

// configFile is a configuration file that belongs to root.
type configFile struct {
	t    *testing.T
	path string
	mode os.FileMode
}

func newConfigFile(t *testing.T, json string) *configFile {
	t.Helper()
	dir, err := os.MkdirTemp("", "edgescan-lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := &configFile{t, filepath.Join(dir, "edgescan.yaml"), 0o644}
	f.write("json: " + json)
	return f
}

// write replaces the file, as editors do.
func (f *configFile) write(settings string) {
	f.t.Helper()
	text := fmt.Sprintf("interface: [%s]\nuser: %d\n%s\n", lan, ordinary, settings)
	fresh := f.path + ".new"
	if err := os.WriteFile(fresh, []byte(text), f.mode); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(fresh, f.path); err != nil {
		f.t.Fatal(err)
	}
}

func (f *configFile) remove() {
	f.t.Helper()
	if err := os.Remove(f.path); err != nil {
		f.t.Fatal(err)
	}
}

// hup writes settings, if any, sends SIGHUP and waits until edgescan says what it
// should once more.
func (f *configFile) hup(p *process, settings, says string) {
	f.t.Helper()
	if settings != "" {
		f.write(settings)
	}
	before := strings.Count(p.stderr.String(), says)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		f.t.Fatal(err)
	}
	waitFor(f.t, 10*time.Second, "edgescan to say "+says, func() bool { return strings.Count(p.stderr.String(), says) > before })
}
