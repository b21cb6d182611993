package dataset

import (
	"math/rand/v2"
	"time"

	"edgescan/capture"
	"edgescan/internal/meter"
	"edgescan/internal/synth"
)

// Views says in which ways scenes are seen.
type Views uint8

// The ways.
const (
	Packets Views = iota // half of the scenes through the kernel filter, as a live interface is
	Flows                // as what exporters of all kinds tell of them
)

// view shows the frames of a scene to a player.
type view interface {
	frame(f *synth.Frame, p *capture.Packet)
	flush()
}

// newView draws how a scene is seen.
func newView(views Views, rng *rand.Rand, player *player) (view, error) {
	if views == Flows {
		return newFlowView(rng, player), nil
	}
	if rng.IntN(2) == 0 {
		return packetView{player, nil}, nil
	}
	filter, err := capture.NewFrameFilter(capture.LinkTypeEthernet)
	if err != nil {
		return nil, err
	}
	return packetView{player, filter.Keep}, nil
}

// packetView shows packets as they are, if keep accepts them.
type packetView struct {
	player *player
	keep   func(frame []byte) bool // nil: all
}

func (v packetView) frame(f *synth.Frame, p *capture.Packet) {
	if f.Probe {
		v.player.truth.note(p) // kept or not: its answer may be seen
	}
	if v.keep == nil || v.keep(f.Data) {
		v.player.engine.Add(p)
	}
}

func (packetView) flush() {}

// flowView shows packets as they come back out of flow records. A probe counts
// as made when the flow that tells of it comes: of those that were not sampled
// nobody knows.
type flowView struct {
	view   *meter.View
	probes map[attempt]struct{}
}

// attempt names what a flow's first packet tries.
type attempt struct {
	src capture.Addr
	probed
}

func attemptOf(p *capture.Packet) attempt { return attempt{p.Src, probed{p.Dst, p.Proto, p.DstPort}} }

func newFlowView(rng *rand.Rand, player *player) *flowView {
	v := &flowView{probes: map[attempt]struct{}{}}
	v.view = meter.NewView(drawExporter(rng), rng, func(p *capture.Packet) {
		if _, ok := v.probes[attemptOf(p)]; ok {
			player.truth.note(p)
		}
		player.engine.Add(p)
	})
	return v
}

func (v *flowView) frame(f *synth.Frame, p *capture.Packet) {
	if f.Probe {
		v.probes[attemptOf(p)] = struct{}{}
	}
	v.view.Add(p)
}

func (v *flowView) flush() { v.view.Flush() }

// drawExporter draws a kind of exporter: probes that know connections, and routers
// that know only one way; with the timeouts that they come with, and sampling as
// fast routers have it.
func drawExporter(rng *rand.Rand) meter.Config {
	choose := func(values ...int) int { return values[rng.IntN(len(values))] }
	c := meter.Config{
		Inactive: int64(choose(5, 15, 15, 15, 30, 60, 300)) * int64(time.Second),
		Active:   int64(choose(60, 60, 120, 300, 1800)) * int64(time.Second),
		AtEnd:    rng.IntN(3) > 0,
		Biflow:   rng.IntN(2) == 0,
		NoFlags:  rng.IntN(10) == 0,
	}
	if rng.IntN(3) == 0 {
		c.Sampling = choose(4, 10, 10, 32, 100, 100, 512)
	} else {
		c.Complete = c.Biflow && rng.IntN(2) == 0
	}
	return c
}
