package main

import (
	"github.com/spf13/cobra"
)

func newModel() *cobra.Command {
	model := &cobra.Command{
		Use:   "model",
		Short: "Look into a model file",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var path string
	info := &cobra.Command{
		Use:     "info",
		Short:   "Print layers, shapes, multiply-adds, bytes and provenance",
		Example: "  edgescan model info\n  edgescan model info --model my.esq",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := loadNetwork(path)
			if err != nil {
				return err
			}
			return n.Info(cmd.OutOrStdout())
		},
	}
	info.Flags().StringVar(&path, "model", "", "model file (default: the built-in one)")
	model.AddCommand(info)
	return model
}
