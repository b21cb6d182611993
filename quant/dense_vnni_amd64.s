//go:build !purego

#include "textflag.h"

// func denseVNNI(sums *[8]int32, src, weights *uint8, bias *[8]int32, groups int)
//
//	SI     inputs, a group of four is 4 bytes
//	DX     weights, a group for 8 outputs is 32 bytes
//	CX     groups left
//	Y0-Y3  sums of every fourth group each
//	Y4-Y7  inputs
TEXT ·denseVNNI(SB), NOSPLIT, $0-40
	MOVQ    sums+0(FP), DI
	MOVQ    src+8(FP), SI
	MOVQ    weights+16(FP), DX
	MOVQ    bias+24(FP), AX
	MOVQ    groups+32(FP), CX
	VMOVDQU (AX), Y0
	VPXOR   Y1, Y1, Y1
	VPXOR   Y2, Y2, Y2
	VPXOR   Y3, Y3, Y3
	SUBQ    $4, CX
	JLT     rest

four:
	VPBROADCASTD (SI), Y4
	VPBROADCASTD 4(SI), Y5
	VPBROADCASTD 8(SI), Y6
	VPBROADCASTD 12(SI), Y7
	VPDPBUSD     (DX), Y4, Y0
	VPDPBUSD     32(DX), Y5, Y1
	VPDPBUSD     64(DX), Y6, Y2
	VPDPBUSD     96(DX), Y7, Y3
	ADDQ         $16, SI
	ADDQ         $128, DX
	SUBQ         $4, CX
	JGE          four

rest:
	ADDQ $4, CX
	JEQ  done

one:
	VPBROADCASTD (SI), Y4
	VPDPBUSD     (DX), Y4, Y0
	ADDQ         $4, SI
	ADDQ         $32, DX
	DECQ         CX
	JNE          one

done:
	VPADDD  Y1, Y0, Y0
	VPADDD  Y3, Y2, Y2
	VPADDD  Y2, Y0, Y0
	VMOVDQU Y0, (DI)
	VZEROUPPER
	RET
