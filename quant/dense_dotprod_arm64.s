//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func denseDotProd(sums *[8]int32, src, weights *uint8, bias *[8]int32, groups int)
//
//	R1       inputs, a group is 4 bytes
//	R2       weights, a group for 8 outputs is 32 bytes
//	R4       groups left: 4 at a time, then one by one
//	V0-V3    sums of the groups, by turns
//	V16-V23  weights, a group of 4 outputs each; V24 inputs
TEXT ·denseDotProd(SB), NOSPLIT, $0-40
	MOVD sums+0(FP), R0
	MOVD src+8(FP), R1
	MOVD weights+16(FP), R2
	MOVD bias+24(FP), R3
	MOVD groups+32(FP), R4
	VLD1 (R3), [V0.B16, V1.B16]
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	SUBS $4, R4
	BLT  rest

four:
	VLD1.P 16(R1), [V24.B16]
	VLD1.P 64(R2), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P 64(R2), [V20.B16, V21.B16, V22.B16, V23.B16]
	SDOT_4S(24, 0, 16, 0)
	SDOT_4S(24, 0, 17, 1)
	SDOT_4S(24, 1, 18, 2)
	SDOT_4S(24, 1, 19, 3)
	SDOT_4S(24, 2, 20, 0)
	SDOT_4S(24, 2, 21, 1)
	SDOT_4S(24, 3, 22, 2)
	SDOT_4S(24, 3, 23, 3)
	SUBS   $4, R4
	BGE    four

rest:
	ADDS $4, R4
	BEQ  done

one:
	FMOVS.P 4(R1), F24
	VLD1.P  32(R2), [V16.B16, V17.B16]
	SDOT_4S(24, 0, 16, 0)
	SDOT_4S(24, 0, 17, 1)
	SUBS    $1, R4
	BNE     one

done:
	VADD V2.S4, V0.S4, V0.S4
	VADD V3.S4, V1.S4, V1.S4
	VST1 [V0.B16, V1.B16], (R0)
	RET
