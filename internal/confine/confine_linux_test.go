package confine

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// asChild makes the test binary a program that confines itself, tries what it
// may and may not do then, and says how that went.
const asChild = "EDGESCAN_TEST_CONFINED"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		child()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// task is what the child is to do.
type task struct {
	User    string
	Folder  string // where it may write; holds "open", "log" (a socket), and "secret"
	ReadAll bool
	Missing []uint32 // system calls that the kernel is not to have
	UDP     string
	UDP6    string // or nothing
}

// child does its task, writes the outcomes as one line of JSON, and stays until
// its standard input ends.
func child() {
	var do task
	if err := json.Unmarshal([]byte(os.Getenv(asChild)), &do); err != nil {
		panic(err)
	}
	file, err := os.OpenFile(filepath.Join(do.Folder, "open"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		panic(err)
	}
	user, err := LookupUser(do.User)
	if err != nil {
		panic(err)
	}
	if len(do.Missing) > 0 {
		hide(do.Missing)
	}
	occupyThreads() // before, so that there are some to confine
	outcomes := map[string]string{}
	note := func(what string, err error) {
		outcomes[what] = "ok"
		if err != nil {
			outcomes[what] = err.Error()
		}
	}
	note("drop", Drop(user))
	note("restrict", Restrict(Access{ReadAll: do.ReadAll, Read: []string{"/proc/self"}, Write: []string{do.Folder}}))
	occupyThreads() // after, which inherit

	outcomes["time zone"], _ = time.Now().Zone()

	for what, path := range map[string]string{
		"read status":     "/proc/self/status",
		"read shadow":     "/etc/shadow",
		"read elsewhere":  "/etc/passwd",
		"read the folder": filepath.Join(do.Folder, "secret"),
	} {
		_, err := os.ReadFile(path)
		note(what, err)
	}
	_, err = file.WriteString("line\n")
	note("append", err)
	note("make a file", os.WriteFile(filepath.Join(do.Folder, "new"), nil, 0o600))
	note("write elsewhere", os.WriteFile(filepath.Join(filepath.Dir(do.Folder), "new"), nil, 0o600))
	note("send to a socket's path", send("unixgram", filepath.Join(do.Folder, "log")))
	note("send by UDP", send("udp", do.UDP))
	if do.UDP6 != "" {
		note("send by UDP over IPv6", send("udp", do.UDP6))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		l.Close()
	}
	note("listen on TCP", err)
	note("execve", syscall.Exec("/proc/self/exe", []string{"x"}, nil))
	note("start a program", exec.Command("/bin/true").Run())
	note("unshare", unix.Unshare(unix.CLONE_NEWUSER))
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE, uintptr(unix.CLONE_THREAD|unix.CLONE_NEWNET), 0, 0)
	note("clone into a namespace", errno)
	_, _, errno = unix.RawSyscall(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0)
	note("ptrace", errno)
	_, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	note("packet socket", err)
	_, err = unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)
	note("crypto socket", err)
	if runtime.GOARCH == "amd64" {
		_, _, errno = unix.RawSyscall(firstX32+unix.SYS_GETPID, 0, 0, 0)
		note("x32", errno)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		panic(err)
	}
	io.Copy(io.Discard, os.Stdin)
}

// hide makes the kernel an older one.
func hide(calls []uint32) {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: dataNumber, Size: 4}}
	for _, number := range calls {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipFalse: 1}, bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)})
	}
	program = append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
	if err := errors.Join(gainNothing(), install(program)); err != nil {
		panic(err)
	}
}

// occupyThreads makes threads that stay.
func occupyThreads() {
	running := make(chan struct{})
	for range 4 {
		go func() {
			runtime.LockOSThread()
			running <- struct{}{}
			select {}
		}()
	}
	for range 4 {
		<-running
	}
}

func send(network, address string) error {
	conn, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte("alert"))
	return errors.Join(err, conn.Close())
}

// confined is a child that has done its task.
type confined struct {
	outcomes map[string]string
	threads  []map[string]string // the status of each
}

