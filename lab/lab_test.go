//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scans are real scans, each from a host of its own, and what nmap says when
// its packets came through. Their host numbers on the lan count from
// firstScanner in this order.
var scans = []struct {
	name string
	args []string
	want string
}{
	{"syn", []string{"-sS", "-Pn", "--top-ports", "200", "10.60.0.5"}, "22/tcp open ssh"},
	{"connect", []string{"-sT", "-Pn", "--top-ports", "200", "10.60.0.5"}, "22/tcp open ssh"},
	{"fin", []string{"-sF", "-Pn", "--top-ports", "100", "10.60.0.5"}, "22/tcp open|filtered ssh"},
	{"null", []string{"-sN", "-Pn", "--top-ports", "100", "10.60.0.5"}, "22/tcp open|filtered ssh"},
	{"xmas", []string{"-sX", "-Pn", "--top-ports", "100", "10.60.0.5"}, "22/tcp open|filtered ssh"},
	{"ack", []string{"-sA", "-Pn", "--top-ports", "100", "10.60.0.5"}, "unfiltered"},
	{"udp", []string{"-sU", "-Pn", "--top-ports", "20", "--max-retries", "1", "10.60.0.5"}, "53/udp open domain"},
	{"arp", []string{"-sn", "10.50.0.0/25"}, "hosts up"},
	{"ping", []string{"-sn", "-PE", "10.60.0.0/26"}, "(22 hosts up)"},
	{"syn6", []string{"-6", "-sS", "-Pn", "--top-ports", "200", "fd00:60::5"}, "22/tcp open ssh"},
	{"decoys", []string{"-sS", "-Pn", "--top-ports", "100", "-D", decoys, "10.60.0.5"}, "22/tcp open ssh"},
	{"fragments", []string{"-sS", "-Pn", "-f", "--top-ports", "100", "10.60.0.5"}, "22/tcp open ssh"},
	{"horizontal", []string{"-sS", "-Pn", "-p", "23", "--max-retries", "1", "10.60.0.0/26"}, "23/tcp closed telnet"},
	{"slow", []string{"-sS", "-Pn", "--scan-delay", "1s", "--top-ports", "30", "10.60.0.5"}, "22/tcp open ssh"},
}

const firstScanner = 66

// decoys are addresses that nobody has. What is sent in their name is a scan
// by all that a gateway can see.
const decoys = "10.50.0.201,10.50.0.202"

// minBenign is how long the benign clients run at least.
const minBenign = 40 * time.Second

// TestLabScans runs all scans at once beside the benign clients, with one
// edgescan on the gateway.
func TestLabScans(t *testing.T) {
	needRoot(t, "nmap", "rsyslogd")
	binary := build(t)
	n := newNetwork(t)
	server := n.join(wan, "server", serverNumbers()...)
	serve(server)
	scanners := make([]*host, len(scans))
	for i, s := range scans {
		scanners[i] = n.join(lan, "scan-"+s.name, firstScanner+i)
	}
	log := startRsyslog(t, n.gateway)
	edgescan := watch(t, n.gateway, binary, fmt.Sprintf("--syslog=udp://127.0.0.1:%d", syslogPort))
	stopClients := startClients(context.Background(), n, server)
	benignTime := time.After(minBenign)

	expected := strings.Split(decoys, ",")
	t.Run("found", func(t *testing.T) {
		for i, s := range scans {
			src := source(scanners[i], s.args)
			expected = append(expected, src)
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				out := strings.Join(strings.Fields(nmap(ctx, t, scanners[i], s.args...)), " ")
				if !strings.Contains(out, s.want) {
					t.Errorf("no %q in nmap's %s", s.want, out)
				}
				waitFor(t, 15*time.Second, "an alert for "+src, func() bool { return len(edgescan.starts(src)) > 0 })
			})
		}
	})

	<-benignTime
	stopClients()
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	checkEvents(t, edgescan, expected)
	checkSummary(t, edgescan)
	checkLog(t, edgescan, log)
}

// source is the address that a scan comes from.
func source(h *host, args []string) string {
	if slices.Contains(args, "-6") {
		return h.addr6
	}
	return h.addr
}

// checkEvents wants one start per expected source, and no line of others.
func checkEvents(t *testing.T, edgescan *process, expected []string) {
	t.Helper()
	for _, src := range expected {
		starts := edgescan.starts(src)
		if len(starts) > 1 {
			t.Errorf("%d start lines for %s: %+v", len(starts), src, starts)
		}
		if len(starts) > 0 {
			t.Logf("%s: %s after %d contacts", src, starts[0].Scan.Kind, starts[0].Scan.Contacts)
		}
	}
	for _, e := range edgescan.events() {
		if !slices.Contains(expected, e.Src) {
			t.Errorf("a line for %s, which scans nothing: %+v", e.Src, e)
		}
	}
}

