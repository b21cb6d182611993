//go:build !purego

#include "textflag.h"

// func stageNEON(dst, src *uint8, n int)
//
// Subtracts 128 from bytes, which is to flip their highest bits, 16 at a time,
// then one by one.
//
//	R0  signed bytes
//	R1  unsigned bytes
//	R2  bytes left
//	V1  0x80 in each byte
TEXT ·stageNEON(SB), NOSPLIT, $0-24
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  n+16(FP), R2
	VMOVI $0x80, V1.B16
	SUBS  $16, R2
	BLT   rest

sixteen:
	VLD1.P 16(R1), [V0.B16]
	VEOR   V1.B16, V0.B16, V0.B16
	VST1.P [V0.B16], 16(R0)
	SUBS   $16, R2
	BGE    sixteen

rest:
	ADDS $16, R2
	BEQ  done

one:
	MOVBU.P 1(R1), R3
	EOR     $0x80, R3, R3
	MOVB.P  R3, 1(R0)
	SUBS    $1, R2
	BNE     one

done:
	RET
