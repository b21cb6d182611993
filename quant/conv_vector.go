package quant

// vectorConv computes a convolution and its ReLU, and where a pool of 2x2
// follows that too, on a vector unit.
//
// The input is first staged: copied between the zeros that pad it, so that the
// windows of all pixels look alike, and turned into what the unit multiplies.
// Then come two rows of the output at a time, 8 channels at a time: their sums,
// the maxima of 2x2 if asked for, and only then the requantization, which does
// not fall when the sum rises and can thus as well come last.
//
// Tiles that see nothing but zeros are left out: their activations are those of
// the bias alone.
//
// Sums are computed for whole tiles, of 4 pixels. Those behind the end of a row
// see staged zeros or, if the window reaches beyond them, what comes next in
// memory; nobody looks at them.
type vectorConv struct {
	unit   *vectorUnit
	win    window
	in     Shape
	staged Shape // of the staged input
	conv   Shape // of the convolution
	pooled bool
	busy   busyTiles
	tiles  tiling
	blocks []vectorBlock
	idle   []uint8 // a pixel of the output where all inputs are 0
}

// vectorConvFits reports whether a convolution can be run by a vectorConv.
// Windows that are very large beside their input are left to portable Go, lest
// the zeros around it fill the memory.
func vectorConvFits(l Layer, in Shape) bool {
	s := stagedShape(l, in)
	return s.Height*s.Width <= maxCells && s.Height*s.Width*s.Channels <= maxCells
}

// stagedShape returns the part of the padded input that the windows of all tiles
// see. Extents are at most 1024*1024 + 1024.
func stagedShape(l Layer, in Shape) Shape {
	v, h := l.strides()
	out := l.Output(in)
	return Shape{(out.Height-1)*v + l.Height, (roundUp(out.Width, tilePixels)-1)*h + l.Width, in.Channels}
}

func newVectorConv(u *vectorUnit, l Layer, in Shape, p Params, pooled bool) *vectorConv {
	staged, out := stagedShape(l, in), l.Output(in)
	_, stride := l.strides()
	rowLen, pixels := l.Width*in.Channels, roundUp(out.Width, tilePixels)
	return &vectorConv{
		unit: u, win: newWindow(l, in), in: in, staged: staged, conv: out, pooled: pooled,
		busy: newBusyTiles(newWindow(l, in), in, out),
		tiles: tiling{
			rows:        l.Height,
			groups:      ceilDiv(rowLen, u.layout.group),
			rowStride:   staged.Width * staged.Channels * u.layout.element,
			pixelStride: stride * staged.Channels * u.layout.element,
			sumStride:   pixels * lanes * 4,
		},
		blocks: packVectors(p, rowLen, u.layout),
		idle:   idlePixel(p),
	}
}

// grow implements kernel. The last window's last group of elements may reach
// beyond the staged input, by less than a group.
func (k *vectorConv) grow(s *Scratch) {
	pixels := k.busy.tiles * tilePixels
	s.busy = atLeast(s.busy, k.busy.size())
	s.staged = atLeast(s.staged, (k.staged.Size()+k.unit.layout.group-1)*k.unit.layout.element)
	s.sums = atLeast(s.sums, 2*pixels*lanes)
	s.spare = atLeast(s.spare, pixels*lanes)
}

// run implements kernel.
func (k *vectorConv) run(dst, src []uint8, s *Scratch) {
	k.stage(s.staged, src)
	busy := s.busy[:k.busy.size()]
	if !k.busy.find(busy, src) {
		for y := 0; y < k.conv.Height; y += 2 {
			k.compute(dst, y, 0, k.busy.tiles, s)
		}
		return
	}
	repeat(dst, k.idle)
	for y := 0; y < k.conv.Height; y += 2 {
		tiles := busy[y/2*k.busy.tiles:][:k.busy.tiles]
		for first, end := nextRun(tiles, 0); first < end; first, end = nextRun(tiles, end) {
			k.compute(dst, y, first, end, s)
		}
	}
}

