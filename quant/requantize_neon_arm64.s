//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// func requantizeNEON(dst *uint8, sums *int32, n, stride int, r *rescale)
//
// A product is below 2^62 either way, SRSHL rounds as if it had all the bits it
// needs, and narrowing saturates: to 32 bits, to 16 unsigned bits, which cuts off
// at 0, and to 8.
//
//	R0       activations, 8 for each pixel
//	R3       from one pixel's activations to the next's
//	R1       sums, 8 for each pixel
//	R2       pixels left
//	V16 V17  multipliers of outputs 0, 2, 4, 6 and of 1, 3, 5, 7
//	V20-V23  shifts, negated, of outputs 0, 2; 4, 6; 1, 3; 5, 7
//	V2  V3   sums of outputs 0, 2, 4, 6 and of 1, 3, 5, 7
//	V4-V7    products, as the shifts
TEXT ·requantizeNEON(SB), NOSPLIT, $0-40
	MOVD  dst+0(FP), R0
	MOVD  sums+8(FP), R1
	MOVD  n+16(FP), R2
	MOVD  stride+24(FP), R3
	MOVD  r+32(FP), R4
	ADD   $rescale_mult, R4, R5
	VLD1  (R5), [V0.D2, V1.D2, V2.D2, V3.D2]
	VUZP1 V1.S4, V0.S4, V16.S4
	VUZP1 V3.S4, V2.S4, V17.S4
	ADD   $rescale_shift, R4, R5
	VLD1  (R5), [V20.D2, V21.D2, V22.D2, V23.D2]
	VEOR  V0.B16, V0.B16, V0.B16
	VSUB  V20.D2, V0.D2, V20.D2
	VSUB  V21.D2, V0.D2, V21.D2
	VSUB  V22.D2, V0.D2, V22.D2
	VSUB  V23.D2, V0.D2, V23.D2

next:
	VLD1.P 32(R1), [V0.S4, V1.S4]
	VUZP1  V1.S4, V0.S4, V2.S4
	VUZP2  V1.S4, V0.S4, V3.S4
	SMULL_2D(16, 2, 4)
	SMULL2_2D(16, 2, 5)
	SMULL_2D(17, 3, 6)
	SMULL2_2D(17, 3, 7)
	SRSHL_2D(20, 4, 4)
	SRSHL_2D(21, 5, 5)
	SRSHL_2D(22, 6, 6)
	SRSHL_2D(23, 7, 7)
	SQXTN_2S(4, 2)
	SQXTN2_4S(5, 2)
	SQXTN_2S(6, 3)
	SQXTN2_4S(7, 3)
	VZIP1  V3.S4, V2.S4, V0.S4
	VZIP2  V3.S4, V2.S4, V1.S4
	SQXTUN_4H(0, 4)
	SQXTUN2_8H(1, 4)
	UQXTN_8B(4, 0)
	VST1   [V0.B8], (R0)
	ADD    R3, R0
	SUBS   $1, R2
	BNE    next
	RET
