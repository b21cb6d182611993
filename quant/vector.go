package quant

import "encoding/binary"

// vectorUnit is the assembly for one kind of vector unit. Sums are computed for
// 8 outputs at once. The functions trust their callers with every bound: each
// says what it reads and writes, and the kernels in Go see to it.
type vectorUnit struct {
	name   string
	layout layout

	// stage turns n >= 1 activations at src into n elements at dst.
	stage func(dst, src *uint8, n int)

	// conv computes tiles >= 1 tiles of 8 accumulators for 4 pixels of each of
	// two rows. It writes 8 sums for each of 4*tiles pixels at sums, and as many
	// t.sumStride bytes further for the second row. upper and lower are the
	// places in the staged input where the first windows of both rows begin. Of
	// each window it reads t.rows stretches of t.groups*group elements,
	// t.rowStride bytes apart; windows are t.pixelStride bytes apart. It reads
	// t.rows*t.groups groups of weights and 8 biases.
	conv func(sums *int32, upper, lower, weights *uint8, bias *[lanes]int32, tiles int, t *tiling)

	// dense computes 8 accumulators at sums from as many groups of elements at
	// src and of weights, and 8 biases. groups >= 1.
	dense func(sums *[lanes]int32, src, weights *uint8, bias *[lanes]int32, groups int)

	// pool takes maxima of 2x2 pixels: for each i < n it sets the 8 sums of
	// pixel i at upper to the largest of those of pixels 2i and 2i+1 at upper
	// and at lower. n >= 1.
	pool func(upper, lower *int32, n int)

	// requantize turns the sums of n >= 1 pixels into activations: it writes 8
	// bytes for each, stride bytes apart.
	requantize func(dst *uint8, sums *int32, n, stride int, r *rescale)

	// maxBytes sets n >= 1 bytes at dst to the larger of them and those at src.
	maxBytes func(dst, src *uint8, n int)
}

// fastestUnit returns the vector unit to use, nil if there is none.
func fastestUnit() *vectorUnit {
	if units := vectorUnits(); len(units) > 0 {
		return units[0]
	}
	return nil
}

// String returns the name of the kernels.
func (u *vectorUnit) String() string {
	if u == nil {
		return "portable"
	}
	return u.name
}

// layout says how a vector unit wants activations and weights in memory.
//
// It multiplies a group of neighbouring inputs of a kernel's row at a time by
// their weights to 8 outputs. Elements of both are signed and have so many
// bytes, the lowest first. The weights of a group are [group/run][8
// outputs][run]; those behind the end of a kernel's row or of the outputs are 0,
// so that it does not matter what they are multiplied by.
//
// offset is what staging subtracts from activations, to make them fit the
// element. The bias makes up for it: sum(w*a) = sum(w*(a-offset)) +
// offset*sum(w). As offset < 255, Params.validate has proved that the new bias
// fits 32 bits; sums on the way may wrap around, the result does not.
type layout struct {
	element, group, run int
	offset              int32
}

// groupBytes returns the bytes of a group of weights.
func (l layout) groupBytes() int { return l.group * lanes * l.element }

// fill sets b to staged zeros. The lowest byte of -128 and of 128 is the same,
// and no layout with an offset has elements of more than a byte.
func (l layout) fill(b []uint8) {
	clear(b)
	if l.offset != 0 {
		for i := range b {
			b[i] = uint8(l.offset)
		}
	}
}

// tiling is what vectorUnit.conv is told of its surroundings. Strides are in
// bytes. The assembly knows this struct; all are at least 1.
type tiling struct {
	rows        int // of the kernel
	groups      int // in a row of the kernel
	rowStride   int // of the staged input
	pixelStride int // from one window to the next
	sumStride   int // from one row of sums to the other
}

// tilePixels is the number of neighbours of a row in a tile.
const tilePixels = 4

// rescale holds what requantizes 8 outputs. The assembly knows this struct.
//
// All but limits go by outputs 0, 2, 4, 6, 1, 3, 5, 7, as multiplications from
// 32 to 64 bits like to take them.
type rescale struct {
	mult   [lanes]int64 // Params.Mult
	half   [lanes]int64 // 1 << (shift-1)
	shift  [lanes]int64 // Params.Shift
	limits [lanes]int32 // see sumLimit, in the order of the outputs
}

// sumLimit returns the smallest accumulator that becomes an activation of 255,
// or the largest there is if none does. As the activation does not fall when the
// accumulator rises, accumulators may be cut off there. What is left is below
// 255 + mult/2^shift + 1 <= 256 + 2^30 when scaled, so that 32 bits hold it. It
// is above 0, as 0 becomes 0.
func sumLimit(mult int32, shift uint8) int32 {
	low, high := int32(0), int32(1<<31-1) // low becomes less than 255; the answer is at most high
	for high-low > 1 {
		middle := low + (high-low)/2
		if scaled(middle, mult, shift) < 255 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// vectorBlock holds the parameters of up to 8 outputs of a layer as a vector
// unit wants them. Outputs that are not in use have weights, biases and
// multipliers of 0.
type vectorBlock struct {
	weights []uint8
	bias    [lanes]int32
	rescale rescale
	outs    int // in use
}

// packVectors lays out the parameters of a layer, whose kernel has rows of
// rowLen inputs, in blocks of 8 outputs.
func packVectors(p Params, rowLen int, l layout) []vectorBlock {
	outs := len(p.Bias)
	blocks := make([]vectorBlock, ceilDiv(outs, lanes))
	for b := range blocks {
		blocks[b] = packVector(p, b*lanes, min(outs-b*lanes, lanes), rowLen, l)
	}
	return blocks
}

// packVector lays out outputs first to first+outs-1 of a layer.
func packVector(p Params, first, outs, rowLen int, l layout) vectorBlock {
	all, groups := len(p.Bias), ceilDiv(rowLen, l.group)
	inputs := len(p.Weights) / all
	b := vectorBlock{weights: make([]uint8, inputs/rowLen*groups*l.groupBytes()), outs: outs}
	for i := range outs {
		o := first + i
		b.bias[i] = p.Bias[o]
		for k := range inputs {
			w := p.Weights[k*all+o]
			b.bias[i] += l.offset * int32(w)
			l.put(b.weights[(k/rowLen*groups+k%rowLen/l.group)*l.groupBytes():], k%rowLen%l.group, i, w)
		}
		b.rescale.set(i, p.Mult[o], p.Shift[o])
	}
	for i := outs; i < lanes; i++ {
		b.rescale.set(i, 0, minShift)
	}
	return b
}

// put writes weight k of a group to output o.
func (l layout) put(group []uint8, k, o int, w int8) {
	at := ((k/l.run*lanes+o)*l.run + k%l.run) * l.element
	if l.element == 2 {
		binary.LittleEndian.PutUint16(group[at:], uint16(w))
		return
	}
	group[at] = uint8(w)
}

// set sets what requantizes output i of a block.
func (r *rescale) set(i int, mult int32, shift uint8) {
	at := i/2 + i%2*(lanes/2)
	r.mult[at], r.half[at], r.shift[at] = int64(mult), 1<<(shift-1), int64(shift)
	r.limits[i] = sumLimit(mult, shift)
}
