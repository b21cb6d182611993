package quant

import "encoding/binary"

// wordPool takes maxima in portable Go, 8 bytes at a time: the channels of a
// pixel, or of several side by side, are one stretch of bytes.
type wordPool struct {
	win     window
	in, out Shape
}

func newWordPool(l Layer, in Shape) *wordPool {
	return &wordPool{newWindow(l, in), in, l.Output(in)}
}

// grow implements kernel.
func (k *wordPool) grow(*Scratch) {}

// run implements kernel.
func (k *wordPool) run(dst, src []uint8, _ *Scratch) {
	channels := k.in.Channels
	for y := range k.out.Height {
		firstRow, endRow := k.win.rows(y, k.in.Height)
		for x := range k.out.Width {
			firstCol, endCol := k.win.columns(x, k.in.Width)
			pixel := dst[:channels]
			dst = dst[channels:]
			copy(pixel, src[(firstRow*k.in.Width+firstCol)*channels:])
			for r := firstRow; r < endRow; r++ {
				for c := firstCol; c < endCol; c++ {
					maxBytes(pixel, src[(r*k.in.Width+c)*channels:][:channels])
				}
			}
		}
	}
}

// maxBytes sets each byte of dst to the larger of it and src's, which is as
// long.
func maxBytes(dst, src []uint8) {
	for len(dst) >= 8 && len(src) >= 8 {
		m := maxWord(binary.NativeEndian.Uint64(dst), binary.NativeEndian.Uint64(src))
		binary.NativeEndian.PutUint64(dst, m)
		dst, src = dst[8:], src[8:]
	}
	for i, v := range src {
		dst[i] = max(dst[i], v)
	}
}

// maxWord returns the larger byte of a and b in each of the 8 places.
func maxWord(a, b uint64) uint64 {
	const high = 0x8080808080808080
	// In the high bit of each byte: whether a's low 7 bits are at least b's.
	// Setting a's high bit first keeps the borrow inside of the byte.
	low := (a | high) - (b &^ high)
	// Whether a is at least b: by the high bits, or if they agree by the low ones.
	atLeast := (a&^b | ^(a^b)&low) & high
	mask := atLeast | (atLeast - atLeast>>7)
	return a&mask | b&^mask
}
