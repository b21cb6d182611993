//go:build device || !(amd64 || arm64)

package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edgescan/internal/eval"
	"edgescan/internal/labels"
	"edgescan/quant"
)

// The device's program neither trains nor runs the float network: GoMLX stays
// out of it.

func trainingCommands() []*cobra.Command { return nil }

func addTrainingFlags(*pflag.FlagSet, *evalFlags) {}

func floatDetector(*evalFlags, []labels.Capture, uint32) ([]eval.Detector, error) { return nil, nil }

func finishEvaluation(context.Context, *evalFlags, *quant.Network, *eval.Synthetic) error { return nil }
