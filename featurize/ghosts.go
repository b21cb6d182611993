package featurize

// ghosts remembers which sources were forgotten on probation, in two bytes
// each: who comes back is no spoofed address of a flood, of which each comes
// once, and is kept this time. Without it a flood hides whoever probes more
// slowly than the flood fills the table.
//
// A source has one slot, which later ones overwrite: the memory is bounded,
// and short when the flood is fast.
type ghosts []uint16

// add remembers a source by the hash of its address.
func (g ghosts) add(h uint64) { g[h&uint64(len(g)-1)] = ghostTag(h) }

// take reports whether a source is remembered, and forgets it.
func (g ghosts) take(h uint64) bool {
	slot := &g[h&uint64(len(g)-1)]
	if *slot != ghostTag(h) {
		return false
	}
	*slot = 0
	return true
}

// ghostTag is never 0, which is the empty slot.
func ghostTag(h uint64) uint16 { return uint16(h>>48) | 1 }
