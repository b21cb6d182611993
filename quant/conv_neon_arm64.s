//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// QUAD multiplies the next group of inputs, 4 bytes, of 4 pixels: 8 outputs of
// each. p0-p3 are the places in their windows, a0-a7 the numbers of the registers
// of their sums, two for each pixel.
//
// The two inputs of a pair are spread over a register, where the weights are 8
// pairs. The products of both pairs are added in 16 bits, see vectorUnit neon.
#define QUAD(p0, p1, p2, p3, a0, a1, a2, a3, a4, a5, a6, a7) \
	VLD1R.P 2(p0), [V18.H8]; \
	VLD1R.P 2(p1), [V19.H8]; \
	VLD1R.P 2(p2), [V20.H8]; \
	VLD1R.P 2(p3), [V21.H8]; \
	VLD1R.P 2(p0), [V22.H8]; \
	VLD1R.P 2(p1), [V23.H8]; \
	VLD1R.P 2(p2), [V24.H8]; \
	VLD1R.P 2(p3), [V25.H8]; \
	SMULL_8H(16, 18, 26);    \
	SMULL2_8H(16, 18, 27);   \
	SMULL_8H(16, 19, 28);    \
	SMULL2_8H(16, 19, 29);   \
	SMLAL_8H(17, 22, 26);    \
	SMLAL2_8H(17, 22, 27);   \
	SMLAL_8H(17, 23, 28);    \
	SMLAL2_8H(17, 23, 29);   \
	SADALP_4S(26, a0);       \
	SADALP_4S(27, a1);       \
	SADALP_4S(28, a2);       \
	SADALP_4S(29, a3);       \
	SMULL_8H(16, 20, 26);    \
	SMULL2_8H(16, 20, 27);   \
	SMULL_8H(16, 21, 28);    \
	SMULL2_8H(16, 21, 29);   \
	SMLAL_8H(17, 24, 26);    \
	SMLAL2_8H(17, 24, 27);   \
	SMLAL_8H(17, 25, 28);    \
	SMLAL2_8H(17, 25, 29);   \
	SADALP_4S(26, a4);       \
	SADALP_4S(27, a5);       \
	SADALP_4S(28, a6);       \
	SADALP_4S(29, a7)

// func convNEON(sums *int32, upper, lower, weights *uint8, bias *[8]int32, tiles int, t *tiling)
//
// Its registers are those of conv_arm64.h and
//
//	V16 V17  weights, a pair of 8 outputs each; V18-V25 inputs; V26-V29 products
TEXT ·convNEON(SB), NOSPLIT, $0-56
	MOVD sums+0(FP), R0
	MOVD upper+8(FP), R1
	MOVD lower+16(FP), R2
	MOVD weights+24(FP), R3
	MOVD bias+32(FP), R24
	MOVD tiles+40(FP), R19
	MOVD t+48(FP), R5
#include "conv_arm64.h"
