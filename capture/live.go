package capture

import (
	"errors"
	"fmt"
	"time"
)

// Why an interface cannot be captured.
var (
	ErrNoInterface = errors.New("no such network interface")
	ErrPermission  = errors.New("not permitted to capture: needs root or CAP_NET_RAW (setcap cap_net_raw=ep on the program)")
	ErrUnsupported = errors.New("live capture is not supported")
)

// ErrRing is what OpenLive returns for a ring outside its limits.
var ErrRing = fmt.Errorf("a capture ring has %d KiB to %d MiB", MinRingBytes>>10, MaxRingBytes>>20)

// ErrProgram is what OpenLive returns where LiveConfig.Only and Filter are too
// long together.
var ErrProgram = fmt.Errorf("the packet filter is too long: the kernel takes %d instructions, those of edgescan's own filter among them", maxProgram)

// ErrRings is what OpenRings returns for a number of rings outside its limits.
var ErrRings = fmt.Errorf("an interface has 1 to %d capture rings", MaxRings)

// ErrLinkState is what Next of Live returns once when the state of its
// interface has changed, which State then tells. It ends nothing: the next
// Next goes on.
var ErrLinkState = errors.New("the interface's state has changed")

// Defaults and limits of LiveConfig.
const (
	DefaultRingBytes = 4 << 20
	MinRingBytes     = 64 << 10
	MaxRingBytes     = 1 << 30
	MaxRings         = 16
	DefaultSnaplen   = 256 // reaches the TCP flags that an ICMPv6 error quotes behind tags and extension headers
)

// pollInterval is the longest that Next of a live source waits.
const pollInterval = 200 * time.Millisecond

// LiveConfig says what to capture.
type LiveConfig struct {
	Interface string
	// RingBytes is the memory shared with the kernel, MinRingBytes to
	// MaxRingBytes, rounded down to whole blocks; 0: DefaultRingBytes. The
	// blocks are as large as suits it.
	RingBytes      int
	Snaplen        int  // bytes of each frame, at most 256 KiB; 0: DefaultSnaplen
	Promiscuous    bool // frames for other hosts too
	IgnoreOutgoing bool // only what the interface receives; loopback, which sees all twice, always does this
	Bulk           bool // let everything through: neither Filter nor Decoded has anything dropped
	// Only is a filter beside Filter: the kernel drops what it does not accept. It
	// must be made for the interface's link type; where that changes, the
	// interface is LinkUnreadable. Together they have at most 4096 instructions.
	Only Bytecode
}

// LinkState says what has become of the interface of a live source.
type LinkState uint8

// The states of an interface.
const (
	LinkUp         LinkState = iota
	LinkDown                 // it is down, or there is none of the name
	LinkRenamed              // it has another name, and no other has taken its own: its frames still come
	LinkUnreadable           // what has the name now has frames that Decode does not read, or for which Only was not made
)

// String returns the state in a word.
func (s LinkState) String() string {
	switch s {
	case LinkUp:
		return "up"
	case LinkDown:
		return "down"
	case LinkRenamed:
		return "renamed"
	case LinkUnreadable:
		return "unreadable"
	}
	return fmt.Sprint("state ", uint8(s))
}
