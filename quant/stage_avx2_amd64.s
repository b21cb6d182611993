//go:build !purego

#include "textflag.h"

// func stageAVX2(dst, src *uint8, n int)
//
// Makes words of 16 bits of bytes, 16 at a time, then one by one.
//
//	DI  words
//	SI  bytes
//	CX  bytes left
TEXT ·stageAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SUBQ $16, CX
	JLT  rest

sixteen:
	VPMOVZXBW (SI), Y0
	VMOVDQU   Y0, (DI)
	ADDQ      $16, SI
	ADDQ      $32, DI
	SUBQ      $16, CX
	JGE       sixteen

rest:
	ADDQ $16, CX
	JEQ  done

one:
	MOVBLZX (SI), AX
	MOVW    AX, (DI)
	INCQ    SI
	ADDQ    $2, DI
	DECQ    CX
	JNE     one

done:
	VZEROUPPER
	RET
