//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"edgescan/internal/config"
)

// follower is an edgescan that follows a folder as its configuration file says.
type follower struct {
	t      *testing.T
	cmd    *exec.Cmd
	config string
	folder string
	log    safeBuffer
}

// safeBuffer may be read while a process writes.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func startFollower(t *testing.T, settings string, env ...string) *follower {
	t.Helper()
	f := &follower{t: t, config: write(t, "edgescan.yaml", nil), folder: t.TempDir()}
	f.set(settings)
	f.start("following", env, "--config", f.config)
	return f
}

// start runs it until its log says something.
func (f *follower) start(says string, env []string, args ...string) {
	f.t.Helper()
	f.run(os.Args[0], says, env, args...)
}

// run does that with a program.
func (f *follower) run(program, says string, env []string, args ...string) {
	f.t.Helper()
	f.cmd = exec.Command(program, append([]string{"run"}, args...)...)
	f.cmd.Env = append(append(os.Environ(), asProgram+"=1", "NO_COLOR=1"), env...)
	f.cmd.Stderr = &f.log
	if err := f.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if f.cmd.ProcessState == nil {
			f.cmd.Process.Kill()
			f.cmd.Wait()
		}
		if f.t.Failed() {
			f.t.Logf("it said:\n%s", &f.log)
		}
	})
	f.wait(says, func() bool { return strings.Contains(f.log.String(), says) })
}

// set writes the configuration file.
func (f *follower) set(settings string) {
	f.t.Helper()
	text := fmt.Sprintf("read: [%s]\nfollow: true\n%s", f.folder, settings)
	if err := os.WriteFile(f.config, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// hup sends SIGHUP, and waits until the log says what it should, once more.
func (f *follower) hup(says string) {
	f.t.Helper()
	before := strings.Count(f.log.String(), says)
	if err := f.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		f.t.Fatal(err)
	}
	f.wait(says, func() bool { return strings.Count(f.log.String(), says) > before })
}

func (f *follower) wait(what string, ready func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited for %s", what)
		}
	}
}

// capture puts a capture into the folder.
func (f *follower) capture(name string, data []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.folder, name), data, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// end stops it.
func (f *follower) end() {
	f.t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		f.t.Fatal(err)
	}
	expectEnd(f.t, f.cmd)
}

func fileHas(path, text string) func() bool {
	return func() bool {
		data, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(data), text)
	}
}

// TestReload changes the places that alerts go to while scans are in progress:
// each incident has one start in all, and its end is where the change leads.
func TestReload(t *testing.T) {
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	logs := t.TempDir()
	first, second := filepath.Join(logs, "1.json"), filepath.Join(logs, "2.json")
	f := startFollower(t, "json: "+first+"\n")
	files := pieces(t, 2000) // a scan in each of the first three
	f.capture("0", files[0])
	f.wait("a start", fileHas(first, `"start"`))

	f.set("json: " + second + "\nsyslog: udp://" + collector.LocalAddr().String() + "\nmemory: 48MiB\n")
	f.hup("configuration read anew")
	if log := f.log.String(); !strings.Contains(log, "changed=[\"json\",\"syslog\"]") || !strings.Contains(log, "need_a_restart=[\"memory\"]") {
		t.Error("does not name the keys")
	}
	before := string(must(os.ReadFile(first)))
	for i, data := range files[1:] {
		f.capture(fmt.Sprint(i+1), data)
	}
	f.wait("a line in the new file", fileHas(second, `"scan"`))
	collector.SetReadDeadline(time.Now().Add(15 * time.Second))
	packet := make([]byte, 4096)
	if n, _, err := collector.ReadFrom(packet); err != nil || !bytes.Contains(packet[:n], []byte("edgescan")) {
		t.Errorf("syslog: %v, %q", err, packet[:n])
	}
	f.wait("the last start", func() bool {
		after, err := os.ReadFile(second)
		return err == nil && strings.Count(before+string(after), `"start"`) == 3
	})
	f.end()
	after := string(must(os.ReadFile(second)))
	if now := string(must(os.ReadFile(first))); now != before {
		t.Error("the old file got more")
	}
	if n := strings.Count(before+after, `"state":"end"`); n != 3 {
		t.Errorf("%d ends, want 3", n)
	}
	if got := strings.Join(starts(t, before+after), " "); got != wantSources {
		t.Errorf("named %s, want %s", got, wantSources)
	}
}

