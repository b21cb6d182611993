package quant

import (
	"bytes"
	"encoding/binary"
)

// busyTiles finds the tiles of a convolution that see an input that is not 0.
// Maps are nearly empty: in the first layer, most tiles are idle.
type busyTiles struct {
	win   window
	in    Shape
	bands int // of two output rows
	tiles int // in a band

	// words says for each 8 bytes of an input row, the last of which may be
	// less, which tiles of a band see some of them, if any.
	words []span
}

// span is what lies from first to end-1.
type span struct{ first, end int }

func newBusyTiles(win window, in, out Shape) busyTiles {
	f := busyTiles{win: win, in: in, bands: ceilDiv(out.Height, 2), tiles: ceilDiv(out.Width, tilePixels)}
	rowLen := in.Width * in.Channels
	for i := 0; i < rowLen; i += wordBytes {
		last := min(i+wordBytes, rowLen) - 1
		f.words = append(f.words, span{f.columnSeen(i / in.Channels).first, f.columnSeen(last / in.Channels).end})
	}
	return f
}

// wordBytes is how many inputs are looked at at once.
const wordBytes = 8

// columnSeen returns the tiles that see input column x.
func (f *busyTiles) columnSeen(x int) span {
	return seenBy(x+f.win.padLeft, tilePixels*f.win.strideH, (tilePixels-1)*f.win.strideH+f.win.width, f.tiles)
}

// rowSeen returns the bands that see input row y.
func (f *busyTiles) rowSeen(y int) span {
	return seenBy(y+f.win.padTop, 2*f.win.strideV, f.win.strideV+f.win.height, f.bands)
}

// seenBy returns which of n stretches of the given width, the first of which
// starts at 0 and the others each a step further, hold place x.
func seenBy(x, step, width, n int) span {
	return span{max(ceilDiv(x-width+1, step), 0), min(x/step+1, n)}
}

// size returns the length of a list of tiles: [band][tile].
func (f *busyTiles) size() int { return f.bands * f.tiles }

// find sets busy to 1 for each tile that sees an input other than 0, and
// otherwise to 0. It does not look at crowded inputs, where few tiles are idle if
// any: it then returns false, and all are to be taken for busy.
func (f *busyTiles) find(busy, src []uint8) bool {
	if crowded(src) {
		return false
	}
	clear(busy)
	rowLen := f.in.Width * f.in.Channels
	for y := range f.in.Height {
		f.findInRow(busy, src[y*rowLen:][:rowLen], f.rowSeen(y))
	}
	return true
}

// findInRow sets the tiles of the bands that see cells of row.
func (f *busyTiles) findInRow(busy, row []uint8, bands span) {
	whole := len(row) / wordBytes
	for i := range whole {
		if binary.NativeEndian.Uint64(row[i*wordBytes:]) != 0 {
			f.set(busy, bands, f.words[i])
		}
	}
	for _, v := range row[whole*wordBytes:] {
		if v != 0 {
			f.set(busy, bands, f.words[whole])
		}
	}
}

// set sets the tiles of the bands.
func (f *busyTiles) set(busy []uint8, bands, tiles span) {
	for b := bands.first; b < bands.end; b++ {
		for t := tiles.first; t < tiles.end; t++ {
			busy[b*f.tiles+t] = 1
		}
	}
}

// crowded reports whether more than a sixteenth of a sample of the words of src
// are not 0. As a tile of a 3x3 convolution sees 24 pixels, few would be idle.
func crowded(src []uint8) bool {
	const step = 11 * wordBytes // prime, so that the sample is not one of few columns
	left := len(src) / step / 16
	for i := 0; i+wordBytes <= len(src) && left >= 0; i += step {
		if binary.NativeEndian.Uint64(src[i:]) != 0 {
			left--
		}
	}
	return left < 0
}

// nextRun returns the next busy tiles side by side, first to end-1, at from or
// behind; an empty run if there are none.
func nextRun(busy []uint8, from int) (first, end int) {
	first = bytes.IndexByte(busy[from:], 1)
	if first < 0 {
		return len(busy), len(busy)
	}
	first += from
	if n := bytes.IndexByte(busy[first:], 0); n >= 0 {
		return first, first + n
	}
	return first, len(busy)
}

// repeat fills dst with pattern, time and again.
func repeat(dst, pattern []uint8) {
	for n := copy(dst, pattern); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// idlePixel returns the activations of a convolution where all inputs are 0.
func idlePixel(p Params) []uint8 {
	pixel := make([]uint8, len(p.Bias))
	for o, bias := range p.Bias {
		pixel[o] = requantize(bias, p.Mult[o], p.Shift[o])
	}
	return pixel
}
