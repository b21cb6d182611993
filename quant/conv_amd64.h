// The loop of convAVX2 and convVNNI, behind the loading of the arguments. Who
// includes it defines STEP(at), which multiplies the group of inputs at a byte
// offset of each window by its weights, and may use Y8 to Y14 in it.
//
//	DI       sums of the tile in the upper row
//	R8  R9   first windows of the tile in the upper and lower row
//	R13 R14  place in the windows, in the upper and lower row
//	BX  DX   distance of neighbouring windows, and 3 times that
//	SI       weights
//	AX       rows of the kernel left
//	CX       groups in the row left
//	R10      tiles left
//	R11      distance from the end of a kernel row to the start of the next
//	R12      distance from the upper to the lower row of sums
//	R15      the tiling
//	Y0-Y3    sums of 4 pixels of the upper row, 8 outputs each
//	Y4-Y7    sums of 4 pixels of the lower row
//	Y15      biases

	MOVQ    tiling_pixelStride(R15), BX
	LEAQ    (BX)(BX*2), DX
	MOVQ    tiling_sumStride(R15), R12
	MOVQ    tiling_groups(R15), CX
	MOVQ    tiling_rowStride(R15), R11
	SHLQ    $2, CX
	SUBQ    CX, R11

tile:
	MOVQ    weights+24(FP), SI
	MOVQ    R8, R13
	MOVQ    R9, R14
	MOVQ    tiling_rows(R15), AX
	VMOVDQA Y15, Y0
	VMOVDQA Y15, Y1
	VMOVDQA Y15, Y2
	VMOVDQA Y15, Y3
	VMOVDQA Y15, Y4
	VMOVDQA Y15, Y5
	VMOVDQA Y15, Y6
	VMOVDQA Y15, Y7

row:
	MOVQ tiling_groups(R15), CX
	SUBQ $4, CX
	JLT  rest

four:
	STEP(0)
	STEP(4)
	STEP(8)
	STEP(12)
	ADDQ $16, R13
	ADDQ $16, R14
	ADDQ $128, SI
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JEQ  endrow

one:
	STEP(0)
	ADDQ $4, R13
	ADDQ $4, R14
	ADDQ $32, SI
	DECQ CX
	JNE  one

endrow:
	ADDQ R11, R13
	ADDQ R11, R14
	DECQ AX
	JNE  row

	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	VMOVDQU Y4, (DI)(R12*1)
	VMOVDQU Y5, 32(DI)(R12*1)
	VMOVDQU Y6, 64(DI)(R12*1)
	VMOVDQU Y7, 96(DI)(R12*1)
	ADDQ    $128, DI
	LEAQ    (R8)(BX*4), R8
	LEAQ    (R9)(BX*4), R9
	DECQ    R10
	JNE     tile

	VZEROUPPER
	RET
