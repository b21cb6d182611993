package plots

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
)

// cellWidth is the least width of a cell in points: a count and a percentage
// must fit.
const cellWidth vg.Length = 60

// Confusion draws how often each class was taken for each, counts[class][taken
// for], as a heat map of the shares of each row.
func Confusion(w io.Writer, format Format, counts [][]int, classes []string) error {
	if err := checkCounts(counts, classes); err != nil {
		return err
	}
	f := newFigure("Confusion matrix: examples, and percent of the row", "class that the network names", "true class")
	n := vg.Length(len(classes))
	f.width, f.height = max(f.width, 120+n*cellWidth), max(f.height, 80+n*cellWidth/2)
	useNames(&f.X, classes)
	f.grid.Vertical.Color = nil
	f.useRows(classes)
	for row := range counts {
		f.confusionRow(row, counts[row])
	}
	return f.write(w, format)
}

func checkCounts(counts [][]int, classes []string) error {
	if err := checkNames("classes", classes); err != nil {
		return err
	}
	if len(counts) != len(classes) {
		return fmt.Errorf("%w: %d rows for %d classes", ErrData, len(counts), len(classes))
	}
	for i, row := range counts {
		if len(row) != len(classes) {
			return fmt.Errorf("%w: %d columns in row %d for %d classes", ErrData, len(row), i, len(classes))
		}
		for _, n := range row {
			if n < 0 {
				return fmt.Errorf("%w: a count of %d in row %d", ErrData, n, i)
			}
		}
	}
	return nil
}

// confusionRow adds the cells of a row. One without examples has no shares.
func (f *figure) confusionRow(row int, counts []int) {
	all := 0
	for _, n := range counts {
		all += n
	}
	for column, n := range counts {
		x, y := float64(column), float64(row)
		share, label := 0.0, "0"
		if all > 0 {
			share = float64(n) / float64(all)
			label = fmt.Sprintf("%d\n%.2f%%", n, 100*share)
		}
		style := textStyle(labelSize)
		if share > 0.9 { // where white stands out more than black
			style.Color = color.White
		}
		f.Add(box{x - 0.49, y - 0.49, x + 0.49, y + 0.49, shade(share)}, note{x: x, y: y, style: style, text: label})
	}
}

// shade returns the colour of a share: from almost white to the first of the
// colours.
func shade(share float64) color.Color {
	mix := func(from, to uint8) uint8 {
		return uint8(math.Round(float64(from) + share*(float64(to)-float64(from))))
	}
	full := colours[0]
	return color.RGBA{mix(0xf2, full.R), mix(0xf6, full.G), mix(0xfa, full.B), 0xff}
}
