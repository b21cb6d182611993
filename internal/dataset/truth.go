package dataset

import (
	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// Classes are the classes of a sample and of the network's logits, in order.
var Classes = []string{"benign", string(detect.Vertical), string(detect.Horizontal), string(detect.Block)}

// Benign is the class that is no scan. Unclear is no class: the label of maps
// that are neither clearly a scan nor clearly none.
const (
	Benign  = 0
	Unclear = -1
)

// minProbes is, for each window, the least number of distinct probes in it for
// its map to be called a scan: below it nobody could tell. The longer a window,
// the more of what goes wrong anyway adds up in it.
var minProbes = [len(featurize.Windows)]int{5, 5, 5, 5, 6, 8}

// minShare is how many of a map's doubtful contacts must be probes, as one in
// minShare, for the map to be called a scan.
const minShare = 6

// truth knows which sources probed what and when.
type truth map[capture.Addr]*history

type history struct {
	probes []probe
	seen   map[probed]int // index of the latest probe of the same target
}

type probed struct {
	dst   capture.Addr
	proto capture.Proto
	port  uint16
}

type probe struct {
	probed
	time int64
}

// note records a frame that is a scan's probe.
func (t truth) note(p *capture.Packet) {
	if p.Fragment == capture.FragmentLater {
		return
	}
	k := probed{p.Dst, p.Proto, p.DstPort}
	if p.Proto == capture.ProtoICMPv6 && p.Type == capture.ICMP6NeighborSol {
		k = probed{p.Quote.Dst, capture.ProtoARP, 0}
	}
	h := t[p.Src]
	if h == nil {
		h = &history{seen: map[probed]int{}}
		t[p.Src] = h
	}
	if i, ok := h.seen[k]; ok {
		h.probes[i].proto = capture.ProtoNone // superseded by the later one
	}
	h.seen[k] = len(h.probes)
	h.probes = append(h.probes, probe{k, p.Time})
}

// label returns the class of a look, or Unclear.
func (t truth) label(l *detect.Look) int {
	h := t[l.Source]
	if h == nil {
		return Benign
	}
	since := l.Time - featurize.Windows[l.Window]
	var shape detect.Shape
	n := 0
	for i := len(h.probes) - 1; i >= 0 && h.probes[i].time >= since; i-- {
		if p := &h.probes[i]; p.proto != capture.ProtoNone {
			n++
			shape.Add(&featurize.Contact{Dst: p.dst, Proto: p.proto, Port: p.port})
		}
	}
	switch {
	case n == 0:
		return Benign
	case n < minProbes[l.Window] || n*minShare < l.Summary.Doubtful || n > 2*l.Summary.Contacts:
		return Unclear // too few of them, or hidden in the rest, or not to be seen
	}
	for class, name := range Classes {
		if name == string(shape.Kind()) {
			return class
		}
	}
	return Unclear
}