// compute computes the activations of tiles first to end-1 of output rows y and
// y+1, and stores them in dst.
func (k *vectorConv) compute(dst []uint8, y, first, end int, s *Scratch) {
	x := first * tilePixels
	n := min(end*tilePixels, k.conv.Width) - x
	for i := range k.blocks {
		upper, lower := k.sum(s, &k.blocks[i], y, first, end)
		if k.pooled {
			k.pool(upper, lower, n)
			k.requantize(dst, i, y/2*ceilDiv(k.conv.Width, 2)+x/2, ceilDiv(n, 2), upper, s)
			continue
		}
		k.requantize(dst, i, y*k.conv.Width+x, n, upper, s)
		if y+1 < k.conv.Height {
			k.requantize(dst, i, (y+1)*k.conv.Width+x, n, lower, s)
		}
	}
}

// stage copies src into the middle of the zeros.
func (k *vectorConv) stage(staged, src []uint8) {
	l := k.unit.layout
	left := k.win.padLeft * k.in.Channels * l.element
	n := min(k.in.Width, k.staged.Width-k.win.padLeft) * k.in.Channels
	right := left + n*l.element
	for r := range k.staged.Height {
		row := staged[r*k.tiles.rowStride:][:k.tiles.rowStride]
		y := r - k.win.padTop
		if y < 0 || y >= k.in.Height {
			l.fill(row)
			continue
		}
		from := src[y*k.in.Width*k.in.Channels:][:n]
		l.fill(row[:left])
		k.unit.stage(&row[left:right][0], &from[0], n)
		l.fill(row[right:])
	}
}

// sum computes the sums of tiles first to end-1 of output rows y and y+1 in one
// block. If there is only one row left, both are the same.
func (k *vectorConv) sum(s *Scratch, b *vectorBlock, y, first, end int) (upper, lower []int32) {
	n := k.busy.tiles * tilePixels * lanes
	down := k.win.strideV * k.tiles.rowStride
	top := s.staged[y*down+first*tilePixels*k.tiles.pixelStride:]
	bottom := top
	if y+1 < k.conv.Height {
		bottom = top[down:]
	}
	upper, lower = s.sums[:n], s.sums[n:2*n]
	k.unit.conv(&upper[0], &top[0], &bottom[0], &b.weights[0], &b.bias, end-first, &k.tiles)
	return upper, lower
}

// pool takes the maxima of 2x2 sums of n columns, in upper. If the last column
// has no neighbour, it becomes its own.
func (k *vectorConv) pool(upper, lower []int32, n int) {
	if n%2 == 1 {
		copy(upper[n*lanes:][:lanes], upper[(n-1)*lanes:])
		copy(lower[n*lanes:][:lanes], lower[(n-1)*lanes:])
	}
	k.unit.pool(&upper[0], &lower[0], ceilDiv(n, 2))
}

// requantize turns the sums of n pixels into the activations of block i, and
// stores them in dst from the given pixel on. A block of less than 8 outputs
// goes through spare memory, lest it write over its neighbours.
func (k *vectorConv) requantize(dst []uint8, i, pixel, n int, sums []int32, s *Scratch) {
	b := &k.blocks[i]
	dst = dst[pixel*k.conv.Channels+i*lanes:]
	if b.outs == lanes {
		dst = dst[:(n-1)*k.conv.Channels+lanes]
		k.unit.requantize(&dst[0], &sums[0], n, k.conv.Channels, &b.rescale)
		return
	}
	k.unit.requantize(&s.spare[0], &sums[0], n, lanes, &b.rescale)
	for p := range n {
		copy(dst[p*k.conv.Channels:], s.spare[p*lanes:][:b.outs])
	}
}

// roundUp returns the smallest multiple of b that is at least a.
func roundUp(a, b int) int { return ceilDiv(a, b) * b }
