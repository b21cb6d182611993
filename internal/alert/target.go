package alert

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// ErrTarget is what ParseTarget's errors wrap.
var ErrTarget = errors.New("bad syslog target")

// LocalSocket is where the local syslog daemon listens: rsyslog, syslog-ng,
// journald, OpenWrt's logd and BusyBox.
const LocalSocket = "/dev/log"

// Target says where syslog messages go.
type Target struct {
	Network string // "unix", or "udp"
	Address string // path, or host:port
}

// ParseTarget reads the value of a --syslog flag: "local" or nothing for the
// local daemon, "unix:///path" for another socket, "udp://host:port" for a
// collector.
func ParseTarget(s string) (Target, error) {
	switch scheme, rest, _ := strings.Cut(s, "://"); {
	case s == "" || s == "local":
		return Target{"unix", LocalSocket}, nil
	case scheme == "unix" && strings.HasPrefix(rest, "/"):
		return Target{"unix", rest}, nil
	case scheme == "udp":
		if err := checkHostPort(rest); err != nil {
			return Target{}, fmt.Errorf("%w %q: %w", ErrTarget, s, err)
		}
		return Target{"udp", rest}, nil
	}
	return Target{}, fmt.Errorf("%w %q: use local, unix:///path or udp://host:port", ErrTarget, s)
}

func checkHostPort(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("use udp://host:port, an IPv6 address in brackets: %w", err)
	}
	if host == "" {
		return errors.New("use udp://host:port: the host is missing")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("use udp://host:port: the port must be 1 to 65535")
	}
	return nil
}

// String returns the target as ParseTarget takes it.
func (t Target) String() string { return t.Network + "://" + t.Address }
