//go:build !purego

#include "textflag.h"

// func maxBytesNEON(dst, src *uint8, n int)
//
//	R0  bytes to be raised
//	R1  bytes to raise them to
//	R2  bytes left: 16 at a time, then one by one
TEXT ·maxBytesNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	SUBS $16, R2
	BLT  rest

many:
	VLD1.P 16(R1), [V1.B16]
	VLD1   (R0), [V0.B16]
	VUMAX  V1.B16, V0.B16, V0.B16
	VST1.P [V0.B16], 16(R0)
	SUBS   $16, R2
	BGE    many

rest:
	ADDS $16, R2
	BEQ  done

one:
	MOVBU.P 1(R1), R3
	MOVBU   (R0), R4
	CMP     R3, R4
	CSEL    HS, R4, R3, R4
	MOVB.P  R4, 1(R0)
	SUBS    $1, R2
	BNE     one

done:
	RET
