//go:build !purego

#include "textflag.h"

// func poolAVX2(upper, lower *int32, n int)
//
//	SI  two pixels of the upper row of sums, 8 sums each
//	DX  two pixels of the lower row
//	DI  where their maximum goes: never ahead of SI
//	CX  maxima left
TEXT ·poolAVX2(SB), NOSPLIT, $0-24
	MOVQ upper+0(FP), SI
	MOVQ SI, DI
	MOVQ lower+8(FP), DX
	MOVQ n+16(FP), CX

next:
	VMOVDQU (SI), Y0
	VPMAXSD 32(SI), Y0, Y0
	VMOVDQU (DX), Y1
	VPMAXSD 32(DX), Y1, Y1
	VPMAXSD Y1, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ    $64, SI
	ADDQ    $64, DX
	ADDQ    $32, DI
	DECQ    CX
	JNE     next

	VZEROUPPER
	RET
