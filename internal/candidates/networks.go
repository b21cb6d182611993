package candidates

import (
	"edgescan/internal/dataset"
	"edgescan/quant"
)

// Candidate is a network that could have been chosen, and what it sees.
type Candidate struct {
	Name      string
	view      *view
	layers    []quant.Layer
	depthwise []int // layers, see model.Config.Depthwise
}

func conv(h, w, out int) quant.Layer {
	return quant.Layer{Kind: quant.Conv, Height: h, Width: w, Out: out}
}

func pool(h, w int) quant.Layer { return quant.Layer{Kind: quant.MaxPool, Height: h, Width: w} }
func dense(out int) quant.Layer { return quant.Layer{Kind: quant.Dense, Out: out} }

// head ends a network in a dense layer and the logits.
func head(hidden int, layers ...quant.Layer) []quant.Layer {
	if hidden > 0 {
		layers = append(layers, dense(hidden))
	}
	return append(layers, dense(len(dataset.Classes)))
}

// cnn is convolutions of 3x3, each followed by a pool of 2x2.
func cnn(hidden int, channels ...int) []quant.Layer {
	var layers []quant.Layer
	for _, c := range channels {
		layers = append(layers, conv(3, 3, c), pool(2, 2))
	}
	return head(hidden, layers...)
}

// lines is convolutions with kernels of 1 x k and k x 1, then of 3x3, each
// followed by a pool of 2x2: lines are long before they are thick.
func lines(k, hidden int, along, down int, others ...int) []quant.Layer {
	layers := []quant.Layer{conv(1, k, along), pool(2, 2), conv(k, 1, down), pool(2, 2)}
	for _, c := range others {
		layers = append(layers, conv(3, 3, c), pool(2, 2))
	}
	return head(hidden, layers...)
}

// All returns the candidates. The first is the architecture that is shipped.
func All(architecture quant.Arch) []Candidate {
	return []Candidate{
		{Name: "shipped", view: shipped, layers: architecture.Layers},
		{Name: "3x3 8-16-32, dense 64", view: shipped, layers: cnn(64, 8, 16, 32)},
		{Name: "half the channels: 3x3 4-8-16, dense 32", view: shipped, layers: cnn(32, 4, 8, 16)},
		{Name: "twice the channels: 3x3 16-32-64, dense 64", view: shipped, layers: cnn(64, 16, 32, 64)},
		{Name: "two convolutions: 3x3 8-16, pool 4", view: shipped, layers: head(64, conv(3, 3, 8), pool(4, 4), conv(3, 3, 16), pool(2, 2))},
		{Name: "four convolutions: 3x3 8-16-32-32, dense 64", view: shipped, layers: cnn(64, 8, 16, 32, 32)},
		{Name: "lines: 1x7 8, 7x1 16, 3x3 32, dense 64", view: shipped, layers: lines(7, 64, 8, 16, 32)},
		{Name: "lines: 1x7 8, 7x1 16, 3x3 32, dense 32", view: shipped, layers: lines(7, 32, 8, 16, 32)},
		{Name: "longer lines: 1x11 8, 11x1 16, 3x3 32, dense 64", view: shipped, layers: lines(11, 64, 8, 16, 32)},
		{Name: "lines, four convolutions: 1x7 8, 7x1 16, 3x3 32-32, dense 64", view: shipped, layers: lines(7, 64, 8, 16, 32, 32)},
		{Name: "lines, half the channels: 1x7 4, 7x1 8, 3x3 16, dense 32", view: shipped, layers: lines(7, 32, 4, 8, 16)},
		{Name: "whole lines: 1x48 32, dense 64", view: rows, layers: head(64, conv(1, 1, 32))},
		{Name: "depthwise: 3x3 8, then each 3x3 apart and 1x1, 16-32", view: shipped, depthwise: []int{2, 5},
			layers: head(64, conv(3, 3, 8), pool(2, 2), conv(3, 3, 8), conv(1, 1, 16), pool(2, 2), conv(3, 3, 16), conv(1, 1, 32), pool(2, 2))},
		{Name: "global pooling: 3x3 8-16-32", view: shipped, layers: head(64, conv(3, 3, 8), pool(2, 2), conv(3, 3, 16), pool(2, 2), conv(3, 3, 32), pool(8, 12))},
		{Name: "no convolution: dense 64-32", view: shipped, layers: head(32, dense(64))},
		{Name: "map 16x16: 3x3 8-16, dense 64", view: tiny, layers: cnn(64, 8, 16)},
		{Name: "map 16x48: lines 1x7 8, 7x1 16, 3x3 32, dense 64", view: flat, layers: lines(7, 64, 8, 16, 32)},
		{Name: "map 32x32: 3x3 8-16-32, dense 64", view: square, layers: cnn(64, 8, 16, 32)},
		{Name: "map 64x64: 3x3 8-16-32-32, dense 64", view: large, layers: cnn(64, 8, 16, 32, 32)},
		{Name: "no outcomes: one channel, 3x3 8-16-32", view: merged, layers: cnn(64, 8, 16, 32)},
		{Name: "logistic regression on counts", view: counts, layers: head(0)},
	}
}
