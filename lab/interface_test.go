//go:build lab

package lab

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabInterfaceChanges does to the watched interface what happens to one
// within months, and scans after each change: the scan is found, and the log
// tells of the change once. A second interface is removed for good at the
// start, and the first in the end: neither ends the program.
func TestLabInterfaceChanges(t *testing.T) {
	needRoot(t, "nmap")
	binary := build(t)
	n := newNetwork(t)
	n.join(wan, "server", 5)
	gateway := n.gateway
	gateway.ip("link", "add", "name", "spare", "type", "bridge")
	gateway.ip("link", "set", "dev", "spare", "up")
	edgescan := watch(t, gateway, binary, "-i", "spare")
	said := func(message, name string) (times int) {
		for line := range strings.Lines(edgescan.stderr.String()) {
			if strings.Contains(line, message) && strings.Contains(line, "interface="+name) {
				times++
			}
		}
		return times
	}
	const lost, renamed, back = "down or gone", "another name", "is back"
	wait := func(message, name string, times int) {
		t.Helper()
		waitFor(t, 5*time.Second, name+" "+message, func() bool { return said(message, name) >= times })
	}
	scanners := 0
	scan := func(t *testing.T) {
		t.Helper()
		h := n.join(lan, "scan-"+t.Name()[strings.LastIndex(t.Name(), "/")+1:], firstScanner+scanners)
		scanners++
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		nmap(ctx, t, h, "-sS", "-Pn", "--top-ports", "100", "10.60.0.5")
		waitFor(t, 10*time.Second, "an alert for "+h.addr, func() bool { return len(edgescan.starts(h.addr)) > 0 })
	}

	gateway.ip("link", "del", "dev", "spare")
	wait(lost, "spare", 1)
	t.Run("down", func(t *testing.T) {
		gateway.ip("link", "set", "dev", lan, "down")
		wait(lost, lan, 1)
		gateway.ip("link", "set", "dev", lan, "up")
		wait(back, lan, 1)
		scan(t)
	})
	t.Run("new", func(t *testing.T) {
		gateway.ip("link", "del", "dev", lan)
		wait(lost, lan, 2)
		gateway.bridge(lan)
		wait(back, lan, 2)
		scan(t)
	})
	t.Run("mtu", func(t *testing.T) {
		gateway.ip("link", "set", "dev", lan, "mtu", "1400")
		scan(t)
	})
	t.Run("name", func(t *testing.T) {
		gateway.ip("link", "set", "dev", lan, "down")
		gateway.ip("link", "set", "dev", lan, "name", "other")
		gateway.ip("link", "set", "dev", "other", "up")
		wait(renamed, lan, 1)
		gateway.ip("link", "set", "dev", "other", "down")
		gateway.ip("link", "set", "dev", "other", "name", lan)
		gateway.ip("link", "set", "dev", lan, "up")
		wait(back, lan, 3)
		scan(t)
	})
	before := said(lost, lan)
	gateway.ip("link", "del", "dev", lan)
	wait(lost, lan, before+1)
	if code := edgescan.stop(syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d after Ctrl-C, want 0", code)
	}
	if n := said(lost, lan); n > 5 || said(back, lan) != 3 || said(renamed, lan) != 1 || said(lost, "spare") != 1 {
		t.Errorf("told too much:\n%s", &edgescan.stderr)
	}
	checkSummary(t, edgescan)
}

// TestLabDrops halts the program while more comes than its ring holds: that
// packets were lost is told soon, not again within the minute, and summed up.
func TestLabDrops(t *testing.T) {
	needRoot(t, "ip")
	binary := build(t)
	n := newNetwork(t)
	server := n.join(wan, "server", 5)
	sender := n.join(lan, "sender", 20)
	edgescan := watch(t, n.gateway, binary, "--ring", "256KiB")
	var flows []net.Conn // so many that none is bulk, which the kernel would keep back
	for range 100 {
		conn, err := sender.dial(context.Background(), "udp", server.addr+":9")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		flows = append(flows, conn)
	}
	told := func() int { return strings.Count(edgescan.stderr.String(), "packets were lost") }
	for range 2 {
		edgescan.cmd.Process.Signal(syscall.SIGSTOP)
		for n := range 20_000 {
			flows[n%len(flows)].Write([]byte("lost")) // an error is the server's refusal of an earlier one
		}
		edgescan.cmd.Process.Signal(syscall.SIGCONT)
		waitFor(t, 5*time.Second, "a warning of drops", func() bool { return told() > 0 })
		time.Sleep(1500 * time.Millisecond) // in which drops are looked for once more
	}
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if n := told(); n != 1 {
		t.Errorf("%d warnings within a minute, want 1", n)
	}
	var first, all int
	for line := range strings.Lines(edgescan.stderr.String()) {
		if _, count, ok := strings.Cut(line, " drops="); ok {
			first, all = all, 0
			fmt.Sscan(count, &all)
		}
	}
	if first == 0 || all <= first {
		t.Errorf("the warning tells of %d drops, the summary of %d", first, all)
	}
}
