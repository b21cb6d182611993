package flow

import (
	"bytes"
	"math"
	"time"

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

// octet reads a number below 256.
func octet(b []byte) (uint8, bool) {
	n, ok := port(b)
	return uint8(n), ok && n <= math.MaxUint8
}

// mostSeconds is the largest number of seconds that is read: since 1970, up to the
// year 2255.
const mostSeconds = 9_000_000_000

// seconds reads seconds with up to nine decimals, and returns nanoseconds. It is
// for times since 1970 and for durations.
func seconds(b []byte) (int64, bool) {
	whole, fraction := b, []byte(nil)
	for i, c := range b {
		if c == '.' {
			whole, fraction = b[:i], b[i+1:]
			break
		}
	}
	n, ok := number(whole)
	if !ok || n > mostSeconds {
		return 0, false
	}
	ns, ok := decimals(fraction)
	return int64(n)*1e9 + ns, ok
}

// epoch reads seconds or, without decimals, milliseconds since 1970, and returns
// nanoseconds.
func epoch(b []byte) (int64, bool) {
	if n, ok := number(b); ok && n > mostSeconds {
		return int64(n) * int64(time.Millisecond), n <= mostSeconds*1000
	}
	return seconds(b)
}

// decimals reads what stands behind the point of seconds, and returns nanoseconds.
func decimals(b []byte) (ns int64, ok bool) {
	scale := int64(1e8)
	for _, c := range b {
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
	return address6(b)
}

// address6 reads an IPv6 address (RFC 4291, 2.2). A zone (RFC 4007) is left out.
func address6(b []byte) (a capture.Addr, ok bool) {
	if zone := bytes.IndexByte(b, '%'); zone >= 0 {
		if zone == len(b)-1 {
			return a, false
		}
		b = b[:zone]
	}
	at, gap := 0, -1 // bytes that are read, and where the zeros of :: belong
	if len(b) > 1 && b[0] == ':' && b[1] == ':' {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		n, digits := hexadecimal(b)
		switch rest := b[digits:]; {
		case at == 16:
			return a, false
		case len(rest) > 0 && rest[0] == '.' && at <= 12: // IPv4 at the end
			four, ok := address4(b)
			copy(a[at:], four[12:])
			at += 4
			if !ok {
				return a, false
			}
			b = nil
			continue
		case digits == 0 || digits > 4:
			return a, false
		}
		a[at], a[at+1] = byte(n>>8), byte(n)
		at, b = at+2, b[digits:]
		switch {
		case len(b) == 0:
		case b[0] != ':' || len(b) == 1:
			return a, false
		case b[1] == ':':
			if gap >= 0 {
				return a, false
			}
			gap, b = at, b[2:]
		default:
			b = b[1:]
		}
	}
	if gap < 0 || at == 16 {
		return a, gap < 0 && at == 16
	}
	tail := copy(a[16-(at-gap):], a[gap:at])
	clear(a[gap : 16-tail])
	return a, true
}

// hexadecimal reads hexadecimal digits, five at most, and returns how many there are.
func hexadecimal(b []byte) (n uint32, digits int) {
	for _, c := range b[:min(len(b), 5)] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint32(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | uint32(c|0x20-'a'+10)
		default:
			return n, digits
		}
		digits++
	}
	return n, digits
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

// flagNames are TCP's flags, from the lowest bit on.
var flagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}

// flagLetters reads TCP flags as nfdump, Argus and others write them: a letter
// each, dots and blanks for those that are not set.
func flagLetters(b []byte) (flags capture.Flags) {
	for _, c := range b {
		for bit, name := range flagNames {
			if c == name[0] {
				flags |= 1 << bit
			}
		}
	}
	return flags
}

// flagNamed reads a TCP flag's name; of any other word there is none.
func flagNamed(b []byte) capture.Flags {
	for bit, name := range flagNames {
		if string(b) == name {
			return 1 << bit
		}
	}
	return 0
}

// words takes a line apart at blanks.
type words struct{ rest []byte }

// next returns the next word, empty at the end.
func (w *words) next() []byte {
	b := w.rest
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	end := 0
	for end < len(b) && b[end] != ' ' && b[end] != '\t' {
		end++
	}
	w.rest = b[end:]
	return b[:end]
}

// skip takes one character, if it is next.
func (w *words) skip(c byte) bool {
	if len(w.rest) == 0 || w.rest[0] != c {
		return false
	}
	w.rest = w.rest[1:]
	return true
}
