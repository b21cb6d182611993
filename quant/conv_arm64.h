// The loop of convNEON and convDotProd, behind the loading of the arguments. Who
// includes it defines QUAD, which multiplies the next group of inputs of 4 pixels
// by its weights, and may use V18 to V31 in it.
//
//	R0  R23  sums of the tile in the upper and the lower row
//	R1  R2   first windows of the tile in the upper and the lower row
//	R3  R4   weights, from the start and from here
//	R5       the tiling
//	R6  R7   rows of the kernel left, groups in the row left
//	R8-R15   places in the windows: 4 pixels of the upper row, 4 of the lower
//	R16      distance from the end of a kernel row to the start of the next
//	R17      distance of neighbouring windows
//	R19      tiles left
//	R21 R22  rows of the kernel, groups in a row
//	R24      the biases
//	V0-V7    sums of 4 pixels of the upper row, 8 outputs in two registers each
//	V8-V15   sums of 4 pixels of the lower row
//	V16 V17  weights of a group

	MOVD tiling_rows(R5), R21
	MOVD tiling_groups(R5), R22
	MOVD tiling_pixelStride(R5), R17
	MOVD tiling_sumStride(R5), R23
	ADD  R0, R23
	MOVD tiling_rowStride(R5), R16
	SUB  R22<<2, R16

tile:
	VLD1 (R24), [V0.B16, V1.B16]
	VMOV V0.B16, V2.B16
	VMOV V1.B16, V3.B16
	VMOV V0.B16, V4.B16
	VMOV V1.B16, V5.B16
	VMOV V0.B16, V6.B16
	VMOV V1.B16, V7.B16
	VMOV V0.B16, V8.B16
	VMOV V1.B16, V9.B16
	VMOV V0.B16, V10.B16
	VMOV V1.B16, V11.B16
	VMOV V0.B16, V12.B16
	VMOV V1.B16, V13.B16
	VMOV V0.B16, V14.B16
	VMOV V1.B16, V15.B16
	MOVD R1, R8
	ADD  R17, R8, R9
	ADD  R17, R9, R10
	ADD  R17, R10, R11
	MOVD R2, R12
	ADD  R17, R12, R13
	ADD  R17, R13, R14
	ADD  R17, R14, R15
	ADD  R17, R11, R1
	ADD  R17, R15, R2
	MOVD R3, R4
	MOVD R21, R6

row:
	MOVD R22, R7

group:
	VLD1.P 32(R4), [V16.B16, V17.B16]
	QUAD(R8, R9, R10, R11, 0, 1, 2, 3, 4, 5, 6, 7)
	QUAD(R12, R13, R14, R15, 8, 9, 10, 11, 12, 13, 14, 15)
	SUB    $1, R7
	CBNZ   R7, group

	ADD  R16, R8
	ADD  R16, R9
	ADD  R16, R10
	ADD  R16, R11
	ADD  R16, R12
	ADD  R16, R13
	ADD  R16, R14
	ADD  R16, R15
	SUB  $1, R6
	CBNZ R6, row

	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R0)
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R0)
	VST1.P [V8.B16, V9.B16, V10.B16, V11.B16], 64(R23)
	VST1.P [V12.B16, V13.B16, V14.B16, V15.B16], 64(R23)
	SUB    $1, R19
	CBNZ   R19, tile
	RET
