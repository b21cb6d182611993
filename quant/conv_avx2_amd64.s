//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// STEP multiplies the group of inputs at the byte offset "at" of each window:
// 8 outputs of 8 pixels. A group is 4 bytes of input and 32 of weights.
//
// Neither the products nor the sums can overflow: a product is at most 255*127,
// VPMADDWD adds two of them in 32 bits, and sums are bounded by Params.validate.
#define STEP(at) \
	VMOVDQU      (8*at)(SI), Y8;     \
	VPBROADCASTD at(R13), Y9;        \
	VPBROADCASTD at(R13)(BX*1), Y10; \
	VPBROADCASTD at(R13)(BX*2), Y11; \
	VPBROADCASTD at(R13)(DX*1), Y12; \
	VPMADDWD     Y8, Y9, Y9;         \
	VPMADDWD     Y8, Y10, Y10;       \
	VPMADDWD     Y8, Y11, Y11;       \
	VPMADDWD     Y8, Y12, Y12;       \
	VPADDD       Y9, Y0, Y0;         \
	VPADDD       Y10, Y1, Y1;        \
	VPADDD       Y11, Y2, Y2;        \
	VPADDD       Y12, Y3, Y3;        \
	VPBROADCASTD at(R14), Y9;        \
	VPBROADCASTD at(R14)(BX*1), Y10; \
	VPBROADCASTD at(R14)(BX*2), Y11; \
	VPBROADCASTD at(R14)(DX*1), Y12; \
	VPMADDWD     Y8, Y9, Y9;         \
	VPMADDWD     Y8, Y10, Y10;       \
	VPMADDWD     Y8, Y11, Y11;       \
	VPMADDWD     Y8, Y12, Y12;       \
	VPADDD       Y9, Y4, Y4;         \
	VPADDD       Y10, Y5, Y5;        \
	VPADDD       Y11, Y6, Y6;        \
	VPADDD       Y12, Y7, Y7

// func convAVX2(sums *int32, upper, lower, weights *uint8, bias *[8]int32, tiles int, t *tiling)
//
// Its registers are those of conv_amd64.h and
//
//	Y8       weights; Y9-Y12 inputs, then products
TEXT ·convAVX2(SB), NOSPLIT, $0-56
	MOVQ    sums+0(FP), DI
	MOVQ    upper+8(FP), R8
	MOVQ    lower+16(FP), R9
	MOVQ    bias+32(FP), AX
	VMOVDQU (AX), Y15
	MOVQ    tiles+40(FP), R10
	MOVQ    t+48(FP), R15
#include "conv_amd64.h"
