package model

import (
	"github.com/gomlx/gomlx/pkg/core/tensors"

	"edgescan/model/backend"
	"edgescan/quant"
)

// keptShare is the share of the activations above 0 that the range of a layer
// covers; the few beyond it are cut off, for finer steps of all the others.
const keptShare = 0.9999

// rangeBins is the number of steps in which the distribution of a layer's
// activations is counted.
const rangeBins = 1 << 14

// distribution is how often activations above 0 take which values.
type distribution struct {
	largest float32
	counts  [rangeBins]int // of equal parts of 0 to largest
	total   int
}

// add counts values. largest must be known.
func (d *distribution) add(values []float32) {
	for _, v := range values {
		if v > 0 {
			d.counts[min(int(float64(v)/float64(d.largest)*rangeBins), rangeBins-1)]++
			d.total++
		}
	}
}

// limit returns the value that share of the activations do not exceed, 0 if
// there were none.
func (d *distribution) limit(share float64) float64 {
	needed, seen := share*float64(d.total), 0
	for i, n := range d.counts {
		if seen += n; n > 0 && float64(seen) >= needed {
			return float64(d.largest) * float64(i+1) / rangeBins
		}
	}
	return 0
}

// ranges returns the range from 0 of the activations of each layer on the maps
// of d, after the ReLU; 0 for pools and for the last layer.
func (f *Float) ranges(d *Dataset) ([]float64, error) {
	b, err := backend.New()
	if err != nil {
		return nil, err
	}
	e, err := newEvaluator(b, f.variables(), f.Arch, true)
	if err != nil {
		return nil, err
	}
	seen := make([]distribution, len(f.activated()))
	each := func(g func(d *distribution, values []float32)) error {
		return e.each(d, func(first, end int, outputs []*tensors.Tensor) error {
			for i, output := range outputs[1:] {
				err := tensors.ConstFlatData(output, func(flat []float32) {
					g(&seen[i], flat[:(end-first)*len(flat)/evaluationBatch])
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = each(func(d *distribution, values []float32) {
		for _, v := range values {
			d.largest = max(d.largest, v)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := each((*distribution).add); err != nil {
		return nil, err
	}
	ranges := make([]float64, len(f.Arch.Layers))
	for i, layer := range f.activated() {
		ranges[layer] = seen[i].limit(keptShare)
	}
	return ranges, nil
}

// activated returns the indices of the layers that end in a ReLU.
func (f *Float) activated() []int {
	var layers []int
	for i, l := range f.Arch.Layers[:len(f.Arch.Layers)-1] {
		if l.Kind != quant.MaxPool {
			layers = append(layers, i)
		}
	}
	return layers
}
