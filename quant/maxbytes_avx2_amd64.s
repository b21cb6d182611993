//go:build !purego

#include "textflag.h"

// func maxBytesAVX2(dst, src *uint8, n int)
//
//	DI  bytes to be raised
//	SI  bytes to raise them to
//	CX  bytes left: 32 at a time, then one by one
TEXT ·maxBytesAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $32, CX
	JLT  rest

many:
	VMOVDQU (SI), Y0
	VPMAXUB (DI), Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JGE     many

rest:
	ADDQ $32, CX
	JEQ  done

one:
	MOVBLZX (SI), AX
	MOVBLZX (DI), DX
	CMPL    AX, DX
	CMOVLHI AX, DX
	MOVB    DX, (DI)
	INCQ    SI
	INCQ    DI
	DECQ    CX
	JNE     one

done:
	VZEROUPPER
	RET
