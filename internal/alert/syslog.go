package alert

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"edgescan/internal/detect"
)

// ErrStalled is returned without a try for a while after the other end let an
// attempt run into its time limit.
var ErrStalled = errors.New("syslog stalled")

const (
	dialLimit  = time.Second            // name lookup included
	writeLimit = 100 * time.Millisecond // a full socket of a busy daemon drains in less
	holdOff    = 10 * time.Second       // after a time limit was hit
)

// Syslog sends events to a syslog daemon. It connects for each alert: alerts
// are rare, and so a daemon that restarts, a name that moves and a router that
// gets a new address need no care. The worst case for a caller is one dial
// limit and one write limit every holdOff.
type Syslog struct {
	target  Target
	host    string
	pid     int
	zone    *time.Location
	stalled time.Time // no try before
}

// NewSyslog returns a sink that sends to t: RFC 3164 to a local socket, RFC
// 5424 over UDP. Whether anybody listens shows at the first alert only.
func NewSyslog(t Target) *Syslog {
	name, err := os.Hostname()
	if err != nil {
		name = ""
	}
	return &Syslog{target: t, host: headerHost(name), pid: os.Getpid(), zone: time.Local}
}

// Alert sends e.
func (s *Syslog) Alert(e detect.Event) error {
	if time.Now().Before(s.stalled) {
		return fmt.Errorf("%w: %s", ErrStalled, s.target)
	}
	err := s.send(e)
	if n := net.Error(nil); errors.As(err, &n) && n.Timeout() {
		s.stalled = time.Now().Add(holdOff)
	}
	if err != nil {
		return fmt.Errorf("syslog to %s: %w", s.target, err)
	}
	return nil
}

// Close does nothing: no connection outlives an Alert.
func (s *Syslog) Close() error { return nil }

func (s *Syslog) send(e detect.Event) error {
	if s.target.Network == "udp" {
		return write("udp", s.target.Address, appendRFC5424(nil, e, s.pid, s.host))
	}
	// A local socket takes datagrams nearly everywhere, else a stream, which
	// wants a line end.
	message := appendRFC3164(nil, e, s.pid, s.zone)
	err := write("unixgram", s.target.Address, message)
	if errors.Is(err, syscall.EPROTOTYPE) {
		return write("unix", s.target.Address, append(message, '\n'))
	}
	return err
}

// write connects, writes message and closes.
func write(network, address string, message []byte) (err error) {
	conn, err := net.DialTimeout(network, address, dialLimit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	_, err = conn.Write(message)
	return err
}
