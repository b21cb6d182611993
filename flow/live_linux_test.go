package flow

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A client, a router and a server in network namespaces of the test's own.

// network names the namespaces.
type network struct{ client, router, server string }

// newNetwork makes them, with the rules of nft in the router, and removes them at
// the end: the client is 10.91.0.2, the server 10.92.0.2.
func newNetwork(t *testing.T, rules string) network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	tool(t, "ip")
	tool(t, "nft")
	tool(t, "nmap")
	name := fmt.Sprintf("flow%d", os.Getpid())
	n := network{name + "c", name + "r", name + "s"}
	for _, ns := range []string{n.client, n.router, n.server} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("needs network namespaces: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	for _, args := range []string{
		"link add c0 netns " + n.client + " type veth peer name r0 netns " + n.router,
		"link add s0 netns " + n.server + " type veth peer name r1 netns " + n.router,
		"-n " + n.client + " addr add 10.91.0.2/24 dev c0", "-n " + n.client + " link set c0 up",
		"-n " + n.router + " addr add 10.91.0.1/24 dev r0", "-n " + n.router + " link set r0 up",
		"-n " + n.router + " addr add 10.92.0.1/24 dev r1", "-n " + n.router + " link set r1 up",
		"-n " + n.server + " addr add 10.92.0.2/24 dev s0", "-n " + n.server + " link set s0 up",
		"-n " + n.server + " link set lo up",
		"-n " + n.client + " route add default via 10.91.0.1", "-n " + n.server + " route add default via 10.92.0.1",
	} {
		run(t, "ip", strings.Fields(args)...)
	}
	run(t, "ip", "netns", "exec", n.router, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.netfilter.nf_conntrack_acct=1")
	nft := exec.Command("ip", "netns", "exec", n.router, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if out, err := nft.CombinedOutput(); err != nil {
		t.Skipf("needs nftables: %s", out)
	}
	return n
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}

// scan runs nmap in the client.
func (n network) scan(t *testing.T, args ...string) {
	t.Helper()
	run(t, "ip", append([]string{"netns", "exec", n.client, "nmap", "-n", "-Pn", "-T5", "--max-retries", "0", "--host-timeout", "30s"}, args...)...)
}

// output is what a program writes, while it runs.
type output struct {
	lines chan string
	text  strings.Builder
}

// follow starts a program, which the end of the test stops.
func follow(t *testing.T, name string, args ...string) *output {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("needs %s: %v", name, err)
	}
	o := &output{lines: make(chan string, 1024)}
	go func() {
		defer close(o.lines)
		b := make([]byte, 4096)
		for {
			n, err := pipe.Read(b)
			if n > 0 {
				o.lines <- string(b[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return o
}

// until reads on until all of some texts were written.
func (o *output) until(t *testing.T, texts ...string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		missing := ""
		for _, text := range texts {
			if !strings.Contains(o.text.String(), text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		select {
		case text, ok := <-o.lines:
			if !ok {
				t.Fatalf("ended without %q", missing)
			}
			o.text.WriteString(text)
		case <-deadline:
			t.Fatalf("no %q in\n%s", missing, o.text.String())
		}
	}
}

// whole returns the lines that were read to their end.
func (o *output) whole() string {
	text := o.text.String()
	return text[:strings.LastIndexByte(text, '\n')+1]
}

// only leaves what is of the client, but not the hundred ports that the scan is of.
func only(all map[string]string) map[string]string {
	maps.DeleteFunc(all, func(name, _ string) bool {
		return !strings.HasPrefix(name, "10.91.0.2 ") || strings.Contains(name, "tcp/1")
	})
	return all
}

// serve listens at a port in a namespace, and returns it.
func serve(t *testing.T, ns string) string {
	t.Helper()
	script := "import socket,time;s=socket.create_server(('',90));print('up',flush=True);time.sleep(600)"
	follow(t, "ip", "netns", "exec", ns, tool(t, "python3"), "-c", script).until(t, "up")
	return "90"
}

func TestConntrackLive(t *testing.T) {
	tool(t, "conntrack")
	n := newNetwork(t, `table inet t {
	chain f { type filter hook forward priority 0
		ct state new,established,related accept
	}
}
table ip n {
	chain p { type nat hook prerouting priority -100
		tcp dport 8080 dnat to 10.92.0.2:90
	}
	chain q { type nat hook postrouting priority 100
		oifname "r1" masquerade
	}
}
`)
	listen := serve(t, n.server)
	for name, options := range map[string]string{"plain": "timestamp", "extended": "timestamp,extended,id"} {
		t.Run(name, func(t *testing.T) {
			events := follow(t, "ip", "netns", "exec", n.router, "conntrack", "-E", "-o", options)
			probe := func() { n.scan(t, "-sS", "-p", "89", "10.92.0.2") }
			probe() // until conntrack listens
			for range 20 {
				if len(events.lines) > 0 {
					break
				}
				probe()
			}
			n.scan(t, "-sS", "-p", "81,"+listen, "10.92.0.2")
			n.scan(t, "-sT", "-p", "82,8080", "10.92.0.2")
			n.scan(t, "-sS", "-p", "83", "10.92.0.99")
			n.scan(t, "-sA", "-p", "84", "10.92.0.2")
			n.scan(t, "-sU", "-p", "86", "10.92.0.2")
			n.scan(t, "-sS", "-p", "100-199", "10.92.0.2")
			events.until(t, "dport=199 ", "dport=81 ", "SYN_RECV", "dport=82 ", "dport=8080 ", "dport=83 ", "dport=84 ", "dport=86 ")
			records, stats := readLog(t, events.whole())
			if stats.Malformed != 0 {
				t.Errorf("%d malformed lines", stats.Malformed)
			}
			compare(t, scansIn(t, records), map[string]string{"10.91.0.2": "vertical"})
			compare(t, only(outcomesOf(t, records)), map[string]string{
				"10.91.0.2 10.92.0.2 tcp/89":        "refused",
				"10.91.0.2 10.92.0.2 tcp/" + listen: "answered",
				"10.91.0.2 10.92.0.2 tcp/81":        "refused",
				"10.91.0.2 10.92.0.2 tcp/82":        "refused",
				"10.91.0.2 10.92.0.2 tcp/8080":      "answered",
				"10.91.0.2 10.92.0.99 tcp/83":       "silent",
				"10.91.0.2 10.92.0.2 tcp/84":        "odd",
				"10.91.0.2 10.92.0.2 udp/86":        "silent",
			})
		})
	}
}

// Rules in a namespace log only if the kernel is told so, and to the whole machine.
func TestNetfilterLive(t *testing.T) {
	const all = "/proc/sys/net/netfilter/nf_log_all_netns"
	before, err := os.ReadFile(all)
	if err != nil {
		t.Skip("needs nf_log_all_netns")
	}
	tool(t, "dmesg")
	prefix := fmt.Sprintf("flow%d", os.Getpid())
	n := newNetwork(t, strings.ReplaceAll(`table inet t {
	chain f { type filter hook forward priority 0
		iifname "r1" accept
		tcp dport 80 log prefix "NAME ACCEPT: " accept
		tcp dport 81 log prefix "NAME REJECT: " reject with tcp reset
		log prefix "NAME DROP: " drop
	}
}
`, "NAME", prefix))
	if err := os.WriteFile(all, []byte("1\n"), 0); err != nil {
		t.Skip("needs nf_log_all_netns to be writable")
	}
	t.Cleanup(func() { _ = os.WriteFile(all, bytes.TrimSpace(before), 0) })
	n.scan(t, "-sS", "-p", "80-83", "10.92.0.2")
	n.scan(t, "-sX", "-p", "84", "10.92.0.2")
	n.scan(t, "-sS", "-p", "100-199", "10.92.0.2")
	n.scan(t, "-sU", "-p", "53", "10.92.0.2")
	for name, args := range map[string][]string{"with dates": {"--time-format", "iso"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			log := new(strings.Builder)
			for line := range strings.Lines(run(t, "dmesg", args...)) {
				if strings.Contains(line, prefix) {
					_, _ = io.WriteString(log, line)
				}
			}
			if log.Len() == 0 {
				t.Skip("needs a kernel that logs")
			}
			records, stats := readLog(t, log.String())
			if stats.Malformed != 0 {
				t.Errorf("%d malformed lines", stats.Malformed)
			}
			compare(t, scansIn(t, records), map[string]string{"10.91.0.2": "vertical"})
			compare(t, only(outcomesOf(t, records)), map[string]string{
				"10.91.0.2 10.92.0.2 tcp/80": "pending",
				"10.91.0.2 10.92.0.2 tcp/81": "refused",
				"10.91.0.2 10.92.0.2 tcp/82": "silent",
				"10.91.0.2 10.92.0.2 tcp/83": "silent",
				"10.91.0.2 10.92.0.2 tcp/84": "odd",
				"10.91.0.2 10.92.0.2 udp/53": "silent",
			})
		})
	}
}
