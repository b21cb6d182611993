package synth

import (
	"math/bits"
	"math/rand/v2"
)

// rng draws numbers from a seed with integer arithmetic alone, so that a seed
// gives the same scene on every architecture.
type rng struct{ src rand.PCG }

// newRNG derives a generator from a seed and the number of what it is for.
func newRNG(seed, stream uint64) *rng {
	r := new(rng)
	r.src.Seed(seed, 0x9e3779b97f4a7c15*(stream+1))
	return r
}

func (r *rng) u64() uint64 { return r.src.Uint64() }
func (r *rng) u32() uint32 { return uint32(r.src.Uint64() >> 32) }
func (r *rng) u16() uint16 { return uint16(r.src.Uint64() >> 48) }
func (r *rng) u8() uint8   { return uint8(r.src.Uint64() >> 56) }

// n64 returns a number in [0, n), and 0 for n below 2.
func (r *rng) n64(n int64) int64 {
	if n < 2 {
		return 0
	}
	hi, _ := bits.Mul64(r.u64(), uint64(n))
	return int64(hi)
}

func (r *rng) n(n int) int { return int(r.n64(int64(n))) }

// span returns a number in [lo, hi].
func (r *rng) span(lo, hi int) int { return lo + r.n(hi-lo+1) }

func (r *rng) span64(lo, hi int64) int64 { return lo + r.n64(hi-lo+1) }

// chance is true in permille of 1000 cases.
func (r *rng) chance(permille int) bool { return r.n(1000) < permille }

// log draws from [lo, hi] so that each octave is about as likely as the next:
// small numbers are common, large ones happen. lo must be positive.
func (r *rng) log(lo, hi int64) int64 {
	if hi <= lo {
		return lo
	}
	a, b := log2(uint64(lo)), log2(uint64(hi))
	return min(max(int64(exp2(a+uint64(r.n64(int64(b-a)+1)))), lo), hi)
}

func (r *rng) logn(lo, hi int) int { return int(r.log(int64(lo), int64(hi))) }

// exp draws an exponentially distributed gap with about the mean given, never
// more than 16 times it.
func (r *rng) exp(mean int64) int64 {
	x := r.u64()>>32 | 1
	e := 32<<logBits - log2(x)        // -log2 of a uniform number in (0, 1]
	e = min(e, 16<<logBits) * 45 >> 6 // times ln 2
	return int64(uint64(mean)>>10*e>>(logBits-10)) + int64(uint64(mean)&1023*e>>logBits)
}

// weighted returns an index, as likely as its weight.
func (r *rng) weighted(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	x := r.n(sum)
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return 0
}

func (r *rng) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.n(i+1))
	}
}

func pick[T any](r *rng, of []T) T { return of[r.n(len(of))] }

func shuffled[T any](r *rng, of []T) []T {
	out := append([]T(nil), of...)
	r.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// logBits is the number of fraction bits of log2 and exp2.
const logBits = 16

// log2 is the logarithm of x > 0 in fixed point, linear within an octave. exp2
// undoes it but for rounding.
func log2(x uint64) uint64 {
	k := bits.Len64(x) - 1
	frac := x - 1<<k
	if k > logBits {
		return uint64(k)<<logBits | frac>>(k-logBits)
	}
	return uint64(k)<<logBits | frac<<(logBits-k)
}

func exp2(y uint64) uint64 {
	k, frac := int(y>>logBits), y&(1<<logBits-1)
	if k > logBits {
		return 1<<k + frac<<(k-logBits)
	}
	return 1<<k + frac>>(logBits-k)
}
