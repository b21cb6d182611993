//go:build !device && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"edgescan/internal/candidates"
)

func newCandidates() *cobra.Command {
	var seed uint64
	var scenes, epochs int
	cmd := &cobra.Command{
		Use:   "candidates",
		Short: "Compare architectures of the network",
		Long: `Compare architectures of the network: each is trained on the same synthetic maps
and scored on the same others, with its cost in int8 on this machine.`,
		Example: "  edgescan candidates --scenes 2000 --epochs 5",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if scenes < 10 || epochs < 1 {
				return usageError{errors.New("need at least 10 --scenes and 1 of --epochs")}
			}
			return compareCandidates(cmd.Context(), seed, scenes, epochs)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&seed, "seed", 1, "what everything is drawn from")
	flags.IntVar(&scenes, "scenes", 2000, "synthetic scenes to train on; half as many are made to score on")
	flags.IntVar(&epochs, "epochs", 5, "passes over the training maps")
	return cmd
}

func compareCandidates(ctx context.Context, seed uint64, scenes, epochs int) error {
	log := newLogger()
	all := candidates.All(architecture)
	figures, err := candidates.Compare(ctx, all,
		candidates.Scenes{First: firstSeed(trainingScenes, seed), N: scenes},
		candidates.Scenes{First: firstSeed(testScenes, seed), N: scenes / 2},
		int64(seed), epochs, func(c *candidates.Candidate, f *candidates.Figures) {
			log.Info().Str("network", c.Name).Float64("loss", f.Loss).Float64("found", f.Found).Msg("trained")
		})
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "network\tloss\taccuracy\tscan maps found at 1/1000 false\tint8 as float\tmultiply-adds\tbytes\tint8 us")
	for i := range all {
		f := &figures[i]
		fmt.Fprintf(tw, "%s\t%.4f\t%.2f%%\t%.1f%%\t%.2f%%\t%d\t%d\t%.1f\n", all[i].Name,
			f.Loss, 100*f.Accuracy, 100*f.Found, 100*f.Agree, f.MultiplyAdds, f.Bytes, f.Micros)
	}
	return tw.Flush()
}
