package detect

import (
	"hash/fnv"
	"math"
	"math/bits"
	"slices"
)

// distinct counts distinct values: exactly up to maxExact, and beyond it by
// HyperLogLog (Flajolet et al. 2007) with a standard error of 2.3%. Its size is
// fixed, whatever is added.
type distinct struct {
	words     [maxExact]uint64
	exact     int32 // values held
	estimates bool  // words are registers, eight in each
}

const (
	maxExact     = 256
	registerBits = 11
	registers    = 1 << registerBits // 8 * maxExact
)

func (d *distinct) add(value []byte) {
	f := fnv.New64a()
	f.Write(value)
	h := finish(f.Sum64())
	if d.estimates {
		d.register(h)
		return
	}
	at, found := slices.BinarySearch(d.words[:d.exact], h)
	if found {
		return
	}
	if d.exact < maxExact {
		d.exact++
		copy(d.words[at+1:d.exact], d.words[at:])
		d.words[at] = h
		return
	}
	values := d.words
	*d = distinct{estimates: true}
	for _, v := range values {
		d.register(v)
	}
	d.register(h)
}

func (d *distinct) register(h uint64) {
	i := h >> (64 - registerBits)
	word, shift := &d.words[i/8], i%8*8
	rank := uint64(bits.LeadingZeros64(h<<registerBits|1) + 1)
	if rank > *word>>shift&0xff {
		*word = *word&^(0xff<<shift) | rank<<shift
	}
}

// finish spreads FNV's bits, of which the high ones are poor for short input
// (the finaliser of MurmurHash3).
func finish(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func (d *distinct) count() int {
	if !d.estimates {
		return int(d.exact)
	}
	sum, zeros := 0.0, 0
	for i := range registers {
		r := uint8(d.words[i/8] >> (i % 8 * 8))
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	const m = float64(registers)
	if estimate := 0.7213 / (1 + 1.079/m) * m * m / sum; estimate > 2.5*m || zeros == 0 {
		return int(math.Round(estimate))
	}
	return int(math.Round(m * math.Log(m/float64(zeros))))
}
