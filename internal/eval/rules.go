package eval

import (
	"math"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
)

// Rule is a detector that sees contacts one by one, each when its outcome is
// known, and again if a late answer changes it.
type Rule interface {
	Name() string
	// See takes a contact of a source and reports whether the source is
	// scanning.
	See(source uint32, c *featurize.Contact, now int64) bool
	// Forget drops what is known of a source.
	Forget(source uint32)
}

// Threshold is the scan policy that Zeek had: a source scans that fails on
// maxHosts hosts, or on maxPorts ports of one host, within a window.
type Threshold struct {
	AllProtocols bool // else TCP only, as Zeek's
	sources      map[uint32]*failures
}

const (
	thresholdHosts  = 25
	thresholdPorts  = 15
	thresholdWindow = int64(5 * time.Minute)
)

// failures holds the latest failure on each host, and on each of its ports.
type failures struct {
	hosts map[capture.Addr]int64
	ports map[capture.Addr]map[uint16]int64
}

// Name implements Rule.
func (t *Threshold) Name() string { return "threshold" + suffix(t.AllProtocols) }

func suffix(all bool) string {
	if all {
		return ", all protocols"
	}
	return ", TCP"
}

// See implements Rule.
func (t *Threshold) See(source uint32, c *featurize.Contact, now int64) bool {
	if !c.Failed() || !t.AllProtocols && c.Proto != capture.ProtoTCP {
		return false
	}
	if t.sources == nil {
		t.sources = map[uint32]*failures{}
	}
	f := t.sources[source]
	if f == nil {
		f = &failures{map[capture.Addr]int64{}, map[capture.Addr]map[uint16]int64{}}
		t.sources[source] = f
	}
	if f.ports[c.Dst] == nil {
		f.ports[c.Dst] = map[uint16]int64{}
	}
	f.hosts[c.Dst] = now
	f.ports[c.Dst][c.Port] = now
	return recent(f.hosts, now) >= thresholdHosts || recent(f.ports[c.Dst], now) >= thresholdPorts
}

// recent counts what lies within the window, and forgets the rest.
func recent[K comparable](m map[K]int64, now int64) int {
	for k, at := range m {
		if now-at > thresholdWindow {
			delete(m, k)
		}
	}
	return len(m)
}

// Forget implements Rule.
func (t *Threshold) Forget(source uint32) { delete(t.sources, source) }

// TRW is threshold random walk (Jung, Paxson, Berger, Balakrishnan: Fast
// portscan detection using sequential hypothesis testing, 2004): each first
// contact with a host moves a likelihood ratio, up where it fails, down where
// it succeeds, until one of two bounds is crossed.
type TRW struct {
	PerContact   bool // each (host, protocol, port) is a step, not only each host: more than the paper's, it sees vertical scans too
	AllProtocols bool // else TCP only, as in the paper
	sources      map[uint32]*walk
}

// The parameters of the paper's evaluation.
const (
	trwTheta0 = 0.8  // chance that a benign host's first contact succeeds
	trwTheta1 = 0.2  // chance that a scanner's does
	trwAlpha  = 0.01 // wanted share of false alarms
	trwBeta   = 0.99 // wanted share of scans found
)

var (
	trwSuccess = math.Log(trwTheta1 / trwTheta0)
	trwFailure = math.Log((1 - trwTheta1) / (1 - trwTheta0))
	trwScanner = math.Log(trwBeta / trwAlpha)
	trwBenign  = math.Log((1 - trwBeta) / (1 - trwAlpha))
)

type walk struct {
	seen  map[step]struct{}
	ratio float64 // logarithm of the likelihood ratio
}

// step is what a walk takes one step for.
type step struct {
	dst   capture.Addr
	proto capture.Proto
	port  uint16
}

// Name implements Rule.
func (t *TRW) Name() string {
	if t.PerContact {
		return "TRW by contacts" + suffix(t.AllProtocols)
	}
	return "TRW by hosts" + suffix(t.AllProtocols)
}

// See implements Rule. A walk that ends at the benign bound starts again, as
// the paper's detector does for hosts that it goes on watching.
func (t *TRW) See(source uint32, c *featurize.Contact, _ int64) bool {
	if c.Expired() || !t.AllProtocols && c.Proto != capture.ProtoTCP {
		return false
	}
	if t.sources == nil {
		t.sources = map[uint32]*walk{}
	}
	w := t.sources[source]
	if w == nil {
		w = &walk{seen: map[step]struct{}{}}
		t.sources[source] = w
	}
	key := step{dst: c.Dst}
	if t.PerContact {
		key.proto, key.port = c.Proto, c.Port
	}
	if _, seen := w.seen[key]; seen {
		return false
	}
	w.seen[key] = struct{}{}
	if c.Failed() {
		w.ratio += trwFailure
	} else {
		w.ratio += trwSuccess
	}
	if w.ratio <= trwBenign {
		w.ratio = 0
	}
	return w.ratio >= trwScanner
}

// Forget implements Rule.
func (t *TRW) Forget(source uint32) { delete(t.sources, source) }
