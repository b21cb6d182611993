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
// layer, with 0 at 0; the temperature goes into the logits' scale. The scheme is
// that of Jacob and others, "Quantization and Training of Neural Networks for
// Efficient Integer-Arithmetic-Only Inference" (2017).
//
// The error is ErrExample, or says why the network is no valid one.
func Quantize(f *Float, calibration *Dataset, meta quant.Meta) (n *quant.Network, err error) {
	defer recovered(&err)
	if err := f.usable(calibration); err != nil {
		return nil, err
	}
	ranges, err := f.ranges(calibration)
	if err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	params := make([]quant.Params, len(f.Arch.Layers))
	inScale := InputScale
	last := len(f.Arch.Layers) - 1
	for i, l := range f.Arch.Layers {
		if l.Kind == quant.MaxPool {
			continue
		}
		outScale := activationScale(ranges[i])
		if i == last {
			outScale = f.Temperature / logitSteps
		}
		if params[i], err = quantizeLayer(f.Layers[i], inScale, outScale); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		inScale = outScale
	}
	return quant.Build(f.Arch, params, meta)
}

// logitSteps is the number of steps of an int8 network's logit in a nat.
const logitSteps = 256

// activationScale returns the value of one step of an activation of 0 to 255
// that covers the given range. A layer that is always 0 gets any.
func activationScale(limit float64) float64 {
	if limit == 0 {
		limit = 1
	}
	return limit / 255
}

// biasLimit bounds a quantized bias, to leave the accumulator room for the
// products.
const biasLimit = 1 << 30

// quantizeLayer quantizes a layer whose input and output have steps of the
// given sizes.
func quantizeLayer(w Weights, inScale, outScale float64) (quant.Params, error) {
	outputs := len(w.Biases)
	p := quant.Params{
		Weights: make([]int8, len(w.Weights)),
		Bias:    make([]int32, outputs),
		Mult:    make([]int32, outputs),
		Shift:   make([]uint8, outputs),
	}
	scales := weightScales(w, inScale)
	for i, v := range w.Weights {
		p.Weights[i] = int8(math.Round(float64(v) / scales[i%outputs]))
	}
	for o, v := range w.Biases {
		step := inScale * scales[o]
		p.Bias[o] = int32(math.Round(float64(v) / step))
		var err error
		if p.Mult[o], p.Shift[o], err = quant.Multiplier(step / outScale); err != nil {
			return quant.Params{}, fmt.Errorf("output %d: %w", o, err)
		}
	}
	return p, nil
}

// weightScales returns the step of the weights of each output: its largest
// weight is 127 steps. Where the weights are tiny beside the bias, steps are
// larger, so that the bias fits.
func weightScales(w Weights, inScale float64) []float64 {
	scales := make([]float64, len(w.Biases))
	for i, v := range w.Weights {
		o := i % len(scales)
		scales[o] = max(scales[o], math.Abs(float64(v))/127)
	}
	for o, v := range w.Biases {
		scales[o] = max(scales[o], math.Abs(float64(v))/inScale/biasLimit)
		if scales[o] == 0 {
			scales[o] = 1
		}
	}
	return scales
}
