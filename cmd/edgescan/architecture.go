//go:build !device && (amd64 || arm64)

package main

import (
	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/quant"
)

// architecture is the network that train trains. Lines are long before they are
// thick, so that the first kernels are: along a host's ports, then, in maps of
// half the size, across hosts. After the last pool the dense layers see lines of
// up to 22 columns and of all hosts. It is the smallest of the candidates that is
// not worse than the others, see package candidates.
var architecture = quant.Arch{
	Input: quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: featurize.Channels},
	Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 1, Width: 7, Out: 8},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 7, Width: 1, Out: 16},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 32},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 64},
		{Kind: quant.Dense, Out: len(dataset.Classes)},
	},
}
