package meter

import (
	"math/rand/v2"

	"edgescan/capture"
	"edgescan/flow"
)

// View shows packets as they come back out of flow records: through a Meter and a
// flow.Player.
type View struct {
	meter  *Meter
	player *flow.Player
}

// NewView returns a View through an exporter that gives packets to emit, which
// must not keep them. rng may be nil where nothing is sampled.
func NewView(cfg Config, rng *rand.Rand, emit func(*capture.Packet)) *View {
	player := flow.NewPlayer(flow.DefaultHeld, emit)
	return &View{meter: New(cfg, rng, player.Add), player: player}
}

// Add shows a packet.
func (v *View) Add(p *capture.Packet) {
	v.meter.Add(p)
	v.player.Advance(p.Time)
}

// Flush shows what is held.
func (v *View) Flush() {
	v.meter.Flush()
	v.player.Flush()
}
