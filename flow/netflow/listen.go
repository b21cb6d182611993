package netflow

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"edgescan/capture"
)

// ErrAddress says that an address is none to listen on.
var ErrAddress = errors.New("no address to receive flows on")

// Scheme is what such an address begins with.
const Scheme = "udp://"

// pollInterval is how long Next waits, as that of a live capture does.
const pollInterval = 200 * time.Millisecond

// receiveBuffer is what is asked of the kernel to hold until it is read, bytes:
// exporters send what has expired in a minute at once.
const receiveBuffer = 4 << 20

// maxDatagram is the longest that UDP carries, bytes.
const maxDatagram = 65535

// Datagram is one that came.
type Datagram struct {
	Exporter netip.Addr // IPv4 unmapped, without zone
	Time     int64      // when it was read, nanoseconds since 1970-01-01 UTC
	Data     []byte     // belongs to the Listener, and is valid until its next Next
}

// ListenStats counts what has come to a socket.
type ListenStats struct {
	Datagrams uint64 // from exporters that are allowed
	Refused   uint64 // from others: they were left out
	Dropped   uint64 // by the kernel, because they were not read in time; 0 where it does not tell
}

// Listener is a socket that exporters send to. Next serves one goroutine; Close
// may be called from another.
type Listener struct {
	conn     *net.UDPConn
	allowed  []netip.Prefix
	buffer   []byte
	control  []byte
	deadline time.Time
	stats    ListenStats
	drops    uint32 // what the kernel has counted, in 32 bits
}

// ParseAddress reads udp://ADDRESS:PORT. Without an address it is all of this
// machine's. The error wraps ErrAddress.
func ParseAddress(s string) (netip.AddrPort, error) {
	rest, ok := strings.CutPrefix(s, Scheme)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q: %w: want %sADDRESS:PORT, such as %s127.0.0.1:2055", s, ErrAddress, Scheme, Scheme)
	}
	if strings.HasPrefix(rest, ":") {
		rest = "[::]" + rest
	}
	a, err := netip.ParseAddrPort(rest)
	if err != nil || a.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q: %w: want %sADDRESS:PORT with an address in numbers, such as %s[::1]:2055", s, ErrAddress, Scheme, Scheme)
	}
	return a, nil
}

// Listen opens a socket on an address that ParseAddress can read. Datagrams from
// exporters outside the allowed prefixes are counted and left out; nil allows all,
// which off loopback lets anybody tell of flows that never were. The error wraps
// ErrAddress, or is the system's.
func Listen(addr string, allowed []netip.Prefix) (*Listener, error) {
	a, err := ParseAddress(addr)
	if err != nil {
		return nil, err
	}
	return listen(a, allowed)
}

func listen(a netip.AddrPort, allowed []netip.Prefix) (*Listener, error) {
	network := "udp"
	if a.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(a))
	if err != nil {
		return nil, fmt.Errorf("receive flows on %s: %w", a, err)
	}
	prepare(conn)
	return &Listener{
		conn: conn, allowed: allowed,
		buffer: make([]byte, maxDatagram), control: make([]byte, controlSize),
	}, nil
}

// Addr returns the address that is listened on.
func (l *Listener) Addr() netip.AddrPort { return l.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Next waits for the next datagram. It returns capture.ErrTimeout if none came
// within a fifth of a second, os.ErrClosed after Close, and what else the socket
// fails with.
func (l *Listener) Next(d *Datagram) error {
	for {
		now := time.Now()
		if l.deadline.Sub(now) < pollInterval/2 { // not for each of many
			l.deadline = now.Add(pollInterval)
			if err := l.conn.SetReadDeadline(l.deadline); err != nil {
				return ended(err)
			}
		}
		n, control, _, from, err := l.conn.ReadMsgUDPAddrPort(l.buffer, l.control)
		if err != nil {
			l.deadline = time.Time{}
			return ended(err)
		}
		l.count(l.control[:control])
		d.Exporter = from.Addr().Unmap().WithZone("")
		if !l.allows(d.Exporter) {
			l.stats.Refused++
			if time.Now().Before(l.deadline) {
				continue
			}
			return capture.ErrTimeout // a flood must not stop the caller's clock
		}
		l.stats.Datagrams++
		d.Time, d.Data = time.Now().UnixNano(), l.buffer[:n]
		return nil
	}
}

// ended returns what Next does of a socket's error.
func ended(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return capture.ErrTimeout
	case errors.Is(err, net.ErrClosed):
		return os.ErrClosed
	}
	return fmt.Errorf("receive flows: %w", err)
}

// allows reports whether an exporter is one of those that may send.
func (l *Listener) allows(exporter netip.Addr) bool {
	for _, p := range l.allowed {
		if p.Contains(exporter) {
			return true
		}
	}
	return l.allowed == nil
}

// Stats returns what was counted so far. It is for the goroutine that calls Next.
func (l *Listener) Stats() ListenStats { return l.stats }

// Close closes the socket, and ends a Next that waits.
func (l *Listener) Close() error { return l.conn.Close() }
