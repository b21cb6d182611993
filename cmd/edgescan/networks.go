package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
	"edgescan/internal/policy"
)

// networksEvery is how often the networks of this machine are looked up: a
// provider may give it another address at any time.
const networksEvery = 30 * time.Second

// ownNetworks are the networks of this machine's interfaces, as of late.
type ownNetworks struct {
	log      zerolog.Logger
	prefixes []netip.Prefix
	held     atomic.Pointer[policy.Networks]
}

// newOwnNetworks looks up the networks of this machine.
func newOwnNetworks(log zerolog.Logger) *ownNetworks {
	n := &ownNetworks{log: log}
	n.held.Store(&policy.Networks{})
	if err := n.look(); err != nil {
		log.Warn().Err(err).Msg("the networks of this machine cannot be told, give them with --inside")
	}
	return n
}

// hold reports whether an address is in one of the networks. Of nil none is.
func (n *ownNetworks) hold(a capture.Addr) bool { return n != nil && n.held.Load().Hold(a) }

// keep looks up the networks again and again until ctx ends. What cannot be told
// any more stays as it was.
func (n *ownNetworks) keep(ctx context.Context) {
	tick := time.NewTicker(networksEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = n.look() // the next time it may succeed
		}
	}
}

// look looks up the networks, and tells of them if they are others.
func (n *ownNetworks) look() error {
	found, err := lookUpNetworks()
	if err != nil || n.prefixes != nil && slices.Equal(found, n.prefixes) {
		return err
	}
	n.prefixes = found
	held := policy.NewNetworks(found)
	n.held.Store(&held)
	var texts []string
	for _, p := range found {
		texts = append(texts, p.String())
	}
	n.log.Info().Strs("networks", texts).Msg("networks of this machine, which are inside")
	return nil
}

// lookUpNetworks returns the networks of this machine's interfaces. Of an
// interface that leads to the Internet these are the provider's: there only the
// machine's own address is inside, unless the network is a private one.
func lookUpNetworks() ([]netip.Prefix, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	uplinks := defaultRoutes(readRoutes())
	var networks []netip.Prefix
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			return networks, err
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				networks = append(networks, ownNetwork(p, slices.Contains(uplinks, i.Name)))
			}
		}
	}
	slices.SortFunc(networks, netip.Prefix.Compare)
	return slices.Compact(networks), nil
}

// ownNetwork returns what is inside of an interface that has an address with a
// prefix.
func ownNetwork(p netip.Prefix, uplink bool) netip.Prefix {
	a := p.Addr()
	if uplink && !a.IsPrivate() && !a.IsLinkLocalUnicast() {
		return netip.PrefixFrom(a, a.BitLen())
	}
	return p.Masked()
}

// readRoutes returns the kernel's tables of routes, IPv4 and IPv6; a family that
// it lacks has none. They lie in /proc/self, which a program that has given up
// its files still reads.
func readRoutes() (ipv4, ipv6 string) {
	v4, _ := os.ReadFile("/proc/self/net/route")
	v6, _ := os.ReadFile("/proc/self/net/ipv6_route")
	return string(v4), string(v6)
}

// defaultRoutes returns the interfaces that default routes lead to.
func defaultRoutes(ipv4, ipv6 string) []string {
	var names []string
	for line := range strings.Lines(ipv4) {
		// Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
		if f := strings.Fields(line); len(f) > 7 && f[1] == "00000000" && f[7] == "00000000" {
			names = append(names, f[0])
		}
	}
	for line := range strings.Lines(ipv6) {
		// destination, its length, source, its length, next hop, metric, references, use, flags, interface;
		// what is refused has a default route by lo
		if f := strings.Fields(line); len(f) > 9 && f[1] == "00" && strings.Trim(f[0], "0") == "" {
			names = append(names, f[9])
		}
	}
	return names
}
