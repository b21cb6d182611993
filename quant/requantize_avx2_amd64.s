//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func requantizeAVX2(dst *uint8, sums *int32, n, stride int, r *rescale)
//
// There is no arithmetic shift of 64 bits, so sums are first cut off at 0, which
// ReLU would do in the end: a sum below 0 becomes 0, as it is at most 1/2 when
// half has been added, and rounded down. They are also cut off at the limits,
// see sumLimit. Then
//
//	0 <= sum*mult + half < 2^31 * 2^31 + 2^61 < 2^63
//
// and what is left after the shift fits 32 bits.
//
//	DI  activations, 8 for each pixel
//	DX  from one pixel's activations to the next's
//	SI  sums, 8 for each pixel
//	CX  pixels left
//	Y0  Y1    sums 0, 2, 4, 6 and 1, 3, 5, 7 in 64 bits each
//	Y6  Y7    multipliers of these; Y8 Y9 halves; Y10 Y11 shifts
//	Y12 Y13 Y14  limits, 255, 0 in 32 bits
TEXT ·requantizeAVX2(SB), NOSPLIT, $0-40
	MOVQ     dst+0(FP), DI
	MOVQ     sums+8(FP), SI
	MOVQ     n+16(FP), CX
	MOVQ     stride+24(FP), DX
	MOVQ     r+32(FP), AX
	VMOVDQU  rescale_mult(AX), Y6
	VMOVDQU  (rescale_mult+32)(AX), Y7
	VMOVDQU  rescale_half(AX), Y8
	VMOVDQU  (rescale_half+32)(AX), Y9
	VMOVDQU  rescale_shift(AX), Y10
	VMOVDQU  (rescale_shift+32)(AX), Y11
	VMOVDQU  rescale_limits(AX), Y12
	VPCMPEQD Y13, Y13, Y13
	VPSRLD   $24, Y13, Y13
	VPXOR    Y14, Y14, Y14

next:
	VPMAXSD (SI), Y14, Y0
	VPMINSD Y12, Y0, Y0
	VPSRLQ  $32, Y0, Y1
	VPMULDQ Y6, Y0, Y0
	VPMULDQ Y7, Y1, Y1
	VPADDQ  Y8, Y0, Y0
	VPADDQ  Y9, Y1, Y1
	VPSRLVQ Y10, Y0, Y0
	VPSRLVQ Y11, Y1, Y1
	VPSLLQ  $32, Y1, Y1
	VPOR    Y1, Y0, Y0
	VPMINSD Y13, Y0, Y0

	VEXTRACTI128 $1, Y0, X1
	VPACKUSDW    X1, X0, X0
	VPACKUSWB    X0, X0, X0
	VMOVQ        X0, (DI)
	ADDQ         $32, SI
	ADDQ         DX, DI
	DECQ         CX
	JNE          next

	VZEROUPPER
	RET
