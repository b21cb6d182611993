package detect

import (
	"hash/fnv"
	"math"
	"math/bits"
)

// distinct counts distinct values: exactly up to maxExact, and beyond it by
// HyperLogLog (Flajolet et al. 2007) with a standard error of 3.3%. It holds
// at most 9 KiB.
type distinct struct {
	exact     map[uint64]struct{}
	registers []uint8
}

const (
	maxExact     = 256
	registerBits = 10
)

func (d *distinct) add(value []byte) {
	f := fnv.New64a()
	f.Write(value)
	h := finish(f.Sum64())
	if d.registers != nil {
		d.register(h)
		return
	}
	if d.exact == nil {
		d.exact = map[uint64]struct{}{}
	}
	d.exact[h] = struct{}{}
	if len(d.exact) > maxExact {
		d.registers = make([]uint8, 1<<registerBits)
		for v := range d.exact {
			d.register(v)
		}
		d.exact = nil
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

func (d *distinct) register(h uint64) {
	i := h >> (64 - registerBits)
	rank := uint8(bits.LeadingZeros64(h<<registerBits|1) + 1)
	d.registers[i] = max(d.registers[i], rank)
}

func (d *distinct) count() int {
	if d.registers == nil {
		return len(d.exact)
	}
	const m = 1 << registerBits
	sum, zeros := 0.0, 0
	for _, r := range d.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	if estimate := 0.7213 / (1 + 1.079/m) * m * m / sum; estimate > 2.5*m || zeros == 0 {
		return int(math.Round(estimate))
	}
	return int(math.Round(m * math.Log(float64(m)/float64(zeros))))
}
