//go:build !purego

package quant

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// avx2 multiplies words of 16 bits: VPMADDWD adds the products of two pairs in
// 32 bits. With inputs of 0 to 255 and weights of -127 to 127 it is exact, which
// cannot be said of VPMADDUBSW: that saturates at 16 bits.
var avx2 = &vectorUnit{
	name:       "avx2",
	layout:     layout{element: 2, group: 2, run: 2},
	stage:      stageAVX2,
	conv:       convAVX2,
	dense:      denseAVX2,
	pool:       poolAVX2,
	requantize: requantizeAVX2,
	maxBytes:   maxBytesAVX2,
}

// vnni multiplies bytes: VPDPBUSD adds the products of four pairs, one unsigned,
// one signed, to a sum in 32 bits, without saturation. It uses no register of
// 512 bits.
var vnni = &vectorUnit{
	name:       "avx512-vnni",
	layout:     layout{element: 1, group: 4, run: 4},
	stage:      stageVNNI,
	conv:       convVNNI,
	dense:      denseVNNI,
	pool:       poolAVX2,
	requantize: requantizeAVX2,
	maxBytes:   maxBytesAVX2,
}

// vectorUnits returns the vector units that this machine has and this package
// knows, the fastest first.
func vectorUnits() []*vectorUnit {
	var units []*vectorUnit
	if cpu.X86.HasAVX2 && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI {
		units = append(units, vnni)
	}
	if cpu.X86.HasAVX2 {
		units = append(units, avx2)
	}
	return units
}

// What each of these does is said at vectorUnit.

//go:noescape
func stageAVX2(dst, src *uint8, n int)

//go:noescape
func convAVX2(sums *int32, upper, lower, weights *uint8, bias *[lanes]int32, tiles int, t *tiling)

//go:noescape
func denseAVX2(sums *[lanes]int32, src, weights *uint8, bias *[lanes]int32, groups int)

//go:noescape
func poolAVX2(upper, lower *int32, n int)

//go:noescape
func requantizeAVX2(dst *uint8, sums *int32, n, stride int, r *rescale)

//go:noescape
func maxBytesAVX2(dst, src *uint8, n int)

//go:noescape
func convVNNI(sums *int32, upper, lower, weights *uint8, bias *[lanes]int32, tiles int, t *tiling)

//go:noescape
func denseVNNI(sums *[lanes]int32, src, weights *uint8, bias *[lanes]int32, groups int)

// stageVNNI copies: the activations are what is multiplied.
func stageVNNI(dst, src *uint8, n int) { copy(unsafe.Slice(dst, n), unsafe.Slice(src, n)) }
