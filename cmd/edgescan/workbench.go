//go:build !device

package main

import "github.com/spf13/cobra"

// workbenchCommands are those for whoever reads captures at leisure, makes traffic,
// scores and trains.
func workbenchCommands() []*cobra.Command {
	return append([]*cobra.Command{newReport(), newExplain(), newSynth(), newEval()}, trainingCommands()...)
}
