//go:build !purego

#include "textflag.h"

// func denseAVX2(sums *[8]int32, src, weights *uint8, bias *[8]int32, groups int)
//
//	SI     inputs, a group of two is 4 bytes
//	DX     weights, a group for 8 outputs is 32 bytes
//	CX     groups left
//	Y0 Y1  sums of even and odd groups
//	Y2-Y5  inputs, then products
TEXT ·denseAVX2(SB), NOSPLIT, $0-40
	MOVQ    sums+0(FP), DI
	MOVQ    src+8(FP), SI
	MOVQ    weights+16(FP), DX
	MOVQ    bias+24(FP), AX
	MOVQ    groups+32(FP), CX
	VMOVDQU (AX), Y0
	VPXOR   Y1, Y1, Y1
	SUBQ    $4, CX
	JLT     rest

four:
	VPBROADCASTD (SI), Y2
	VPBROADCASTD 4(SI), Y3
	VPBROADCASTD 8(SI), Y4
	VPBROADCASTD 12(SI), Y5
	VPMADDWD     (DX), Y2, Y2
	VPMADDWD     32(DX), Y3, Y3
	VPMADDWD     64(DX), Y4, Y4
	VPMADDWD     96(DX), Y5, Y5
	VPADDD       Y2, Y0, Y0
	VPADDD       Y3, Y1, Y1
	VPADDD       Y4, Y0, Y0
	VPADDD       Y5, Y1, Y1
	ADDQ         $16, SI
	ADDQ         $128, DX
	SUBQ         $4, CX
	JGE          four

rest:
	ADDQ $4, CX
	JEQ  done

one:
	VPBROADCASTD (SI), Y2
	VPMADDWD     (DX), Y2, Y2
	VPADDD       Y2, Y0, Y0
	ADDQ         $4, SI
	ADDQ         $32, DX
	DECQ         CX
	JNE          one

done:
	VPADDD  Y1, Y0, Y0
	VMOVDQU Y0, (DI)
	VZEROUPPER
	RET
