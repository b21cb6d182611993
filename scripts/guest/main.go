//go:build linux && guest

// Guest is the first process of an emulated machine that has nothing else: it
// prepares what the live capture tests need, runs them and the program, says on
// the console how it went, and turns the machine off. It is the ip command as
// well, as far as these tests use it, because not every architecture that has a
// kernel has a Debian to take iproute2 from. See scripts/test-live-archs.sh.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if filepath.Base(os.Args[0]) == "ip" {
		if err := ip(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	verdict := "PASS"
	for _, step := range []struct {
		name string
		do   func() error
	}{{"prepare", prepare}, {"live tests", liveTests}, {"scan", scan}} {
		if err := step.do(); err != nil {
			fmt.Printf("guest: %s: %v\n", step.name, err)
			verdict = "FAIL"
			break
		}
	}
	fmt.Println("guest:", verdict)
	time.Sleep(time.Second) // for the console
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {} // a machine that cannot be turned off is ended from outside
}

// prepare mounts file systems, loads the modules and brings lo up.
func prepare() error {
	for _, m := range []struct{ kind, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}} {
		if err := os.MkdirAll(m.at, 0o777); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	modules, err := filepath.Glob("/modules/*.ko")
	if err != nil {
		return err
	}
	for _, path := range modules {
		module, err := os.Open(path)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(module.Fd()), "", 0)
		module.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load %s: %w", path, err)
		}
	}
	os.Setenv("PATH", "/bin")
	return ip(strings.Fields("link set lo up"))
}

// liveTests runs the tests; one that was skipped would say nothing, and fails.
func liveTests() error {
	cmd := exec.Command("/capture.test", "-test.v", "-test.run", "Live|Link|Ring", "-test.skip", "^TestLivePermission$")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	skipped := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Println(lines.Text())
		if strings.Contains(lines.Text(), "--- SKIP") {
			skipped++
		}
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	if skipped > 0 {
		return fmt.Errorf("%d tests were skipped", skipped)
	}
	return nil
}

// scan has the program watch lo, tries closed ports of another address than its
// own, because what a host says to itself is no contact, and wants to see that named.
func scan() error {
	cmd := exec.Command("/edgescan", "run", "-i", "lo", "--json", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	watching, named := make(chan bool, 1), make(chan bool, 1)
	go tell(log, "watching", watching)
	go tell(out, `"start"`, named)
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}()
	select {
	case <-watching:
	case <-time.After(time.Minute):
		return errors.New("it does not say that it is watching")
	}
	for port := 1; port <= 200; port++ {
		if c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.2:%d", port), time.Second); err == nil {
			c.Close()
		}
	}
	select {
	case <-named:
		return nil
	case <-time.After(time.Minute):
		return errors.New("no line of a scan")
	}
}

// tell copies lines to the console, and tells of the first with the word.
func tell(r io.Reader, word string, found chan<- bool) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fmt.Println(lines.Text())
		if strings.Contains(lines.Text(), word) {
			select {
			case found <- true:
			default:
			}
		}
	}
}
