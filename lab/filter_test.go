//go:build lab

package lab

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabFilter lets two hosts scan, of which a filter hides one, before and
// after the interface is made anew. The filter is what tcpdump makes for the
// interface.
func TestLabFilter(t *testing.T) {
	needRoot(t, "nmap", "tcpdump")
	binary := build(t)
	n := newNetwork(t)
	n.join(wan, "server", 5)
	hidden := n.join(lan, "hidden", firstScanner)
	out, err := n.gateway.command(context.Background(), "tcpdump", "-ddd", "-i", lan, "not host "+hidden.addr).Output()
	if err != nil {
		t.Fatal(err)
	}
	edgescan := watch(t, n.gateway, binary, "--filter", strings.TrimSpace(string(out)))
	scan := func(h *host) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		nmap(ctx, t, h, "-sS", "-Pn", "--top-ports", "100", "10.60.0.5")
	}
	seen := func(h *host) {
		t.Helper()
		waitFor(t, 10*time.Second, "an alert for "+h.addr, func() bool { return len(edgescan.starts(h.addr)) > 0 })
	}
	first := n.join(lan, "first", firstScanner+1)
	scan(hidden)
	scan(first)
	seen(first)

	n.gateway.ip("link", "del", "dev", lan)
	waitFor(t, 5*time.Second, "the loss to be told", func() bool { return strings.Contains(edgescan.stderr.String(), "down or gone") })
	n.gateway.bridge(lan)
	waitFor(t, 5*time.Second, "the return to be told", func() bool { return strings.Contains(edgescan.stderr.String(), "is back") })
	for _, h := range []*host{hidden, first} {
		n.gateway.ip("link", "set", "dev", h.name, "master", lan)
	}
	second := n.join(lan, "second", firstScanner+2)
	scan(hidden)
	scan(second)
	seen(second)
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	checkEvents(t, edgescan, []string{first.addr, second.addr})
	checkSummary(t, edgescan)
	if strings.Contains(edgescan.stderr.String(), "filtered_out") {
		t.Errorf("tells of a count that only the kernel has:\n%s", &edgescan.stderr)
	}
}

// TestLabFilterOfTwoKinds wants a filter refused for frames of two link types,
// and an expression answered with what is right for each.
func TestLabFilterOfTwoKinds(t *testing.T) {
	needRoot(t, "ip")
	binary := build(t)
	n := newNetwork(t)
	n.gateway.ip("tuntap", "add", "dev", "tun5", "mode", "tun")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-i", lan, "-i", "tun5", "--filter", "1,6 0 0 1"}, "lan has frames of Ethernet and tun5 of raw IP"},
		{[]string{"-i", "tun5", "--filter", "arp or !tcp"}, `"$(tcpdump -ddd -y RAW 'arp or not tcp')"`},
		{[]string{"-i", lan, "--filter", "arp"}, `"$(tcpdump -ddd -i lan arp)"`},
	} {
		out, err := n.gateway.command(context.Background(), binary, append([]string{"run"}, c.args...)...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: %v, want code 2 and %q: %s", c.args, err, c.says, out)
		}
	}
}
