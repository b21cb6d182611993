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

// All returns the candidates. The first is the architecture that is shipped;
// what is not said of the others is as in it.
func All(architecture quant.Arch) []Candidate {
	return []Candidate{
		{Name: "shipped: map 16x48, 1x7 8, 7x1 16, 3x3 32, dense 64", view: shipped, layers: architecture.Layers},
		{Name: "half the channels: 1x7 4, 7x1 8, 3x3 16, dense 32", view: shipped, layers: lines(7, 32, 4, 8, 16)},
		{Name: "twice the channels: 1x7 16, 7x1 32, 3x3 64, dense 64", view: shipped, layers: lines(7, 64, 16, 32, 64)},
		{Name: "dense 32", view: shipped, layers: lines(7, 32, 8, 16, 32)},
		{Name: "longer lines: 1x11 8, 11x1 16, 3x3 32", view: shipped, layers: lines(11, 64, 8, 16, 32)},
		{Name: "shorter lines: 1x5 8, 5x1 16, 3x3 32", view: shipped, layers: lines(5, 64, 8, 16, 32)},
		{Name: "squares: 3x3 8-16-32", view: shipped, layers: cnn(64, 8, 16, 32)},
		{Name: "two convolutions: 1x7 8, 7x1 16", view: shipped, layers: lines(7, 64, 8, 16)},
		{Name: "four convolutions: 1x7 8, 7x1 16, 3x3 32-32", view: shipped, layers: lines(7, 64, 8, 16, 32, 32)},
		{Name: "whole rows: 1x48 32", view: rows, layers: head(64, conv(1, 1, 32))},
		{Name: "depthwise: 1x7 8, then 7x1 and 3x3 of each channel apart and 1x1, 16-32", view: shipped, depthwise: []int{2, 5},
			layers: head(64, conv(1, 7, 8), pool(2, 2), conv(7, 1, 8), conv(1, 1, 16), pool(2, 2), conv(3, 3, 16), conv(1, 1, 32), pool(2, 2))},
		{Name: "global pooling: 1x7 8, 7x1 16, 3x3 32", view: shipped, layers: head(64, conv(1, 7, 8), pool(2, 2), conv(7, 1, 16), pool(2, 2), conv(3, 3, 32), pool(4, 12))},
		{Name: "no convolution: dense 64-32", view: shipped, layers: head(32, dense(64))},
		{Name: "map 16x16", view: tiny, layers: lines(7, 64, 8, 16, 32)},
		{Name: "map 32x32", view: square, layers: lines(7, 64, 8, 16, 32)},
		{Name: "map 32x48", view: tall, layers: lines(7, 64, 8, 16, 32)},
		{Name: "map 32x48, 3x3 8-16-32", view: tall, layers: cnn(64, 8, 16, 32)},
		{Name: "map 64x64", view: large, layers: lines(7, 64, 8, 16, 32, 32)},
		{Name: "no outcomes: one channel", view: merged, layers: lines(7, 64, 8, 16, 32)},
		{Name: "logistic regression on counts", view: counts, layers: head(0)},
	}
}
