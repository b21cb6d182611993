#include "textflag.h"

// Both kernels keep a tile of c in registers and walk p from 0 to k-1: one row
// of b is loaded, and each of the four elements of a is broadcast, multiplied
// and added. Multiplication and addition stay separate instructions, so that
// every element is rounded as in matmulPlain.
//
// Registers: AX a row 0, BX a row 1, SI a row 2, DI a row 3, R8 step of a in
// bytes, R9 b, R10 step of b in bytes, CX remaining k, DX c, R11 step of c.

#define LOAD_ARGUMENTS \
	MOVQ k+0(FP), CX    \
	MOVQ a+8(FP), AX    \
	MOVQ ra+16(FP), R12 \
	SHLQ $2, R12        \
	LEAQ (AX)(R12*1), BX \
	LEAQ (AX)(R12*2), SI \
	LEAQ (BX)(R12*2), DI \
	MOVQ ca+24(FP), R8  \
	SHLQ $2, R8         \
	MOVQ b+32(FP), R9   \
	MOVQ ldb+40(FP), R10 \
	SHLQ $2, R10        \
	MOVQ c+48(FP), DX   \
	MOVQ ldc+56(FP), R11 \
	SHLQ $2, R11        \
	LEAQ (DX)(R11*1), R12 \
	LEAQ (DX)(R11*2), R13 \
	LEAQ (R12)(R11*2), R11

#define ADVANCE \
	ADDQ R8, AX  \
	ADDQ R8, BX  \
	ADDQ R8, SI  \
	ADDQ R8, DI  \
	ADDQ R10, R9 \
	DECQ CX

// func matmul4x8(k int, a *float32, ra, ca int, b *float32, ldb int, c *float32, ldc int)
TEXT ·matmul4x8(SB), NOSPLIT, $0-64
	LOAD_ARGUMENTS
	VMOVUPS (DX), Y0
	VMOVUPS (R12), Y1
	VMOVUPS (R13), Y2
	VMOVUPS (R11), Y3

loop8:
	VMOVUPS      (R9), Y8
	VBROADCASTSS (AX), Y10
	VBROADCASTSS (BX), Y11
	VBROADCASTSS (SI), Y12
	VBROADCASTSS (DI), Y13
	VMULPS       Y8, Y10, Y10
	VMULPS       Y8, Y11, Y11
	VMULPS       Y8, Y12, Y12
	VMULPS       Y8, Y13, Y13
	VADDPS       Y10, Y0, Y0
	VADDPS       Y11, Y1, Y1
	VADDPS       Y12, Y2, Y2
	VADDPS       Y13, Y3, Y3
	ADVANCE
	JNZ          loop8

	VMOVUPS Y0, (DX)
	VMOVUPS Y1, (R12)
	VMOVUPS Y2, (R13)
	VMOVUPS Y3, (R11)
	VZEROUPPER
	RET

// func matmul4x16(k int, a *float32, ra, ca int, b *float32, ldb int, c *float32, ldc int)
TEXT ·matmul4x16(SB), NOSPLIT, $0-64
	LOAD_ARGUMENTS
	VMOVUPS (DX), Y0
	VMOVUPS 32(DX), Y4
	VMOVUPS (R12), Y1
	VMOVUPS 32(R12), Y5
	VMOVUPS (R13), Y2
	VMOVUPS 32(R13), Y6
	VMOVUPS (R11), Y3
	VMOVUPS 32(R11), Y7

loop16:
	VMOVUPS      (R9), Y8
	VMOVUPS      32(R9), Y9
	VBROADCASTSS (AX), Y10
	VMULPS       Y8, Y10, Y11
	VMULPS       Y9, Y10, Y10
	VADDPS       Y11, Y0, Y0
	VADDPS       Y10, Y4, Y4
	VBROADCASTSS (BX), Y12
	VMULPS       Y8, Y12, Y13
	VMULPS       Y9, Y12, Y12
	VADDPS       Y13, Y1, Y1
	VADDPS       Y12, Y5, Y5
	VBROADCASTSS (SI), Y14
	VMULPS       Y8, Y14, Y15
	VMULPS       Y9, Y14, Y14
	VADDPS       Y15, Y2, Y2
	VADDPS       Y14, Y6, Y6
	VBROADCASTSS (DI), Y10
	VMULPS       Y8, Y10, Y11
	VMULPS       Y9, Y10, Y10
	VADDPS       Y11, Y3, Y3
	VADDPS       Y10, Y7, Y7
	ADVANCE
	JNZ          loop16

	VMOVUPS Y0, (DX)
	VMOVUPS Y4, 32(DX)
	VMOVUPS Y1, (R12)
	VMOVUPS Y5, 32(R12)
	VMOVUPS Y2, (R13)
	VMOVUPS Y6, 32(R13)
	VMOVUPS Y3, (R11)
	VMOVUPS Y7, 32(R11)
	VZEROUPPER
	RET