// TestReloadOfWhatIsWrong keeps everything as it was.
func TestReloadOfWhatIsWrong(t *testing.T) {
	json := filepath.Join(t.TempDir(), "a.json")
	f := startFollower(t, "json: "+json+"\n")
	other := filepath.Join(t.TempDir(), "b.json")
	for _, test := range []struct{ settings, says string }{
		{"json: " + other + "\nmemroy: 1MiB\n", "edgescan.yaml:4: \\\"memroy\\\": unknown key"},
		{"json: " + other + "\nsyslog: nowhere\n", "edgescan.yaml:4: syslog: bad syslog target"},
		{"json: " + other + "\nmemory: 1MiB\n", "memory is from " + f.config + ":4"},
		{"json: " + filepath.Join(other, "c.json") + "\n", "json is from " + f.config + ":3"},
		{"json: [\n", "edgescan.yaml:4: did not find expected"},
	} {
		f.set(test.settings)
		f.hup("configuration not changed")
		f.wait(test.says, func() bool { return strings.Contains(f.log.String(), test.says) })
	}
	if err := os.Remove(f.config); err != nil {
		t.Fatal(err)
	}
	f.hup("no such file")
	if _, err := os.Stat(other); err == nil {
		t.Error("a file that was not changed to is there")
	}
	f.set("json: " + json + "\n")
	f.hup("configuration read anew")
	f.capture("all", sampleBytes(t))
	f.wait("lines", func() bool { return strings.Count(string(must(os.ReadFile(json))), `"start"`) == 3 })
	f.end()
}

// TestReloadMakesTheRenamedFileAnew does as logrotate does, without waiting for
// an alert.
func TestReloadMakesTheRenamedFileAnew(t *testing.T) {
	json := filepath.Join(t.TempDir(), "a.json")
	f := startFollower(t, "json: "+json+"\n")
	if err := os.Rename(json, json+".1"); err != nil {
		t.Fatal(err)
	}
	f.hup("configuration read anew")
	if _, err := os.Stat(json); err != nil {
		t.Error(err)
	}
	f.end()
}

// TestHangupEndsAReadingRun: a run that ends by itself ends by SIGHUP too.
func TestHangupEndsAReadingRun(t *testing.T) {
	cmd := exec.Command(os.Args[0], "run", "-r", "-")
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // for the program to start; nothing tells when
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGHUP {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
}

// TestChangeIsAllOrNothing has the second of two changes fail.
func TestChangeIsAllOrNothing(t *testing.T) {
	saved := liveSettings
	defer func() { liveSettings = saved }()
	var did []string
	setting := func(key string, fails error) liveSetting {
		return liveSetting{[]string{key}, func(*program, *runFlags) (func(), func(), error) {
			return func() { did = append(did, "apply "+key) }, func() { did = append(did, "undo "+key) }, fails
		}}
	}
	for _, test := range []struct {
		name   string
		fails  error
		want   string
		memory string // in force afterwards
	}{
		{"both", nil, "apply memory, apply ring", "1"},
		{"one fails", errors.New("no"), "undo memory", "0"},
		{"one needs a restart", errRestart, "apply memory", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			did = nil
			liveSettings = []liveSetting{setting("memory", nil), setting("ring", test.fails)}
			keys := configKeys()
			flags := func(n string) *runFlags {
				settings := config.Settings{"memory": {Texts: []string{n}, From: "a:1"}, "ring": {Texts: []string{n}, From: "a:2"}}
				return &runFlags{config: &configuration{keys: keys, settings: settings}}
			}
			p := &program{flags: flags("0"), log: zerolog.Nop(), sinks: &delivery{flags: &deliveryFlags{}}, watcher: &watcher{}}
			if err := p.change(flags("1")); (err != nil) != strings.HasPrefix(test.want, "undo") {
				t.Error(err)
			}
			if got := strings.Join(did, ", "); got != test.want {
				t.Errorf("did %s, want %s", got, test.want)
			}
			if got := p.flags.config.settings["memory"].Texts[0]; got != test.memory {
				t.Errorf("memory %s, want %s", got, test.memory)
			}
			if got := p.flags.config.settings["ring"].Texts[0]; (got == "1") != (test.fails == nil) {
				t.Errorf("ring %s", got)
			}
		})
	}
}
