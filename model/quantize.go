package model

import (
	"fmt"
	"math"

	"edgescan/quant"
)

// Quantize converts a trained network to int8. The ranges of the activations
// are measured on the maps of calibration, whose labels do not matter: take
// some thousand that resemble the traffic to come. meta goes into the network as
// it is.
//
// Weights get a scale per output, symmetric around 0; activations one per
// channel, with 0 at 0; the temperature goes into the logits' scale. The scheme
// is that of Jacob and others, "Quantization and Training of Neural Networks for
// Efficient Integer-Arithmetic-Only Inference" (2017). That activations have a
// scale per channel costs nothing when the network runs: the scales of a layer's
// inputs are part of its weights before they are rounded, as in the equalization
// of Nagel and others, "Data-Free Quantization Through Weight Equalization and
// Bias Correction" (2019).
//
// Only maps on which the network is undecided count, for they are those whose
// verdict rounding can turn: their activations are up to ten times smaller than
// those of plain scans. On them the weights and steps are then tuned until the
// rounded network gives the float network's logits, see imitate.
//
// The error is ErrExample, or says why the network is no valid one.
func Quantize(f *Float, calibration *Dataset, meta quant.Meta) (n *quant.Network, err error) {
	defer recovered(&err)
	if err := f.usable(calibration); err != nil {
		return nil, err
	}
	maps, err := f.undecided(calibration)
	if err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	ranges, err := f.ranges(maps)
	if err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	steps := make([][]float64, len(ranges))
	for i := range ranges {
		steps[i] = activationScales(ranges[i])
	}
	twin, steps, err := f.imitate(maps, steps)
	if err != nil {
		return nil, fmt.Errorf("imitation: %w", err)
	}
	return twin.rounded(steps, meta)
}

// rounded rounds f to int8, with the given steps of its activations.
func (f *Float) rounded(steps [][]float64, meta quant.Meta) (*quant.Network, error) {
	params := make([]quant.Params, len(f.Arch.Layers))
	in := repeat(InputScale, f.Arch.Input.Channels)
	last := len(f.Arch.Layers) - 1
	for i, l := range f.Arch.Layers {
		if l.Kind == quant.MaxPool {
			continue
		}
		out := steps[i]
		if i == last {
			out = repeat(f.Temperature/logitSteps, l.Out)
		}
		var err error
		if params[i], err = quantizeLayer(f.Layers[i], in, out); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		in = out
	}
	return quant.Build(f.Arch, params, meta)
}

// logitSteps is the number of steps of an int8 network's logit in a nat.
const logitSteps = 256

func repeat(v float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = v
	}
	return values
}

// activationScales returns the value of one step of each channel's activations
// of 0 to 255, such that they cover the channel's range. A channel that is
// always 0 gets any.
func activationScales(ranges []float64) []float64 {
	scales := make([]float64, len(ranges))
	for c, limit := range ranges {
		if limit == 0 {
			limit = 1
		}
		scales[c] = limit / 255
	}
	return scales
}

// biasLimit bounds a quantized bias, to leave the accumulator room for the
// products.
const biasLimit = 1 << 30

// quantizeLayer quantizes a layer whose inputs and outputs have steps of the
// given sizes, by channel.
func quantizeLayer(w Weights, in, out []float64) (quant.Params, error) {
	outputs := len(w.Biases)
	p := quant.Params{
		Weights: make([]int8, len(w.Weights)),
		Bias:    make([]int32, outputs),
		Mult:    make([]int32, outputs),
		Shift:   make([]uint8, outputs),
	}
	weights := scaledWeights(w, in)
	steps := weightSteps(weights, w.Biases)
	for i, v := range weights {
		p.Weights[i] = int8(math.Round(v / steps[i%outputs]))
	}
	for o, v := range w.Biases {
		p.Bias[o] = int32(math.Round(float64(v) / steps[o]))
		var err error
		if p.Mult[o], p.Shift[o], err = quant.Multiplier(steps[o] / out[o]); err != nil {
			return quant.Params{}, fmt.Errorf("output %d: %w", o, err)
		}
	}
	return p, nil
}

// scaledWeights returns the weights for inputs that are counted in steps of the
// given sizes: weight i belongs to input i/outputs, whose channel is the last
// axis of what it was flattened from.
func scaledWeights(w Weights, in []float64) []float64 {
	scaled := make([]float64, len(w.Weights))
	for i, v := range w.Weights {
		scaled[i] = float64(v) * in[i/len(w.Biases)%len(in)]
	}
	return scaled
}

// weightSteps returns the step of the weights of each output: its largest
// weight is 127 steps. Where the weights are tiny beside the bias, steps are
// larger, so that the bias fits.
func weightSteps(weights []float64, biases []float32) []float64 {
	steps := make([]float64, len(biases))
	for i, v := range weights {
		o := i % len(steps)
		steps[o] = max(steps[o], math.Abs(v)/127)
	}
	for o, v := range biases {
		steps[o] = max(steps[o], math.Abs(float64(v))/biasLimit)
		if steps[o] == 0 {
			steps[o] = 1
		}
	}
	return steps
}
