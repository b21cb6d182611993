package model

import (
	"math"

	"github.com/gomlx/gomlx/pkg/core/tensors"

	"edgescan/model/backend"
	"edgescan/quant"
)

// rangeBins is the number of steps in which the distribution of a channel's
// activations is counted.
const rangeBins = 1 << 12

// distribution is how often activations above 0 take which values.
type distribution struct {
	largest float32
	counts  [rangeBins]int // of equal parts of 0 to largest
	total   int
}

// raise makes room for v.
func (d *distribution) raise(v float32) { d.largest = max(d.largest, v) }

// count counts v. It must have been raised to the largest value before.
func (d *distribution) count(v float32) {
	if v > 0 {
		d.counts[min(int(float64(v)/float64(d.largest)*rangeBins), rangeBins-1)]++
		d.total++
	}
}

// limit returns the range, of 0 to 255 steps, that rounds the activations with
// the smallest squared error (Banner and others, "Post Training 4-bit
// Quantization", 2019): a step's square over 12 within it, what is cut off
// beyond it. It is 0 if there were no activations above 0.
func (d *distribution) limit() float64 {
	best, least := 0.0, math.Inf(1)
	for end := limitBins; d.total > 0 && end <= rangeBins; end += limitBins {
		if e := d.roundingError(end); e < least {
			best, least = float64(d.largest)*float64(end)/rangeBins, e
		}
	}
	return best
}

// limitBins is the number of bins between the ranges that limit tries.
const limitBins = 16

// roundingError returns the sum of the squared errors, in bins, of a range that
// ends before bin end.
func (d *distribution) roundingError(end int) float64 {
	inside, cut := d.total, 0.0
	for i, n := range d.counts[end:] {
		inside -= n
		cut += float64(n) * (float64(i) + 0.5) * (float64(i) + 0.5)
	}
	step := float64(end) / 255
	return float64(inside)*step*step/12 + cut
}

// ranges returns the range from 0 of the activations of each layer on the maps
// of d, after the ReLU, by channel: [layer][channel], nothing for pools and for
// the last layer.
func (f *Float) ranges(d *Dataset) ([][]float64, error) {
	b, err := backend.New()
	if err != nil {
		return nil, err
	}
	e, err := newEvaluator(b, f.variables(), f.Arch, true)
	if err != nil {
		return nil, err
	}
	layers := f.activated()
	seen := make([][]distribution, len(layers))
	for i, layer := range layers {
		seen[i] = make([]distribution, f.Arch.Layers[layer].Out)
	}
	for _, visit := range []func(*distribution, float32){(*distribution).raise, (*distribution).count} {
		if err := e.activations(d, seen, visit); err != nil {
			return nil, err
		}
	}
	ranges := make([][]float64, len(f.Arch.Layers))
	for i, layer := range layers {
		for c := range seen[i] {
			ranges[layer] = append(ranges[layer], seen[i][c].limit())
		}
	}
	return ranges, nil
}

// activations calls visit for each activation of each map of d with the
// distribution of its layer and channel.
func (e *evaluator) activations(d *Dataset, seen [][]distribution, visit func(*distribution, float32)) error {
	return e.each(d, func(first, end int, outputs []*tensors.Tensor) error {
		for i, output := range outputs[1:] {
			err := tensors.ConstFlatData(output, func(flat []float32) {
				for j, v := range flat[:(end-first)*len(flat)/evaluationBatch] {
					visit(&seen[i][j%len(seen[i])], v)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
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
