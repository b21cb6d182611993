package capture

import (
	"errors"
	"time"
)

// Why an interface cannot be captured.
var (
	ErrNoInterface = errors.New("no such network interface")
	ErrPermission  = errors.New("not permitted to capture: needs root or CAP_NET_RAW (setcap cap_net_raw=ep on the program)")
	ErrUnsupported = errors.New("live capture is not supported")
)

// Defaults of LiveConfig.
const (
	DefaultRingBytes = 4 << 20
	DefaultSnaplen   = 256 // reaches the TCP flags that an ICMPv6 error quotes behind tags and extension headers
)

// pollInterval is the longest that Next of a live source waits.
const pollInterval = 200 * time.Millisecond

// LiveConfig says what to capture.
type LiveConfig struct {
	Interface      string
	RingBytes      int  // memory shared with the kernel, rounded down to whole blocks; 0: DefaultRingBytes
	Snaplen        int  // bytes of each frame; 0: DefaultSnaplen
	Promiscuous    bool // frames for other hosts too
	IgnoreOutgoing bool // only what the interface receives; loopback, which sees all twice, always does this
	BulkTCP        bool // let the frames through that Filter drops
}
