//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// QUAD multiplies the next group of inputs, 4 bytes, of 4 pixels: 8 outputs of
// each. p0-p3 are the places in their windows, a0-a7 the numbers of the registers
// of their sums, two for each pixel.
#define QUAD(p0, p1, p2, p3, a0, a1, a2, a3, a4, a5, a6, a7) \
	FMOVS.P 4(p0), F18;     \
	FMOVS.P 4(p1), F19;     \
	FMOVS.P 4(p2), F20;     \
	FMOVS.P 4(p3), F21;     \
	SDOT_4S(18, 0, 16, a0); \
	SDOT_4S(18, 0, 17, a1); \
	SDOT_4S(19, 0, 16, a2); \
	SDOT_4S(19, 0, 17, a3); \
	SDOT_4S(20, 0, 16, a4); \
	SDOT_4S(20, 0, 17, a5); \
	SDOT_4S(21, 0, 16, a6); \
	SDOT_4S(21, 0, 17, a7)

// func convDotProd(sums *int32, upper, lower, weights *uint8, bias *[8]int32, tiles int, t *tiling)
//
// Its registers are those of conv_arm64.h and
//
//	V16 V17  weights, a group of 4 outputs each; V18-V21 inputs
TEXT ·convDotProd(SB), NOSPLIT, $0-56
	MOVD sums+0(FP), R0
	MOVD upper+8(FP), R1
	MOVD lower+16(FP), R2
	MOVD weights+24(FP), R3
	MOVD bias+32(FP), R24
	MOVD tiles+40(FP), R19
	MOVD t+48(FP), R5
#include "conv_arm64.h"
