//go:build !linux

package capture

import (
	"fmt"
	"runtime"
)

// Live is a source that only Linux has.
type Live struct{ Source }

// OpenLive returns ErrUnsupported.
func OpenLive(LiveConfig) (*Live, error) {
	return nil, fmt.Errorf("%w on %s: it needs Linux", ErrUnsupported, runtime.GOOS)
}

// OpenRings returns ErrUnsupported.
func OpenRings(cfg LiveConfig, _ int) ([]*Live, error) {
	_, err := OpenLive(cfg)
	return nil, err
}

// Buffered returns 0.
func (l *Live) Buffered() int { return 0 }

// State returns LinkDown.
func (l *Live) State() LinkState { return LinkDown }

// Link returns nothing of use.
func (l *Live) Link() LinkType { return 0 }

// Name returns nothing.
func (l *Live) Name() string { return "" }

// Decoded does nothing.
func (l *Live) Decoded(*Packet) {}
