package flow

import "edgescan/capture"

// Player plays records as packets: through a Joiner and Record.Packets.
type Player struct {
	*Joiner
	packets []capture.Packet
}

// NewPlayer returns a Player whose Joiner holds at most n flows. It gives packets
// to emit, in the order of their time, which must not keep them.
func NewPlayer(n int, emit func(*capture.Packet)) *Player {
	p := &Player{packets: make([]capture.Packet, 0, MaxPackets)}
	p.Joiner = NewJoiner(n, func(r *Record) {
		p.packets = r.Packets(p.packets[:0])
		for i := range p.packets {
			emit(&p.packets[i])
		}
	})
	return p
}