// checkSummary looks for what an operator wants to know at the end.
func checkSummary(t *testing.T, edgescan *process) {
	t.Helper()
	incidents := map[string]bool{}
	for _, e := range edgescan.events() {
		incidents[e.Scan.ID] = true
	}
	stderr := edgescan.stderr.String()
	for _, want := range []string{`\bpackets=[1-9]`, `\bdrops=\d`, `\bsources=[1-9]`, fmt.Sprintf(`\bincidents=%d\b`, len(incidents))} {
		if !regexp.MustCompile(want).MatchString(stderr) {
			t.Errorf("no %s in the summary:\n%s", want, stderr)
		}
	}
}

// checkLog wants every line of the JSON in the syslog daemon's log too.
func checkLog(t *testing.T, edgescan *process, log string) {
	t.Helper()
	for _, e := range edgescan.events() {
		want := fmt.Sprintf(`[scan@32473 id=%q state=%q`, e.Scan.ID, e.Scan.State)
		waitFor(t, 5*time.Second, want+" in rsyslogd's log", func() bool {
			messages, err := os.ReadFile(log)
			return err == nil && strings.Contains(string(messages), want)
		})
	}
}

// TestLabNewAddresses scans with another IPv6 address for each probe.
func TestLabNewAddresses(t *testing.T) {
	needRoot(t, "nmap")
	binary := build(t)
	n := newNetwork(t)
	n.join(wan, "server", 5)
	scanner := n.join(lan, "scanner", firstScanner)
	edgescan := watch(t, n.gateway, binary)
	const probes = 30
	for i := range probes {
		address := fmt.Sprintf("fd00:50::aa:%x", i+1)
		scanner.address("eth0", address+"/64")
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		nmap(ctx, t, scanner, "-6", "-sS", "-Pn", "-e", "eth0", "-S", address, "-p", fmt.Sprint(i+1), "--max-retries", "0", "fd00:60::5")
		cancel()
	}
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	events := edgescan.events()
	if len(events) != 2 || events[0].Scan.State != "start" || events[1].Scan.State != "end" {
		t.Fatalf("want a start and an end: %+v", events)
	}
	scan := events[1].Scan
	if scan.Prefix != "fd00:50::/64" || scan.Kind != "vertical" || scan.Sources < probes-2 || len(scan.SrcIPs) == 0 || !strings.HasPrefix(scan.SrcIPs[0], "fd00:50::aa:") {
		t.Errorf("the end says %+v", scan)
	}
	t.Logf("named after %d contacts", events[0].Scan.Contacts)
}

// TestLabErrors starts edgescan where it cannot work: it must say why.
func TestLabErrors(t *testing.T) {
	needRoot(t, "setpriv")
	binary := build(t)
	gateway := newNetwork(t).gateway
	unprivileged := []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", binary}
	for _, test := range []struct {
		name  string
		args  []string
		codes []int
		want  []string // any of them
	}{
		{"no such interface", []string{binary, "run", "-i", "nosuch0"}, []int{1, 2}, []string{"nosuch0"}},
		{"one of two interfaces", []string{binary, "run", "-i", lan, "-i", "nosuch0"}, []int{1, 2}, []string{"nosuch0"}},
		{"no privileges", append(slices.Clone(unprivileged), "run", "-i", lan), []int{1}, []string{"CAP_NET_RAW", "root", "privilege", "not permitted"}},
		{"a user that root may not become", []string{"setpriv", "--bounding-set=-all,+net_raw", binary, "run", "-i", lan, "--user", "nobody"}, []int{1}, []string{"change the user to that of nobody"}},
		{"a user that does not exist", []string{binary, "run", "-i", lan, "--user", "no-such-user"}, []int{2}, []string{"no-such-user"}},
		{"bad syslog target", []string{binary, "run", "-i", lan, "--syslog=http://127.0.0.1:1"}, []int{2}, []string{"udp://host:port"}},
		{"JSON file in no folder", []string{binary, "run", "-i", lan, "--json", "/nosuch/eve.json"}, []int{1, 2}, []string{"/nosuch/eve.json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			cmd := gateway.command(ctx, test.args[0], test.args[1:]...)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); !slices.Contains(test.codes, code) {
				t.Errorf("exit code %d, want one of %v", code, test.codes)
			}
			if !slices.ContainsFunc(test.want, func(s string) bool { return strings.Contains(string(out), s) }) {
				t.Errorf("none of %q in %q", test.want, out)
			}
			t.Logf("%s", out)
		})
	}
}
