package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal and the side that drives it.
func terminal(t *testing.T) (driver, line *os.File) {
	t.Helper()
	driver, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("needs terminals:", err)
	}
	// Of the raw descriptor: what Fd returns blocks, and Close would not end a read.
	raw, err := driver.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Skip("needs terminals:", err)
	}
	line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("needs terminals:", err)
	}
	return driver, line
}

// TestClosedTerminalEndsARun: SIGHUP reloads in a terminal too, but when the
// terminal is closed nothing is left behind that watches.
func TestClosedTerminalEndsARun(t *testing.T) {
	driver, line := terminal(t)
	folder := t.TempDir()
	json := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(filepath.Join(folder, "a"), sampleBytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "run", "-r", folder, "--follow", "--json", json)
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = line, line, line
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line.Close()
	var screen safeBuffer
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := driver.Read(buf)
			screen.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	wait := func(what string, ready func() bool) {
		for deadline := time.Now().Add(15 * time.Second); !ready(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				cmd.Process.Kill()
				t.Fatalf("waited for %s, the screen has %s", what, screen.String())
			}
		}
	}
	wait("starts", func() bool {
		data, _ := os.ReadFile(json)
		return bytes.Count(data, []byte(`"start"`)) == 3
	})
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	wait("the signal's line", func() bool { return strings.Contains(screen.String(), "output opened anew") })
	driver.Close()
	expectEnd(t, cmd)
	if data := must(os.ReadFile(json)); bytes.Count(data, []byte(`"state":"end"`)) != 3 {
		t.Errorf("incidents without an end: %s", data)
	}
}
