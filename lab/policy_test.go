//go:build lab

package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inNetworks wants the log to tell of a network of the gateway's own.
func inNetworks(p *process, network string) func() bool {
	return func() bool { return strings.Contains(p.stderr.String(), `"`+network+`"`) }
}

// TestLabPolicy lets two hosts scan the same, one of which is allowed to, and
// then try what it is not allowed to. Meanwhile the confined program notices that
// the gateway has one more network.
func TestLabPolicy(t *testing.T) {
	needRoot(t, "nmap")
	binary := build(t)
	n := newNetwork(t)
	n.join(wan, "server", 5)
	known := n.join(lan, "known", firstScanner)
	unknown := n.join(lan, "unknown", firstScanner+1)
	rules := filepath.Join(t.TempDir(), "allow.txt")
	if err := os.WriteFile(rules, []byte("source="+known.addr+" destination=10.60.0.0/24 ports=1-1000 reason=\"the auditor\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	edgescan := watch(t, n.gateway, binary, "--allow-file", rules, "--show-allowed")
	waitFor(t, 5*time.Second, "the networks to be told", inNetworks(edgescan, "10.50.0.0/24"))
	n.gateway.address(lan, "10.77.0.1/24")
	scan := func(h *host, ports string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		nmap(ctx, t, h, "-sS", "-Pn", "-p", ports, "10.60.0.5")
	}
	// count returns how many start lines of a host name it, and how many do not.
	count := func(h *host) (named, allowed int) {
		for _, e := range edgescan.starts(h.addr) {
			if e.Scan.Direction != "internal" {
				t.Errorf("direction %q of a scan from lan to wan, both of which are the gateway's: %+v", e.Scan.Direction, e)
			}
			if e.Scan.Allowed == "" {
				named++
			} else {
				allowed++
			}
		}
		return named, allowed
	}
	scan(known, "1-1000")
	scan(unknown, "1-1000")
	waitFor(t, 10*time.Second, "an alert for the unknown", func() bool { named, _ := count(unknown); return named > 0 })
	if named, allowed := count(known); named != 0 || allowed != 1 {
		t.Errorf("the known host is named %d times and allowed %d times, want once allowed", named, allowed)
	}
	scan(known, "2001-2100")
	waitFor(t, 10*time.Second, "an alert for what is not allowed", func() bool { named, _ := count(known); return named == 1 })
	waitFor(t, 45*time.Second, "the new network to be told", inNetworks(edgescan, "10.77.0.0/24"))
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if log := edgescan.stderr.String(); !strings.Contains(log, "privileges dropped") || !strings.Contains(log, "allowed=1 ") || !strings.Contains(log, "incidents=2 ") {
		t.Errorf("want a confined run with allowed=1 and incidents=2:\n%s", log)
	}
}

// TestLabTune learns of a host that sweeps, and proposes what silences it.
func TestLabTune(t *testing.T) {
	needRoot(t, "nmap")
	binary := build(t)
	n := newNetwork(t)
	sweeper := n.join(lan, "sweeper", firstScanner)
	out := &lockedBuffer{}
	log := &lockedBuffer{}
	tune := n.gateway.command(context.Background(), binary, "tune", "-i", lan, "--for", "15s")
	tune.Stdout, tune.Stderr = out, log
	if err := tune.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tune.Process.Kill() })
	waitFor(t, 10*time.Second, "tune to listen", func() bool { return strings.Contains(log.String(), "watching interfaces=") })
	sweep := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		nmap(ctx, t, sweeper, "-sS", "-Pn", "-p", "161", "--max-retries", "0", "10.60.0.0/26")
	}
	sweep()
	if err := tune.Wait(); err != nil || !strings.Contains(log.String(), "privileges dropped") {
		t.Fatalf("%v:\n%s", err, log)
	}
	if !strings.Contains(out.String(), "\nsource="+sweeper.addr+" destination=10.60.0.0/26 ports=161 protocols=tcp until=") {
		t.Errorf("proposed:\n%s", out)
	}
	rules := filepath.Join(t.TempDir(), "allow.txt")
	if err := os.WriteFile(rules, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	edgescan := watch(t, n.gateway, binary, "--allow-file", rules)
	sweep()
	edgescan.stop(syscall.SIGTERM)
	if e := edgescan.events(); len(e) > 0 || !strings.Contains(edgescan.stderr.String(), "allowed=1 ") {
		t.Errorf("with its rules: %+v\n%s", e, &edgescan.stderr)
	}
}
