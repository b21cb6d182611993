package flow

import (
	"math"
	"net/netip"

	"edgescan/capture"
)

// What logs are made of, read without allocating. Each function reports false for
// what it cannot take.

// number reads a decimal number without sign.
func number(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// port reads a port.
func port(b []byte) (uint16, bool) {
	n, ok := number(b)
	return uint16(n), ok && n <= math.MaxUint16
}

// seconds reads seconds with up to nine decimals, and returns nanoseconds. It is
// for times since 1970 and for durations, up to the year 2262.
func seconds(b []byte) (int64, bool) {
	whole, fraction := b, []byte(nil)
	for i, c := range b {
		if c == '.' {
			whole, fraction = b[:i], b[i+1:]
			break
		}
	}
	n, ok := number(whole)
	if !ok || n > 9_000_000_000 {
		return 0, false
	}
	ns, scale := int64(n)*1e9, int64(1e8)
	for _, c := range fraction {
		if c < '0' || c > '9' {
			return 0, false
		}
		ns += int64(c-'0') * scale
		scale /= 10
	}
	return ns, true
}

// address reads an IPv4 or IPv6 address.
func address(b []byte) (a capture.Addr, ok bool) {
	if a, ok := address4(b); ok {
		return a, true
	}
	ip, err := netip.ParseAddr(string(b))
	if err != nil {
		return a, false
	}
	return capture.AddrFrom(ip), true
}

// address4 reads four decimal numbers.
func address4(b []byte) (a capture.Addr, ok bool) {
	a = capture.Addr{10: 0xff, 11: 0xff}
	at, n, digits := 12, 0, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9' && digits < 3:
			n = n*10 + int(c-'0')
			digits++
		case c == '.' && digits > 0 && n <= 255 && at < 15:
			a[at] = byte(n)
			at, n, digits = at+1, 0, 0
		default:
			return a, false
		}
	}
	if at != 15 || digits == 0 || n > 255 {
		return a, false
	}
	a[15] = byte(n)
	return a, true
}

// protocol reads the name or number of a protocol. One that no Packet has is
// ProtoNone.
func protocol(b []byte) (capture.Proto, bool) {
	switch string(b) {
	case "tcp", "TCP", "6":
		return capture.ProtoTCP, true
	case "udp", "UDP", "17":
		return capture.ProtoUDP, true
	case "icmp", "ICMP", "1":
		return capture.ProtoICMP, true
	case "icmp6", "ICMP6", "ipv6-icmp", "IPv6-ICMP", "ICMPv6", "icmpv6", "58":
		return capture.ProtoICMPv6, true
	case "arp", "ARP":
		return capture.ProtoARP, true
	}
	return capture.ProtoNone, len(b) > 0
}
