package netflow

import (
	"encoding/binary"
	"net/netip"

	"edgescan/flow"
)

// ongoing are flows that last and were told of: marks of their names, of which a
// newer one takes the place of an older one that falls on it.
type ongoing [4096]uint32

// tell reports whether a flow was told of before and said to go on, and notes
// whether it goes on now.
func (o *ongoing) tell(exporter netip.Addr, r *flow.Record, goesOn bool) bool {
	h := nameOf(exporter, r)
	place, mark := &o[h%uint64(len(o))], uint32(h>>32)|1
	before := *place == mark
	switch {
	case goesOn:
		*place = mark
	case before:
		*place = 0
	}
	return before
}

// nameOf hashes what names a flow of an exporter (FNV-1a, in words).
func nameOf(exporter netip.Addr, r *flow.Record) uint64 {
	h := uint64(0xcbf29ce484222325)
	by := exporter.As16()
	for _, a := range [...][16]byte{by, r.Src, r.Dst} {
		h = (h ^ binary.BigEndian.Uint64(a[:8])) * 0x100000001b3
		h ^= h >> 29
		h = (h ^ binary.BigEndian.Uint64(a[8:])) * 0x100000001b3
		h ^= h >> 29
	}
	h = (h ^ uint64(r.SrcPort)<<24 ^ uint64(r.DstPort)<<8 ^ uint64(r.Proto)) * 0x9e3779b97f4a7c15
	return h ^ h>>31
}
