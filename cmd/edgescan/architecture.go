//go:build !device && (amd64 || arm64)

package main

import (
	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/quant"
)

// architecture is the network that train trains: three times convolution and
// pooling, so that what the dense layers see has looked at 22 x 22 cells, the
// length of a line that nobody takes for chance.
var architecture = quant.Arch{
	Input: quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: featurize.Channels},
	Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 8},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 16},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 32},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 64},
		{Kind: quant.Dense, Out: len(dataset.Classes)},
	},
}
