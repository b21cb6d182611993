package quant

import "encoding/binary"

// cellList lists the cells of a layer's input that are not 0, pixel by pixel.
// Maps are nearly empty and a ReLU leaves many zeros, so most of the
// multiplications of a layer need not be done.
type cellList struct {
	cells  []cell
	starts []uint32 // of each pixel in cells; one more at the end
}

// cell is a cell that is not 0: its value in the low 8 bits, above them its
// place, column*channels + channel. Places count from the row's first cell, and
// from the window's where a window is collected; either way they are below
// maxCells or maxWeights, so that 28 bits are enough.
type cell uint32

// grow makes room for the cells of an input of shape in.
func (l *cellList) grow(in Shape) {
	l.cells = atLeast(l.cells, in.Size())
	l.starts = atLeast(l.starts, in.Height*in.Width+1)
}

// fill lists the cells of src, which has shape in: [row][column][channel].
func (l *cellList) fill(src []uint8, in Shape) {
	n := 0
	for pixel := range in.Height * in.Width {
		l.starts[pixel] = uint32(n)
		place := pixel % in.Width * in.Channels
		n = l.append(n, src[pixel*in.Channels:][:in.Channels], place)
	}
	l.starts[in.Height*in.Width] = uint32(n)
}

// append lists the cells of one pixel, the first of which has the given place,
// behind the first n and returns the new length. Eight zeros are passed over
// at once; otherwise a cell is always written and only kept if it is not 0,
// which costs less than a branch that cannot be foretold.
func (l *cellList) append(n int, pixel []uint8, place int) int {
	for len(pixel) >= 8 {
		if binary.NativeEndian.Uint64(pixel) != 0 {
			n = l.appendEach(n, pixel[:8], place)
		}
		pixel, place = pixel[8:], place+8
	}
	return l.appendEach(n, pixel, place)
}

// appendEach is append without the short cut.
func (l *cellList) appendEach(n int, values []uint8, place int) int {
	for i, v := range values {
		l.cells[n] = cell(place+i)<<8 | cell(v)
		if v != 0 {
			n++
		}
	}
	return n
}

// run returns the cells of the pixels first to end-1, counted row by row.
func (l *cellList) run(first, end int) []cell {
	return l.cells[l.starts[first]:l.starts[end]]
}
