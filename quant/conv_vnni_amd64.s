//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// STEP multiplies the group of inputs at the byte offset "at" of each window:
// 8 outputs of 8 pixels. A group is 4 bytes of input and 32 of weights.
//
// VPDPBUSD multiplies 4 unsigned bytes by 4 signed ones and adds the products to
// a sum of 32 bits, which Params.validate bounds; nothing saturates.
#define STEP(at) \
	VMOVDQU      (8*at)(SI), Y8;     \
	VPBROADCASTD at(R13), Y9;        \
	VPBROADCASTD at(R13)(BX*1), Y10; \
	VPBROADCASTD at(R13)(BX*2), Y11; \
	VPBROADCASTD at(R13)(DX*1), Y12; \
	VPDPBUSD     Y8, Y9, Y0;         \
	VPDPBUSD     Y8, Y10, Y1;        \
	VPDPBUSD     Y8, Y11, Y2;        \
	VPDPBUSD     Y8, Y12, Y3;        \
	VPBROADCASTD at(R14), Y9;        \
	VPBROADCASTD at(R14)(BX*1), Y10; \
	VPBROADCASTD at(R14)(BX*2), Y11; \
	VPBROADCASTD at(R14)(DX*1), Y12; \
	VPDPBUSD     Y8, Y9, Y4;         \
	VPDPBUSD     Y8, Y10, Y5;        \
	VPDPBUSD     Y8, Y11, Y6;        \
	VPDPBUSD     Y8, Y12, Y7

// func convVNNI(sums *int32, upper, lower, weights *uint8, bias *[8]int32, tiles int, t *tiling)
//
// Its registers are those of conv_amd64.h and
//
//	Y8       weights; Y9-Y12 inputs
TEXT ·convVNNI(SB), NOSPLIT, $0-56
	MOVQ    sums+0(FP), DI
	MOVQ    upper+8(FP), R8
	MOVQ    lower+16(FP), R9
	MOVQ    bias+32(FP), AX
	VMOVDQU (AX), Y15
	MOVQ    tiles+40(FP), R10
	MOVQ    t+48(FP), R15
#include "conv_amd64.h"