// start runs a child and looks at it.
func start(t *testing.T, do task, attr *syscall.SysProcAttr) confined {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if server6, err := net.ListenPacket("udp", "[::1]:0"); err == nil {
		defer server6.Close()
		do.UDP6 = server6.LocalAddr().String()
	}
	local, err := net.ListenPacket("unixgram", filepath.Join(do.Folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if err := os.Chmod(filepath.Join(do.Folder, "log"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"open": 0o666, "secret": 0o644, "zone": 0o644} {
		path := filepath.Join(do.Folder, name)
		var content []byte
		if name == "zone" {
			content = zoneFile()
		}
		if err := errors.Join(os.WriteFile(path, content, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	do.UDP = server.LocalAddr().String()
	request, err := json.Marshal(do)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe") // by this name, another user may start it too
	cmd.Env = append(os.Environ(), asChild+"="+string(request), "TZ="+filepath.Join(do.Folder, "zone"))
	cmd.SysProcAttr = attr
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	var c confined
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.outcomes)
	}
	if err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	c.threads = threads(t, cmd.Process.Pid)
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if lines, _ := os.ReadFile(filepath.Join(do.Folder, "open")); !bytes.Equal(lines, []byte("line\n")) {
		t.Errorf("the open file holds %q", lines)
	}
	return c
}

// zoneFile is a time zone of one rule (RFC 8536): two hours east of Greenwich, by
// the name of LAB.
func zoneFile() []byte {
	header := append([]byte("TZif"), make([]byte, 16)...)
	for _, n := range []uint32{0, 0, 0, 0, 1, 4} { // counts: one type, four letters
		header = binary.BigEndian.AppendUint32(header, n)
	}
	return append(binary.BigEndian.AppendUint32(header, 2*60*60), "\x00\x00LAB\x00"...)
}

// threads reads what the kernel says of a process's threads.
func threads(t *testing.T, pid int) []map[string]string {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(paths) < 8 {
		t.Fatalf("%d threads, %v", len(paths), err)
	}
	var all []map[string]string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		status := map[string]string{}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(line, ":")
			status[key] = strings.Join(strings.Fields(value), " ")
		}
		all = append(all, status)
	}
	return all
}

// folder makes a folder that everybody may write to, in one that everybody may
// enter.
func folder(t *testing.T) string {
	t.Helper()
	top, err := os.MkdirTemp("", "edgescan-confine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	path := filepath.Join(top, "folder")
	if err := errors.Join(os.Mkdir(path, 0o777), os.Chmod(path, 0o777), os.Chmod(top, 0o777)); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	nobody = overflowID
	netRaw = unix.CAP_NET_RAW
)

func TestConfine(t *testing.T) {
	needThreads(t)
	isRoot := os.Geteuid() == 0
	other := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1234, Gid: 1234}}
	capable := &syscall.SysProcAttr{Credential: other.Credential, AmbientCaps: []uintptr{netRaw}}
	const none = "0000000000000000"
	for _, test := range []struct {
		name     string
		root     bool // needs it
		user     string
		attr     *syscall.SysProcAttr
		uid      string // of all four kinds
		bounding string
	}{
		{"root becomes another", true, "65534", nil, "65534", none},
		{"root stays root", true, "root", nil, "0", none},
		{"an ordinary user", true, "65534", other, "1234", ""},
		{"an ordinary user with a capability", true, "65534", capable, "1234", ""},
		{"whoever runs the test", false, "", nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.root && !isRoot {
				t.Skip("needs root")
			}
			c := start(t, task{User: test.user, Folder: folder(t)}, test.attr)
			for _, status := range c.threads {
				want := map[string]string{"CapInh": none, "CapPrm": none, "CapEff": none, "CapAmb": none, "NoNewPrivs": "1", "Seccomp": "2"}
				if test.uid != "" {
					want["Uid"] = strings.TrimSpace(strings.Repeat(test.uid+" ", 4))
					want["Gid"] = want["Uid"]
				}
				if test.root && test.attr == nil {
					want["Groups"] = ""
				}
				if test.bounding != "" {
					want["CapBnd"] = test.bounding
				}
				for key, value := range want {
					if status[key] != value {
						t.Errorf("%s of a thread is %q, want %q", key, status[key], value)
					}
				}
			}
			checkOutcomes(t, c.outcomes, false)
		})
	}
}

