package candidates

import (
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/quant"
)

// view is what a network sees of a look.
type view struct {
	name  string
	shape quant.Shape

	// newDraw returns what draws a view into a map of its shape. What it returns
	// has scratch memory and serves one goroutine.
	newDraw func() func(m []uint8, l *detect.Look)
}

// layoutView sees maps of a layout.
func layoutView(name string, l featurize.Layout) *view {
	return &view{name, quant.Shape{Height: l.Rows, Width: l.Columns(), Channels: featurize.Channels}, func() func([]uint8, *detect.Look) {
		b := featurize.NewBuilder(l)
		return func(m []uint8, look *detect.Look) { look.Draw(b, m) }
	}}
}

// withRows is the default layout with another number of rows.
func withRows(n int) featurize.Layout {
	l := featurize.DefaultLayout()
	l.Rows = n
	return l
}

// spread is short for a layout's columns.
func spread(wellKnown, registered, ephemeral int) featurize.Spread {
	return featurize.Spread{WellKnown: wellKnown, Registered: registered, Ephemeral: ephemeral}
}

// The views.
var (
	shipped = layoutView("16x48", featurize.DefaultLayout())
	tiny    = layoutView("16x16", featurize.Layout{Rows: 16, TCP: spread(3, 1, 1), UDP: spread(1, 1, 1)})
	tall    = layoutView("32x48", withRows(32))
	square  = layoutView("32x32", featurize.Layout{Rows: 32, TCP: spread(8, 4, 3), UDP: spread(4, 3, 2)})
	large   = layoutView("64x64", featurize.Layout{Rows: 64, TCP: spread(20, 10, 6), UDP: spread(10, 6, 4)})

	// rows has the columns of the shipped map for channels, so that a kernel of
	// 1x1 sees a host's whole row.
	rows = &view{"16x48 rows", quant.Shape{Height: featurize.Rows, Width: 1, Channels: featurize.Columns * featurize.Channels}, shipped.newDraw}

	merged = &view{"16x48x1", quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: 1}, func() func([]uint8, *detect.Look) {
		return seeMerged
	}}
	counts = &view{"counts", quant.Shape{Height: 1, Width: 1, Channels: countFeatures}, func() func([]uint8, *detect.Look) {
		return seeCounts
	}}
)

// seeMerged sees only where contacts were, not what they came to.
func seeMerged(dst []uint8, l *detect.Look) {
	clear(dst)
	eachCell(l.Map, func(r, c, k int, v uint8) {
		if k <= featurize.ChannelPending {
			i := r*featurize.Columns + c
			dst[i] = max(dst[i], v)
		}
	})
}

// countFeatures is the number of counts that seeCounts sees: of cells, rows
// and columns, for each channel and in all.
const countFeatures = 3 * (featurize.Channels + 1)

// seeCounts sees, for each channel, in how many cells, rows and columns there
// is anything.
func seeCounts(dst []uint8, l *detect.Look) {
	var rows [featurize.Channels + 1][featurize.Rows]bool
	var columns [featurize.Channels + 1][featurize.Columns]bool
	var cells [featurize.Channels + 1]int
	eachCell(l.Map, func(r, c, k int, v uint8) {
		for _, k := range []int{k, featurize.Channels} {
			rows[k][r], columns[k][c] = true, true
			cells[k]++
		}
	})
	for k := range cells {
		dst[3*k] = uint8(min(cells[k], 255))
		dst[3*k+1] = countTrue(rows[k][:])
		dst[3*k+2] = countTrue(columns[k][:])
	}
}

func countTrue(b []bool) (n uint8) {
	for _, v := range b {
		if v {
			n++
		}
	}
	return n
}

// eachCell calls f for each value of a map that is not 0.
func eachCell(m *featurize.Map, f func(row, column, channel int, v uint8)) {
	for i, v := range m {
		if v != 0 {
			cell := i / featurize.Channels
			f(cell/featurize.Columns, cell%featurize.Columns, i%featurize.Channels, v)
		}
	}
}
