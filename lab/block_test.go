//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabBlock scans from a host outside and from one inside: what comes from the
// first is dropped from then on, until edgescan ends, and from the second it is
// not. Only the process that blocks keeps a capability.
func TestLabBlock(t *testing.T) {
	needRoot(t, "nmap", "nft")
	binary := build(t)
	n := newNetwork(t)
	n.join(lan, "server", 5).listen(80)
	inside := n.join(wan, "inside", firstScanner)
	outside := n.join(wan, "outside", firstScanner+1)
	const address = "198.51.100.66"
	outside.address("eth0", address+"/32")
	outside.ip("route", "replace", "default", "via", prefixes[wan].v4+"1", "src", address)
	n.gateway.ip("route", "add", address+"/32", "dev", wan)

	scan := func(h *host, source string) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		nmap(ctx, t, h, "-sS", "-Pn", "-S", source, "-e", "eth0", "--top-ports", "100", "10.50.0.5")
	}
	reaches := func(h *host) bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn, err := h.dial(ctx, "tcp", "10.50.0.5:80")
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	tables := func() string {
		out, err := n.gateway.command(context.Background(), "nft", "list", "ruleset").Output()
		if err != nil {
			t.Error(err)
		}
		return string(out)
	}

	dry := watch(t, n.gateway, binary, "--block", "dry-run", "--allow", `source=192.0.2.7 reason=test`)
	scan(outside, address)
	waitFor(t, 10*time.Second, "an alert", func() bool { return len(dry.starts(address)) > 0 })
	if said := dry.stderr.String(); !strings.Contains(said, "would be blocked") || !strings.Contains(said, address) {
		t.Errorf("a dry run does not tell whom it would block: %s", said)
	}
	if rules := tables(); rules != "" || !reaches(outside) {
		t.Errorf("a dry run has changed the firewall: %s", rules)
	}
	dry.stop(syscall.SIGTERM)

	edgescan := watch(t, n.gateway, binary, "--block", "on", "--allow", `source=192.0.2.7 reason=test`, "--block-for", "5m")
	scan(outside, address)
	scan(inside, inside.addr)
	waitFor(t, 10*time.Second, "alerts", func() bool { return len(edgescan.starts(address)) > 0 && len(edgescan.starts(inside.addr)) > 0 })
	waitFor(t, 5*time.Second, "the outside host to be blocked", func() bool { return strings.Contains(tables(), address) })
	if reaches(outside) {
		t.Error("the outside host still reaches the server")
	}
	if !reaches(inside) {
		t.Error("the inside host no longer reaches the server")
	}
	if got := capabilities(t, edgescan.cmd.Process.Pid); got != 0 {
		t.Errorf("edgescan has capabilities %x", got)
	}
	if got := capabilities(t, helperOf(t, edgescan.cmd.Process.Pid)); got != 1<<12 {
		t.Errorf("the process that blocks has capabilities %x, want CAP_NET_ADMIN alone", got)
	}
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if rules := tables(); rules != "" || !reaches(outside) {
		t.Errorf("after the end the firewall still blocks: %s", rules)
	}

	killed := watch(t, n.gateway, binary, "--block", "on", "--allow", `source=192.0.2.7 reason=test`)
	killed.cmd.Process.Kill()
	killed.cmd.Wait()
	waitFor(t, 5*time.Second, "the table of a killed edgescan to go", func() bool { return tables() == "" })
}

// capabilities reads the permitted set of a process.
func capabilities(t *testing.T, pid int) (set uint64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "CapPrm:")
	if _, err := fmt.Sscanf(after, "%x", &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// helperOf returns the child of a process.
func helperOf(t *testing.T, pid int) (child int) {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", fmt.Sprint(pid)).Output()
	if err != nil {
		t.Fatal("no process that blocks: ", err)
	}
	fmt.Sscan(string(out), &child)
	return child
}
