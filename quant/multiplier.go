package quant

import (
	"fmt"
	"math"
)

// Bounds of the shift in a requantization.
const (
	minShift = 1
	maxShift = 62
)

// Multiplier returns the multiplier and shift that stand for scale, so that
//
//	(acc*mult + 1<<(shift-1)) >> shift
//
// is acc*scale rounded to the nearest integer, halves upwards. mult has 31
// significant bits: the relative error of mult/2^shift is at most 2^-31. Scales
// below 2^-32 have an absolute error of at most 2^-63 instead. The scale must be
// above 0 and below 2^30; otherwise the error is ErrInvalid.
//
// For a layer with input scale a, weight scale w and output scale b the scale is
// a*w/b; for the last layer, whose output is in 1/256 nat, it is 256*a*w.
func Multiplier(scale float64) (mult int32, shift uint8, err error) {
	if !(scale > 0 && scale < 1<<30) {
		return 0, 0, fmt.Errorf("%w: scale %g is not between 0 and 2^30", ErrInvalid, scale)
	}
	fraction, exponent := math.Frexp(scale) // fraction in [0.5, 1)
	s := min(31-exponent, maxShift)
	m := int64(math.Round(math.Ldexp(fraction, exponent+s)))
	if m == 1<<31 { // rounded up to the next power of two
		m, s = m/2, s-1
	}
	if s < minShift { // just below 2^30
		m, s = math.MaxInt32, minShift
	}
	return int32(m), uint8(s), nil
}
