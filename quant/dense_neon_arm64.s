//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// STEP multiplies the next group of inputs, 4 bytes: 8 outputs. a0 and a1 are
// the numbers of the registers of their sums. See vectorUnit neon.
#define STEP(a0, a1) \
	VLD1.P  32(R2), [V16.B16, V17.B16]; \
	VLD1R.P 2(R1), [V18.H8];            \
	VLD1R.P 2(R1), [V19.H8];            \
	SMULL_8H(16, 18, 20);               \
	SMULL2_8H(16, 18, 21);              \
	SMLAL_8H(17, 19, 20);               \
	SMLAL2_8H(17, 19, 21);              \
	SADALP_4S(20, a0);                  \
	SADALP_4S(21, a1)

// func denseNEON(sums *[8]int32, src, weights *uint8, bias *[8]int32, groups int)
//
//	R1       inputs, a group is 4 bytes
//	R2       weights, a group for 8 outputs is 32 bytes
//	R4       groups left
//	V0-V3    sums of the groups, by turns
//	V16 V17  weights; V18 V19 inputs, a pair in each; V20 V21 products
TEXT ·denseNEON(SB), NOSPLIT, $0-40
	MOVD sums+0(FP), R0
	MOVD src+8(FP), R1
	MOVD weights+16(FP), R2
	MOVD bias+24(FP), R3
	MOVD groups+32(FP), R4
	VLD1 (R3), [V0.B16, V1.B16]
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	TBZ  $0, R4, two
	STEP(0, 1)
	SUBS $1, R4
	BEQ  done

two:
	STEP(0, 1)
	STEP(2, 3)
	SUBS $2, R4
	BNE  two

done:
	VADD V2.S4, V0.S4, V0.S4
	VADD V3.S4, V1.S4, V1.S4
	VST1 [V0.B16, V1.B16], (R0)
	RET