// TestConfineReaders is for programs that open their files later.
func TestConfineReaders(t *testing.T) {
	needThreads(t)
	c := start(t, task{Folder: folder(t), ReadAll: true}, nil)
	checkOutcomes(t, c.outcomes, true)
}

// TestConfineWithoutLandlock wants the lack told, and the rest done.
func TestConfineWithoutLandlock(t *testing.T) {
	needThreads(t)
	c := start(t, task{Folder: folder(t), Missing: []uint32{unix.SYS_LANDLOCK_CREATE_RULESET}}, nil)
	if got := c.outcomes["restrict"]; got != "landlock: function not implemented" {
		t.Errorf("without Landlock: %s", got)
	}
	for _, what := range []string{"execve", "packet socket", "listen on TCP"} {
		if got := c.outcomes[what]; runtime.GOARCH != "386" && !strings.Contains(got, "not permitted") {
			t.Errorf("without Landlock: %s: %s", what, got)
		}
	}
}

// needThreads skips in a test binary with cgo.
func needThreads(t *testing.T) {
	t.Helper()
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPPID, 0, 0, 0); errno == syscall.ENOTSUP {
		t.Skip("needs CGO_ENABLED=0")
	}
}

func checkOutcomes(t *testing.T, outcomes map[string]string, readAll bool) {
	t.Helper()
	if _, ok := outcomes["send by UDP over IPv6"]; !ok {
		outcomes["send by UDP over IPv6"] = "ok"
	}
	_, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	for _, what := range []string{"drop", "restrict", "read status", "append", "make a file", "send to a socket's path", "send by UDP", "send by UDP over IPv6"} {
		if what == "restrict" && errno != 0 {
			if !strings.Contains(outcomes[what], "landlock") {
				t.Errorf("%s: %s, want that Landlock is missing", what, outcomes[what])
			}
			continue
		}
		if outcomes[what] != "ok" {
			t.Errorf("%s: %s", what, outcomes[what])
		}
	}
	if zone := outcomes["time zone"]; zone != "LAB" {
		t.Errorf("the time zone is %s, want the one that was set before", zone)
	}
	denied := []string{"execve", "start a program", "unshare", "clone into a namespace", "ptrace", "packet socket"}
	if runtime.GOARCH != "386" { // where the filter does not see which socket is asked for
		denied = append(denied, "listen on TCP", "crypto socket")
	}
	if _, ok := outcomes["x32"]; ok {
		denied = append(denied, "x32")
	}
	if errno == 0 {
		denied = append(denied, "write elsewhere")
	}
	if errno == 0 && !readAll {
		denied = append(denied, "read shadow", "read elsewhere", "read the folder")
	}
	for _, what := range denied {
		if o := outcomes[what]; !strings.Contains(o, "operation not permitted") && !strings.Contains(o, "permission denied") {
			t.Errorf("%s: %q, want that it is refused", what, o)
		}
	}
	if readAll && outcomes["read elsewhere"] != "ok" {
		t.Errorf("read elsewhere: %s", outcomes["read elsewhere"])
	}
}

func TestLookupUser(t *testing.T) {
	for _, test := range []struct {
		name string
		uid  int // -1: an error
	}{
		{"root", 0},
		{"0", 0},
		{"4000000", 4000000},
		{"no-such-user", -1},
		{"-1", -1},
		{"99999999999", -1},
	} {
		u, err := LookupUser(test.name)
		if test.uid < 0 && !errors.Is(err, ErrUser) || test.uid >= 0 && (err != nil || u.UID != test.uid) {
			t.Errorf("%s is %+v, %v", test.name, u, err)
		}
	}
	if u, err := LookupUser(""); err != nil || u.UID == 0 || u.GID == 0 {
		t.Errorf("the default is %+v, %v", u, err)
	}
}
