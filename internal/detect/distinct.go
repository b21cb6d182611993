package detect

import (
	"hash/fnv"
	"math"
	"math/bits"
)

// distinct counts distinct values by HyperLogLog (Flajolet et al. 2007): a few
// exactly, many with a standard error of 3.3%. Its size is fixed, whatever is
// added.
type distinct [1 << registerBits]uint8

const registerBits = 10

func (d *distinct) add(value []byte) {
	f := fnv.New64a()
	f.Write(value)
	h := finish(f.Sum64())
	i := h >> (64 - registerBits)
	rank := uint8(bits.LeadingZeros64(h<<registerBits|1) + 1)
	d[i] = max(d[i], rank)
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
	const m = 1 << registerBits
	sum, zeros := 0.0, 0
	for _, r := range d {
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
