package model

import (
	"errors"
	"fmt"
	"math"

	"edgescan/quant"
)

// ErrExample is returned for an example that does not fit the others.
var ErrExample = errors.New("the example does not fit the data set")

// Example is a labelled map: cells in row, column, channel order, the class, and
// how much the example counts (1 is usual).
type Example struct {
	Map    []uint8
	Label  int
	Weight float32
}

// Dataset holds labelled maps of one shape. Most cells of a map are 0, so only
// the others are stored: 4 bytes each.
type Dataset struct {
	shape   quant.Shape
	cells   []uint32 // index<<8 | value, of all maps one after another
	ends    []int    // end of each map in cells
	labels  []int32
	weights []float32
}

// maxCells is the number of cells that the index of a stored cell can count.
const maxCells = 1 << 24

// NewDataset returns an empty data set for maps of the given shape, of at most
// 2^24 cells.
func NewDataset(shape quant.Shape) *Dataset { return &Dataset{shape: shape} }

// Add appends a copy of e. The error is ErrExample.
func (d *Dataset) Add(e Example) error {
	switch {
	case len(e.Map) != d.shape.Size() || len(e.Map) > maxCells:
		return fmt.Errorf("%w: a map of %d cells, not of %s", ErrExample, len(e.Map), d.shape)
	case e.Label < 0 || e.Label > math.MaxInt32:
		return fmt.Errorf("%w: label %d", ErrExample, e.Label)
	case !(e.Weight > 0) || math.IsInf(float64(e.Weight), 0):
		return fmt.Errorf("%w: weight %g, must be above 0", ErrExample, e.Weight)
	}
	for i, v := range e.Map {
		if v != 0 {
			d.cells = append(d.cells, uint32(i)<<8|uint32(v))
		}
	}
	d.ends = append(d.ends, len(d.cells))
	d.labels = append(d.labels, int32(e.Label))
	d.weights = append(d.weights, e.Weight)
	return nil
}

// Len returns the number of examples.
func (d *Dataset) Len() int { return len(d.ends) }

// Shape returns the shape of the maps.
func (d *Dataset) Shape() quant.Shape { return d.shape }

// Label returns the class of example i.
func (d *Dataset) Label(i int) int { return int(d.labels[i]) }

// Weight returns the weight of example i.
func (d *Dataset) Weight(i int) float32 { return d.weights[i] }

// Map writes the map of example i into out, which must have its size.
func (d *Dataset) Map(i int, out []uint8) { d.expand(i, nil, out) }

// expand is Map with the rows in another order: row r goes to row order[r]. A
// nil order leaves them where they are.
func (d *Dataset) expand(i int, order []int, out []uint8) {
	clear(out)
	start := 0
	if i > 0 {
		start = d.ends[i-1]
	}
	rowSize := d.shape.Width * d.shape.Channels
	for _, c := range d.cells[start:d.ends[i]] {
		at := int(c >> 8)
		if order != nil {
			at += (order[at/rowSize] - at/rowSize) * rowSize
		}
		out[at] = uint8(c)
	}
}

// check reports why d cannot be used with an architecture. The error is
// ErrExample.
func (d *Dataset) check(arch quant.Arch) error {
	if d == nil || d.Len() == 0 {
		return fmt.Errorf("%w: no examples", ErrExample)
	}
	if d.shape != arch.Input {
		return fmt.Errorf("%w: maps of %s, the network takes %s", ErrExample, d.shape, arch.Input)
	}
	for i, label := range d.labels {
		if int(label) >= arch.Classes() {
			return fmt.Errorf("%w: example %d has label %d of %d classes", ErrExample, i, label, arch.Classes())
		}
	}
	return nil
}

// ClassWeights returns weights by which every class counts the same in total:
// inversely proportional to the sum of its examples' weights, 1 on average over
// the examples. Classes without examples get 0.
func (d *Dataset) ClassWeights(classes int) []float32 {
	sums := d.classSums(classes)
	total, present := 0.0, 0.0
	for _, s := range sums {
		total += s
		if s > 0 {
			present++
		}
	}
	weights := make([]float32, classes)
	for c, s := range sums {
		if s > 0 {
			weights[c] = float32(total / (present * s))
		}
	}
	return weights
}

// classSums returns the sum of the weights of each class.
func (d *Dataset) classSums(classes int) []float64 {
	sums := make([]float64, classes)
	for i, label := range d.labels {
		sums[label] += float64(d.weights[i])
	}
	return sums
}
