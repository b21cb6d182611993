package quant

import "encoding/binary"

// lanes is the number of outputs that a block computes at once.
const lanes = 8

// row holds the weights of one input to the outputs of a block, two to a word:
// word i is w[2i] + w[2i+1]<<32, a sum of signed numbers.
type row [lanes / 2]int64

// block computes up to 8 outputs of a layer, two in each 64-bit multiplication.
//
// A word of the accumulator is a[2i] + a[2i+1]<<32. Multiplying a word of
// weights by an input and adding it does both sums at once, modulo 2^64. As
// Params.validate has proved that each sum fits 32 signed bits, the low one is
// the low half taken as signed, and what remains after subtracting it is the
// high one: exact, whatever the order.
type block struct {
	weights []row // one for each input of an output, in the order of Params.Weights
	bias    row   // packed likewise
	mult    [lanes]int32
	shift   [lanes]uint8
	idle    uint64 // the activations where all inputs are 0, as requantize returns them
	outs    int    // outputs in use; what is beyond them is never stored
}

// packBlocks lays out the parameters of a layer in blocks of 8 outputs.
func packBlocks(p Params) []block {
	outs := len(p.Bias)
	blocks := make([]block, ceilDiv(outs, lanes))
	for b := range blocks {
		blocks[b] = packBlock(p, b*lanes, min(outs-b*lanes, lanes))
	}
	return blocks
}

// packBlock lays out outputs first to first+outs-1 of a layer.
func packBlock(p Params, first, outs int) block {
	all := len(p.Bias)
	b := block{weights: make([]row, len(p.Weights)/all), outs: outs}
	for i := range outs {
		o, half := first+i, 32*(i%2)
		b.bias[i/2] += int64(p.Bias[o]) << half
		b.mult[i], b.shift[i] = p.Mult[o], p.Shift[o]
		for k := range b.weights {
			b.weights[k][i/2] += int64(p.Weights[k*all+o]) << half
		}
	}
	b.idle = b.requantize(&b.bias)
	return b
}

// activations computes the block's outputs and their ReLU into dst, from the
// inputs that are not 0; the place of a cell is the number of its input. dst has
// at least as many bytes as there are outputs in use.
//
// The bytes are gathered in a word: processors stall when they load as a word
// what was just stored as bytes.
func (b *block) activations(dst []uint8, cells []cell) {
	word := b.idle
	if len(cells) > 0 {
		var acc row
		b.accumulate(&acc, cells)
		word = b.requantize(&acc)
	}
	if b.outs == lanes {
		binary.LittleEndian.PutUint64(dst, word)
		return
	}
	for i := range dst[:b.outs] {
		dst[i] = uint8(word >> (8 * i))
	}
}

// requantize returns the activations, the first in the lowest byte.
func (b *block) requantize(acc *row) (word uint64) {
	for i := range acc {
		low, high := acc.lanes(i)
		word |= uint64(requantize(low, b.mult[2*i], b.shift[2*i])) << (16 * i)
		word |= uint64(requantize(high, b.mult[2*i+1], b.shift[2*i+1])) << (16*i + 8)
	}
	return word
}

// logits computes the outputs of a block of the last layer into dst, likewise.
func (b *block) logits(dst []int32, cells []cell) {
	var acc row
	b.accumulate(&acc, cells)
	for o := range dst[:b.outs] {
		low, high := acc.lanes(o / 2)
		sum := low
		if o%2 == 1 {
			sum = high
		}
		dst[o] = requantizeLogit(sum, b.mult[o], b.shift[o])
	}
}

// accumulate sets acc to the bias and the products of cells with their weights.
func (b *block) accumulate(acc *row, cells []cell) {
	a0, a1, a2, a3 := b.bias[0], b.bias[1], b.bias[2], b.bias[3]
	weights := b.weights
	for _, c := range cells {
		w, v := &weights[c>>8], int64(c&0xff)
		a0 += v * w[0]
		a1 += v * w[1]
		a2 += v * w[2]
		a3 += v * w[3]
	}
	acc[0], acc[1], acc[2], acc[3] = a0, a1, a2, a3
}

// lanes returns the accumulators of word i.
func (acc *row) lanes(i int) (low, high int32) {
	low = int32(acc[i])
	return low, int32((acc[i] - int64(low)) >> 32)
}
