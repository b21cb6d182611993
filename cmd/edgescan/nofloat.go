//go:build !device && !(amd64 || arm64)

package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edgescan/internal/eval"
	"edgescan/internal/labels"
	"edgescan/quant"
)

// GoMLX is for amd64 and arm64. Elsewhere nothing is trained, and the float network
// not run.

func trainingCommands() []*cobra.Command { return nil }

func addTrainingFlags(*pflag.FlagSet, *evalFlags) {}

func floatDetector(*evalFlags, []labels.Capture, uint32) ([]eval.Detector, error) { return nil, nil }

func finishEvaluation(context.Context, *evalFlags, *quant.Network, *eval.Synthetic) error { return nil }
