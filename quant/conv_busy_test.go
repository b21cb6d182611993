package quant

import (
	"slices"
	"testing"
)

// tilesSeeing returns the tiles that see pixel (y, x), by their definition.
func tilesSeeing(f busyTiles, y, x int) []uint8 {
	busy := make([]uint8, f.size())
	for band := range f.bands {
		for tile := range f.tiles {
			top, left := 2*band*f.win.strideV-f.win.padTop, tilePixels*tile*f.win.strideH-f.win.padLeft
			bottom, right := top+f.win.strideV+f.win.height, left+(tilePixels-1)*f.win.strideH+f.win.width
			if top <= y && y < bottom && left <= x && x < right {
				busy[band*f.tiles+tile] = 1
			}
		}
	}
	return busy
}

// A cell makes those tiles busy that see it, and no others.
func TestBusyTiles(t *testing.T) {
	r := newRand(23)
	for range 500 {
		l, in := randomConv(r)
		in.Channels = wordBytes
		f := newBusyTiles(newWindow(l, in), in, l.Output(in))
		y, x := r.IntN(in.Height), r.IntN(in.Width)
		src, got := make([]uint8, in.Size()), make([]uint8, f.size())
		src[(y*in.Width+x)*in.Channels+r.IntN(in.Channels)] = 1
		if f.find(got, src) && !slices.Equal(got, tilesSeeing(f, y, x)) {
			t.Fatalf("%v of %v: cell at %d, %d: %v, want %v", l, in, y, x, got, tilesSeeing(f, y, x))
		}
	}
}

func TestNextRun(t *testing.T) {
	busy := []uint8{0, 1, 1, 0, 0, 1}
	var got []int
	for first, end := nextRun(busy, 0); first < end; first, end = nextRun(busy, end) {
		got = append(got, first, end)
	}
	if want := []int{1, 3, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
