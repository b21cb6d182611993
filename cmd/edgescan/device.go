//go:build device

package main

import "github.com/spf13/cobra"

// workbenchCommands are none: the device's program watches, and neither makes
// traffic, nor scores, nor trains. GoMLX stays out of it.
func workbenchCommands() []*cobra.Command { return nil }
