package main

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// ownNetworks returns the networks of this machine's interfaces. Of an
// interface that leads to the Internet these are the provider's: there only the
// machine's own address is inside, unless the network is a private one.
func ownNetworks() ([]netip.Prefix, error) {
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
