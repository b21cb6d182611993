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

// portTLS is IANA's port of syslog over TLS (RFC 5425), which is the default
// there. Over UDP and TCP none is: 514/tcp belongs to the remote shell.
const portTLS = "6514"

// Target says where alerts go.
type Target struct {
	Network string // "unix", "udp", "tcp" or "tls"
	Address string // path, or host:port
}

// targetForms is what ParseTarget takes.
const targetForms = "use local, unix:///path, udp://host:port, tcp://host:port or tls://host[:port]"

// ParseTarget reads the value of a --syslog flag: "local" or nothing for the
// local daemon, "unix:///path" for another socket, "udp://host:port",
// "tcp://host:port" or "tls://host:port" for a collector.
func ParseTarget(s string) (Target, error) {
	switch scheme, rest, _ := strings.Cut(s, "://"); {
	case s == "" || s == "local":
		return Target{"unix", LocalSocket}, nil
	case scheme == "unix" && strings.HasPrefix(rest, "/"):
		return Target{"unix", rest}, nil
	case scheme == "tls" && !hasPort(rest):
		return ParseTarget(s + ":" + portTLS)
	case scheme == "udp" || scheme == "tcp" || scheme == "tls":
		if err := checkHostPort(scheme, rest); err != nil {
			return Target{}, fmt.Errorf("%w %q: %w", ErrTarget, s, err)
		}
		return Target{scheme, rest}, nil
	}
	return Target{}, fmt.Errorf("%w %q: %s", ErrTarget, s, targetForms)
}

// hasPort reports whether s, a name or address (IPv6 in brackets), goes on
// after it. What is nothing of the kind is left to checkHostPort.
func hasPort(s string) bool {
	return s == "" || strings.Contains(s[strings.LastIndexByte(s, ']')+1:], ":")
}

func checkHostPort(scheme, s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("use %s://host:port, an IPv6 address in brackets: %w", scheme, err)
	}
	if host == "" {
		return fmt.Errorf("use %s://host:port: the host is missing", scheme)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("use %s://host:port: the port must be 1 to 65535", scheme)
	}
	return nil
}

// String returns the target as ParseTarget takes it.
func (t Target) String() string { return t.Network + "://" + t.Address }

// Host returns the name or address of a target that is reached by network,
// else nothing.
func (t Target) Host() string {
	if t.Network == "unix" {
		return ""
	}
	host, _, _ := net.SplitHostPort(t.Address) // as ParseTarget checked
	return host
}

// TCPPort returns the port of a target that is reached over TCP, else 0.
func (t Target) TCPPort() uint16 {
	if t.Network != "tcp" && t.Network != "tls" {
		return 0
	}
	_, port, _ := net.SplitHostPort(t.Address)
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint16(n)
}

// FolderName is how the target's folder of a spool is called.
func (t Target) FolderName() string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, t.String())
}
