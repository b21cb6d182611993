//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func poolNEON(upper, lower *int32, n int)
//
//	R1  two pixels of the upper row of sums, 8 sums each
//	R2  two pixels of the lower row
//	R0  where their maximum goes: never ahead of R1
//	R3  maxima left
TEXT ·poolNEON(SB), NOSPLIT, $0-24
	MOVD upper+0(FP), R1
	MOVD R1, R0
	MOVD lower+8(FP), R2
	MOVD n+16(FP), R3

next:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	SMAX_4S(2, 0, 0)
	SMAX_4S(3, 1, 1)
	SMAX_4S(6, 4, 4)
	SMAX_4S(7, 5, 5)
	SMAX_4S(4, 0, 0)
	SMAX_4S(5, 1, 1)
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $1, R3
	BNE    next
	RET
