package featurize

import (
	"encoding/binary"
	"math/bits"

	"edgescan/capture"
)

// Key keys every hash of a Tracker, so that nobody who does not know it can
// choose which bucket or which row of a map an address falls into. A live
// sensor draws it at random; for files a fixed key makes results repeatable.
type Key struct{ A, B uint64 }

// DefaultKey is for capture files: digits of pi, with nothing up its sleeve.
var DefaultKey = Key{0x243f6a8885a308d3, 0x13198a2e03707344}

// mix is a keyed multiply-and-fold of two words, as in wyhash.
func (k Key) mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^k.A, b^k.B)
	return hi ^ lo
}

// addr hashes an address. The second round spreads low entropy (hosts of one
// subnet differ in one byte) over all 64 bits.
func (k Key) addr(a *capture.Addr) uint64 {
	h := k.mix(binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:]))
	return k.mix(h, 0x9e3779b97f4a7c15)
}

// scoped hashes a source.
func (k Key) scoped(a *capture.Addr, scope Scope, bits uint8) uint64 {
	if scope == Host {
		return k.addr(a)
	}
	return k.mix(k.addr(a), uint64(scope)<<8|uint64(bits)|1<<41)
}

// contact hashes a contact's identity within a Tracker.
func (k Key) contact(source uint32, dst *capture.Addr, proto capture.Proto, port uint16) uint64 {
	return k.contactOf(source, k.addr(dst), proto, port)
}

// contactOf is contact for the hash of a destination.
func (k Key) contactOf(source uint32, dst uint64, proto capture.Proto, port uint16) uint64 {
	return k.mix(dst, uint64(source)<<32|uint64(proto)<<16|uint64(port))
}

// endpoint hashes an address and a UDP port.
func (k Key) endpoint(a *capture.Addr, port uint16) uint64 {
	return k.mix(k.addr(a), uint64(port)|1<<40)
}

// ghost hashes an address for ghosts. Other than addr it has no factor that can be
// made 0: for files the key is known, and what is remembered must not depend
// on a secret.
func (k Key) ghost(a *capture.Addr) uint64 {
	h := scramble(binary.LittleEndian.Uint64(a[:8]) ^ k.A)
	return scramble(h ^ binary.LittleEndian.Uint64(a[8:]) ^ k.B)
}

// scramble spreads every bit over all others (the finaliser of MurmurHash3).
func scramble(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
