//go:build !device

package main

import (
	"context"

	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/eval"
	"edgescan/internal/synth"
	"edgescan/quant"
)

// The purposes of synthetic scenes. Each has seeds of its own, so that nothing
// is judged on what it was trained, validated or calibrated on.
const (
	trainingScenes uint64 = iota
	validationScenes
	calibrationScenes
	testScenes
)

// firstSeed is the seed of the first scene of a purpose.
func firstSeed(purpose, seed uint64) uint64 { return seed<<40 | purpose<<32 }

// runSynthetic scores an int8 network on n scenes of a purpose, seen in the ways of views.
func runSynthetic(ctx context.Context, n *quant.Network, purpose, seed uint64, scenes int, views dataset.Views) (*eval.Synthetic, error) {
	return eval.RunSynthetic(ctx, firstSeed(purpose, seed), scenes, synth.Options{}, views, n.Threshold(), judges(n))
}

// judges returns what makes Judges that run n.
func judges(n *quant.Network) func() (detect.Judge, error) {
	return func() (detect.Judge, error) { return detect.NewNetwork(n) }
}
