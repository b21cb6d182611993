// Vector instructions that Go's assembler does not know, by their encodings.
// Operands stand as in Go: the destination last. Registers are numbers.

// SMULL Vd.8H, Vn.8B, Vm.8B: products of the low 8 bytes
#define SMULL_8H(m, n, d) WORD $(0x0e20c000 | (m)<<16 | (n)<<5 | (d))

// SMULL2 Vd.8H, Vn.16B, Vm.16B: products of the high 8 bytes
#define SMULL2_8H(m, n, d) WORD $(0x4e20c000 | (m)<<16 | (n)<<5 | (d))

// SMLAL Vd.8H, Vn.8B, Vm.8B: adds products of the low 8 bytes
#define SMLAL_8H(m, n, d) WORD $(0x0e208000 | (m)<<16 | (n)<<5 | (d))

// SMLAL2 Vd.8H, Vn.16B, Vm.16B: adds products of the high 8 bytes
#define SMLAL2_8H(m, n, d) WORD $(0x4e208000 | (m)<<16 | (n)<<5 | (d))

// SADALP Vd.4S, Vn.8H: adds sums of neighbouring halfwords
#define SADALP_4S(n, d) WORD $(0x4e606800 | (n)<<5 | (d))

// SDOT Vd.4S, Vn.16B, Vm.4B[i]: adds 4 dot products of 4 bytes, i 0 to 3.
// Needs FEAT_DotProd.
#define SDOT_4S(m, i, n, d) WORD $(0x4f80e000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))

// SMAX Vd.4S, Vn.4S, Vm.4S: the larger words
#define SMAX_4S(m, n, d) WORD $(0x4ea06400 | (m)<<16 | (n)<<5 | (d))

// SMULL Vd.2D, Vn.2S, Vm.2S: products of the low 2 words
#define SMULL_2D(m, n, d) WORD $(0x0ea0c000 | (m)<<16 | (n)<<5 | (d))

// SMULL2 Vd.2D, Vn.4S, Vm.4S: products of the high 2 words
#define SMULL2_2D(m, n, d) WORD $(0x4ea0c000 | (m)<<16 | (n)<<5 | (d))

// SRSHL Vd.2D, Vn.2D, Vm.2D: shifts by signed counts, rounds halves upwards
#define SRSHL_2D(m, n, d) WORD $(0x4ee05400 | (m)<<16 | (n)<<5 | (d))

// SQXTN Vd.2S, Vn.2D: narrows into the low half and saturates
#define SQXTN_2S(n, d) WORD $(0x0ea14800 | (n)<<5 | (d))

// SQXTN2 Vd.4S, Vn.2D: narrows into the high half and saturates
#define SQXTN2_4S(n, d) WORD $(0x4ea14800 | (n)<<5 | (d))

// SQXTUN Vd.4H, Vn.4S: narrows into the low half and saturates as unsigned
#define SQXTUN_4H(n, d) WORD $(0x2e612800 | (n)<<5 | (d))

// SQXTUN2 Vd.8H, Vn.4S: narrows into the high half and saturates as unsigned
#define SQXTUN2_8H(n, d) WORD $(0x6e612800 | (n)<<5 | (d))

// UQXTN Vd.8B, Vn.8H: narrows unsigned halfwords and saturates
#define UQXTN_8B(n, d) WORD $(0x2e214800 | (n)<<5 | (d))
