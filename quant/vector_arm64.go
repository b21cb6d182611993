//go:build !purego

package quant

import "golang.org/x/sys/cpu"

// neon multiplies bytes: activations less 128 by weights. Two products are added
// in 16 bits, which is exact, for weights are not -128:
//
//	2 * 128 * 127 = 32512 < 32768
//
// and SADALP adds two of those sums to one of 32 bits. Every arm64 processor has
// these instructions.
var neon = &vectorUnit{
	name:       "neon",
	layout:     layout{element: 1, group: 4, run: 2, offset: 128},
	stage:      stageNEON,
	conv:       convNEON,
	dense:      denseNEON,
	pool:       poolNEON,
	requantize: requantizeNEON,
	maxBytes:   maxBytesNEON,
}

// dotProduct multiplies bytes, too: SDOT adds four products to a sum of 32 bits.
// A processor without it, such as the Cortex-A72, traps.
var dotProduct = &vectorUnit{
	name:       "neon-dotprod",
	layout:     layout{element: 1, group: 4, run: 4, offset: 128},
	stage:      stageNEON,
	conv:       convDotProd,
	dense:      denseDotProd,
	pool:       poolNEON,
	requantize: requantizeNEON,
	maxBytes:   maxBytesNEON,
}

// vectorUnits returns the vector units that this machine has and this package
// knows, the fastest first.
func vectorUnits() []*vectorUnit {
	if cpu.ARM64.HasASIMDDP {
		return []*vectorUnit{dotProduct, neon}
	}
	return []*vectorUnit{neon}
}

// What each of these does is said at vectorUnit.

//go:noescape
func stageNEON(dst, src *uint8, n int)

//go:noescape
func convNEON(sums *int32, upper, lower, weights *uint8, bias *[lanes]int32, tiles int, t *tiling)

//go:noescape
func denseNEON(sums *[lanes]int32, src, weights *uint8, bias *[lanes]int32, groups int)

//go:noescape
func poolNEON(upper, lower *int32, n int)

//go:noescape
func requantizeNEON(dst *uint8, sums *int32, n, stride int, r *rescale)

//go:noescape
func maxBytesNEON(dst, src *uint8, n int)

//go:noescape
func convDotProd(sums *int32, upper, lower, weights *uint8, bias *[lanes]int32, tiles int, t *tiling)

//go:noescape
func denseDotProd(sums *[lanes]int32, src, weights *uint8, bias *[lanes]int32, groups int)
