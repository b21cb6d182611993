package quant

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
	idle    [lanes]uint8 // the activations where all inputs are 0
	outs    int          // outputs in use; beyond them all is 0
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
		b.idle[i] = requantize(p.Bias[o], p.Mult[o], p.Shift[o])
		for k := range b.weights {
			b.weights[k][i/2] += int64(p.Weights[k*all+o]) << half
		}
	}
	return b
}

// add adds the products of cells with their weights to the accumulator. The
// weights of a cell are those at its place less origin.
func (b *block) add(acc *row, cells []cell, origin int) {
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	weights := b.weights
	for _, c := range cells {
		w, v := &weights[int(c>>8)-origin], int64(c&0xff)
		a0 += v * w[0]
		a1 += v * w[1]
		a2 += v * w[2]
		a3 += v * w[3]
	}
	acc[0], acc[1], acc[2], acc[3] = a0, a1, a2, a3
}

// lane returns accumulator i.
func (acc *row) lane(i int) int32 {
	low := int32(acc[i/2])
	if i%2 == 0 {
		return low
	}
	return int32((acc[i/2] - int64(low)) >> 32)
}

// activations requantizes the accumulators into dst.
func (b *block) activations(dst []uint8, acc *row) {
	for i := range dst[:b.outs] {
		dst[i] = requantize(acc.lane(i), b.mult[i], b.shift[i])
	}
}
