package meter

import (
	"math/rand/v2"

	"edgescan/capture"
	"edgescan/flow"
)

// View shows packets as they come back out of flow records: through a Meter, a
// Joiner, and Record.Packets.
type View struct {
	meter   *Meter
	joiner  *flow.Joiner
	packets []capture.Packet
}

// NewView returns a View through an exporter that gives packets to emit, which
// must not keep them. rng may be nil where nothing is sampled.
func NewView(cfg Config, rng *rand.Rand, emit func(*capture.Packet)) *View {
	v := &View{packets: make([]capture.Packet, 0, flow.MaxPackets)}
	v.joiner = flow.NewJoiner(flow.DefaultHeld, func(r *flow.Record) {
		v.packets = r.Packets(v.packets[:0])
		for i := range v.packets {
			emit(&v.packets[i])
		}
	})
	v.meter = New(cfg, rng, v.joiner.Add)
	return v
}

// Add shows a packet.
func (v *View) Add(p *capture.Packet) {
	v.meter.Add(p)
	v.joiner.Advance(p.Time)
}

// Flush shows what is held.
func (v *View) Flush() {
	v.meter.Flush()
	v.joiner.Flush()
}
