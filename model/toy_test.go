package model

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"edgescan/quant"
)

// toyClasses are what toySet draws: dots all over the map, as many cells in one
// row, or in one column.
var toyClasses = []string{"dots", "row", "column"}

// toyArch is a small network with everything that a large one has, among it
// extents that the pools do not divide.
func toyArch() quant.Arch {
	return quant.Arch{Input: quant.Shape{Height: 11, Width: 14, Channels: 2}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 8},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 8},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 16},
		{Kind: quant.Dense, Out: len(toyClasses)},
	}}
}

// toySet draws n maps.
func toySet(t testing.TB, n int, seed uint64) *Dataset {
	t.Helper()
	shape := toyArch().Input
	d := NewDataset(shape)
	r := rand.New(rand.NewPCG(seed, 0))
	cells := make([]uint8, shape.Size())
	for range n {
		clear(cells)
		label, row, column := r.IntN(len(toyClasses)), r.IntN(shape.Height), r.IntN(shape.Width)
		for range 6 + r.IntN(4) {
			y, x := r.IntN(shape.Height), r.IntN(shape.Width)
			switch label {
			case 1:
				y = row
			case 2:
				x = column
			}
			cells[(y*shape.Width+x)*shape.Channels+r.IntN(2)] = uint8(1 + r.IntN(15))
		}
		if err := d.Add(Example{Map: cells, Label: label, Weight: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// toyConfig trains in a second or two.
func toyConfig() Config {
	c := DefaultConfig(toyArch())
	c.Epochs, c.Batch, c.LearningRate, c.WarmUp, c.StuckAfter = 8, 32, 5e-3, 20, 300
	return c
}

// toyNetwork is trained once for all tests.
var toyNetwork = sync.OnceValues(func() (*Float, error) {
	t := &testing.T{}
	f, _, err := Train(context.Background(), toyConfig(), toySet(t, 3000, 1), toySet(t, 500, 2))
	return f, err
})

func trainedToy(t testing.TB) *Float {
	t.Helper()
	f, err := toyNetwork()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
