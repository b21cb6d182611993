//go:build !device

package main

import "github.com/spf13/cobra"

// workbenchCommands are those for whoever reads captures at leisure, watches another
// machine's edgescan, makes traffic, scores and trains.
func workbenchCommands() []*cobra.Command {
	return append([]*cobra.Command{newReport(), newExplain(), newTop(), newSynth(), newEval()}, trainingCommands()...)
}
