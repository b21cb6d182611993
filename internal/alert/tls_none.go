//go:build notls || (device && (mips || mipsle))

package alert

import (
	"context"
	"fmt"
	"net"
)

// Security is nothing: TLS does not fit into the 8 MiB of the smallest devices.
type Security struct{}

// LoadSecurity fails.
func LoadSecurity(_, _, _ string) (*Security, error) {
	return nil, fmt.Errorf("%w: this build has no TLS, for want of room; use tcp:// or udp://", ErrSecurity)
}

func (s *Security) handshake(context.Context, net.Conn, string) (net.Conn, error) {
	return nil, ErrSecurity
}
