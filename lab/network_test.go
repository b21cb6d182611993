//go:build lab

package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The segments of a network: bridges in the gateway, which routes between
// them. The sides' hosts have these prefixes, the gateway has host number 1.
const (
	lan = "lan" // 10.50.0.0/24, fd00:50::/64
	wan = "wan" // 10.60.0.0/24, fd00:60::/64
)

var prefixes = map[string]struct{ v4, v6 string }{
	lan: {"10.50.0.", "fd00:50::"},
	wan: {"10.60.0.", "fd00:60::"},
}

// network is a gateway with hosts on two sides, each in a namespace of its own.
type network struct {
	t       *testing.T
	gateway *host
}

// host is a network namespace.
type host struct {
	t     *testing.T
	name  string // also of its interface in the gateway
	ns    string
	addr  string // its first IPv4 address
	addr6 string
}

// newNetwork makes the gateway. Everything is removed when the test ends.
func newNetwork(t *testing.T) *network {
	t.Helper()
	needRoot(t, "ip")
	n := &network{t: t}
	n.gateway = n.namespace("gateway")
	for segment := range prefixes {
		n.gateway.bridge(segment)
	}
	n.gateway.sysctl("net/ipv4/ip_forward", "1")
	n.gateway.sysctl("net/ipv6/conf/all/forwarding", "1")
	return n
}

// bridge makes a segment in the gateway.
func (h *host) bridge(segment string) {
	h.t.Helper()
	h.ip("link", "add", "name", segment, "type", "bridge")
	h.ip("link", "set", "dev", segment, "up")
	h.address(segment, prefixes[segment].v4+"1/24")
	h.address(segment, prefixes[segment].v6+"1/64")
}

func needRoot(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
}

// namespace makes a host that is connected to nothing.
func (n *network) namespace(name string) *host {
	h := &host{t: n.t, name: name, ns: fmt.Sprintf("edgescan%d-%s", os.Getpid(), name)}
	run(n.t, "ip", "netns", "add", h.ns)
	n.t.Cleanup(func() { run(n.t, "ip", "netns", "del", h.ns) })
	h.ip("link", "set", "lo", "up")
	return h
}

// join makes a host on a segment with one or more host numbers.
func (n *network) join(segment, name string, numbers ...int) *host {
	h := n.namespace(name)
	n.gateway.ip("link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", h.ns)
	n.gateway.ip("link", "set", "dev", name, "master", segment, "up")
	h.ip("link", "set", "eth0", "up")
	p := prefixes[segment]
	for _, number := range numbers {
		h.address("eth0", fmt.Sprintf("%s%d/24", p.v4, number))
		h.address("eth0", fmt.Sprintf("%s%d/64", p.v6, number))
	}
	h.ip("route", "add", "default", "via", p.v4+"1")
	h.ip("-6", "route", "add", "default", "via", p.v6+"1")
	h.addr, h.addr6 = fmt.Sprintf("%s%d", p.v4, numbers[0]), fmt.Sprintf("%s%d", p.v6, numbers[0])
	return h
}

// address adds an address that can be used at once.
func (h *host) address(link, prefix string) {
	if strings.Contains(prefix, ":") {
		h.ip("addr", "add", prefix, "dev", link, "nodad")
		return
	}
	h.ip("addr", "add", prefix, "dev", link)
}

func (h *host) ip(args ...string) {
	h.t.Helper()
	run(h.t, "ip", append([]string{"-n", h.ns}, args...)...)
}

func (h *host) sysctl(name, value string) {
	h.t.Helper()
	if err := h.do(func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0) }); err != nil {
		h.t.Fatal(err)
	}
}

// run runs a command that takes no time.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// command returns a command that runs on h; ip replaces itself by it, so that
// signals reach it.
func (h *host) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", h.ns, name}, args...)...)
}

// do runs f on a thread that lives in h's namespace: sockets opened by f stay
// there. The thread ends with f.
func (h *host) do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread must not serve others
		done <- h.enter(f)
	}()
	return <-done
}

func (h *host) enter(f func() error) error {
	ns, err := os.Open("/run/netns/" + h.ns)
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", h.ns, err)
	}
	return f()
}

// dial connects from h; address must be numeric.
func (h *host) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = h.do(func() error {
		dialer := net.Dialer{Timeout: 5 * time.Second}
		conn, err = dialer.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// listen opens a TCP port on all of h's addresses until the test ends.
func (h *host) listen(port int) net.Listener {
	h.t.Helper()
	var l net.Listener
	err := h.do(func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { l.Close() })
	return l
}
