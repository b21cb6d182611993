package policy

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"edgescan/capture"
)

// address is a capture.Addr in the form that is compared in two steps.
type address struct {
	hi, lo uint64
	is4    bool
}

func newAddress(a *capture.Addr) address {
	return address{binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:]), a.Is4()}
}

// block is a range of addresses: of one family, unlike the bits of
// capture.Addr, in which IPv4 lies within IPv6. The zero block holds everything.
type block struct {
	given  bool
	prefix address
	hi, lo uint64 // bits that count
}

func newBlock(p netip.Prefix) block {
	if !p.IsValid() {
		return block{}
	}
	a := capture.AddrFrom(p.Addr())
	bits := p.Bits()
	if a.Is4() {
		bits += 96
	}
	// A shift by 64 and more gives 0.
	b := block{given: true, prefix: newAddress(&a), hi: ^uint64(0), lo: ^uint64(0) << (128 - max(64, bits))}
	if bits < 64 {
		b.hi <<= 64 - bits
	}
	return b
}

func (b *block) holds(a *address) bool {
	return !b.given || (a.hi^b.prefix.hi)&b.hi|(a.lo^b.prefix.lo)&b.lo == 0 && a.is4 == b.prefix.is4
}

// ParsePrefix reads an address or a prefix of IPv4 or IPv6.
func ParsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		if a = a.Unmap(); a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%s names an interface: leave %%%s out", quote(text), a.Zone())
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is no address and no prefix, as 10.0.0.9, 10.0.0.0/8 or 2001:db8::/32 are", quote(text))
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%s is IPv4 written as IPv6: write it as IPv4", quote(text))
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits set behind its length: write %s for the network, or %s for the host", quote(text), p.Masked(), p.Addr())
	}
	return p, nil
}

// Networks are the addresses that are inside.
type Networks []block

// NewNetworks returns the addresses of all prefixes.
func NewNetworks(prefixes []netip.Prefix) Networks {
	var n Networks
	for _, p := range prefixes {
		n = append(n, newBlock(p))
	}
	return n
}

// Private returns the prefixes whose addresses cannot come from the Internet:
// RFC 1918, link-local (RFC 3927, RFC 4291) and unique local ones (RFC 4193).
func Private() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"} {
		prefixes = append(prefixes, netip.MustParsePrefix(p))
	}
	return prefixes
}

// Hold reports whether an address is in one of the networks.
func (n Networks) Hold(a capture.Addr) bool {
	is := newAddress(&a)
	for i := range n {
		if n[i].holds(&is) {
			return true
		}
	}
	return false
}
