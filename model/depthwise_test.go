package model

import (
	"context"
	"errors"
	"testing"
)

// TestDepthwiseLearnsItsWeightsOnly trains the toy network with a depthwise
// convolution: the weights between channels stay 0, the others do not.
func TestDepthwiseLearnsItsWeightsOnly(t *testing.T) {
	c := shortRun()
	c.Depthwise = []int{2}
	f, report, err := Train(context.Background(), c, toySet(t, 640, 1), toySet(t, 100, 2))
	if err != nil {
		t.Fatal(err)
	}
	if first, last := report.Epochs[0].TrainLoss, report.Epochs[len(report.Epochs)-1].TrainLoss; last >= first {
		t.Errorf("the loss went from %.3f to %.3f", first, last)
	}
	const channels, outputs = 8, 8
	for i, w := range f.Layers[2].Weights {
		if own := i/outputs%channels == i%outputs; own != (w != 0) {
			t.Errorf("weight %d from channel %d to output %d is %g", i, i/outputs%channels, i%outputs, w)
		}
	}
}

func TestOnlyConvolutionsAreDepthwise(t *testing.T) {
	for _, layer := range []int{-1, 1, 5, 6} {
		c := shortRun()
		c.Depthwise = []int{layer}
		if _, _, err := Train(context.Background(), c, toySet(t, 10, 1), toySet(t, 10, 2)); !errors.Is(err, ErrConfig) {
			t.Errorf("layer %d: error %v, want ErrConfig", layer, err)
		}
	}
}
