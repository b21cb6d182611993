//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ordinary is a user that is nobody else's.
const ordinary = 12345

// TestLabConfined runs edgescan as it is started on a router, lets it give up
// its privileges, and then takes away and gives back what it works with: an
// interface, the syslog daemon, the JSON file's name.
func TestLabConfined(t *testing.T) {
	needRoot(t, "nmap", "rsyslogd", "setpriv")
	binary := build(t)
	udp := fmt.Sprintf("udp://127.0.0.1:%d", syslogPort)
	for _, test := range []struct {
		name    string
		capable bool // an ordinary user's, by the program's file
		args    []string
		syslog  string // the local socket if empty
		uid     string // a pattern
	}{
		{"root", false, nil, "", `[1-9]\d*`},
		{"root, a user by number", false, []string{"--user", strconv.Itoa(ordinary)}, udp, strconv.Itoa(ordinary)},
		{"root stays root, syslog by name", false, []string{"--user", "root"}, fmt.Sprintf("udp://localhost:%d", syslogPort), "0"},
		{"ordinary user", true, nil, udp, strconv.Itoa(ordinary)},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newNetwork(t)
			n.join(wan, "server", 5)
			scanner := n.join(lan, "scanner", firstScanner)
			redial := newRedial(n)
			public := publicFolder(t)
			logs := t.TempDir()
			socket := filepath.Join(public, "log")
			stopRsyslog := runRsyslog(t, n.gateway, logs, socket)
			if test.syslog == "" {
				test.syslog = "unix://" + socket
			}
			args := append([]string{"-i", redial.link, "--promiscuous", "--syslog", test.syslog}, test.args...)
			program := binary
			json := ""
			if test.capable {
				program = capable(t, binary, public)
				json = filepath.Join(public, "eve.json")
				args = append(args, "--json", json)
			}
			edgescan := watch(t, n.gateway, program, args...)
			if json != "" {
				edgescan.json = json
			}
			checkConfined(t, edgescan, test.uid)
			expectScan(t, edgescan, scanner, logs)

			stopRsyslog()
			os.Remove(socket)
			runRsyslog(t, n.gateway, logs, socket)
			redial.again()
			rename(t, edgescan.json)
			if !test.capable && test.uid != "0" {
				edgescan.json += ".1" // in root's folder no file can be made
			}
			expectScan(t, edgescan, redial.host, logs)

			if code := edgescan.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit code %d after SIGTERM, want 0", code)
			}
			stderr := edgescan.stderr.String()
			for _, want := range []string{`\bpeak_memory=[1-9]`, `\bincidents=2\b`, `\bundelivered_alerts=0\b`, `privileges dropped`} {
				if !regexp.MustCompile(want).MatchString(stderr) {
					t.Errorf("no %s in what edgescan said", want)
				}
			}
		})
	}
}

// redial is a host on a line of its own, which the gateway makes anew as PPP
// does.
type redial struct {
	*host
	gateway *host
	link    string
}

func newRedial(n *network) *redial {
	r := &redial{n.namespace("caller"), n.gateway, "dial0"}
	r.connect()
	return r
}

func (r *redial) connect() {
	r.gateway.ip("link", "add", "name", r.link, "type", "veth", "peer", "name", "eth0", "netns", r.ns)
	r.gateway.address(r.link, "10.70.0.1/24")
	r.gateway.ip("link", "set", "dev", r.link, "up")
	r.host.address("eth0", "10.70.0.2/24")
	r.ip("link", "set", "eth0", "up")
	r.ip("route", "add", "default", "via", "10.70.0.1")
	r.addr = "10.70.0.2"
}

// again removes the line and makes it anew. edgescan looks for it five times a
// second.
func (r *redial) again() {
	r.gateway.ip("link", "del", "dev", r.link)
	r.connect()
	time.Sleep(time.Second)
}

// publicFolder makes a folder that belongs to the ordinary user.
func publicFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "edgescan-lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, ordinary, ordinary); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// capable makes a script that runs, as an ordinary user, a copy of the binary
// that may open packet sockets.
func capable(t *testing.T, binary, dir string) (script string) {
	t.Helper()
	setcap, err := exec.LookPath("setcap")
	if err != nil {
		t.Skip("needs setcap:", err)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "edgescan")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(setcap, "cap_net_raw=ep", path).CombinedOutput(); err != nil {
		t.Skipf("setcap: %v: %s", err, out)
	}
	script = filepath.Join(dir, "as-user")
	text := fmt.Sprintf("#!/bin/sh\nexec setpriv --reuid=%d --regid=%d --clear-groups %s \"$@\"\n", ordinary, ordinary, path)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return script
}

// checkConfined waits until the kernel says that edgescan has nothing left.
func checkConfined(t *testing.T, p *process, uid string) {
	t.Helper()
	wanted := regexp.MustCompile(`(?s)\nUid:\t(` + uid + `)\t.*\nCapPrm:\t0{16}\nCapEff:\t0{16}\n.*\nNoNewPrivs:\t1\nSeccomp:\t2\n`)
	path := fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)
	waitFor(t, 10*time.Second, "edgescan to confine itself", func() bool {
		status, err := os.ReadFile(path)
		return err == nil && wanted.Match(status)
	})
}

// expectScan lets a host scan, and wants it in the JSON file and in the log.
func expectScan(t *testing.T, p *process, h *host, logs string) {
	t.Helper()
	findScan(t, p, h)
	expectLine(t, logs, h)
}

// findScan lets a host scan, and wants it in the JSON file.
func findScan(t *testing.T, p *process, h *host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	nmap(ctx, t, h, "-sS", "-Pn", "--top-ports", "100", "10.60.0.5")
	waitFor(t, 15*time.Second, "a line for "+h.addr, func() bool { return len(p.starts(h.addr)) > 0 })
}

// expectLine wants a host's scan in the log.
func expectLine(t *testing.T, logs string, h *host) {
	t.Helper()
	waitFor(t, 40*time.Second, h.addr+" in rsyslogd's log", func() bool {
		messages, err := os.ReadFile(filepath.Join(logs, "messages"))
		return err == nil && strings.Contains(string(messages), "start "+h.addr+" ")
	})
}

func rename(t *testing.T, path string) {
	t.Helper()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
}
