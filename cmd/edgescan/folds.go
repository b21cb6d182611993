//go:build !device && (amd64 || arm64)

package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/eval"
	"edgescan/internal/labels"
	"edgescan/model"
	"edgescan/quant"
)

// foldsFlags are the flags of folds.
type foldsFlags struct {
	captures  string
	folds     int
	seed      uint64
	scenes    int
	epochs    int
	falseRate float64
}

func newFolds() *cobra.Command {
	f := &foldsFlags{}
	cmd := &cobra.Command{
		Use:   "folds --captures DIR",
		Short: "Measure what training on labelled captures adds",
		Long: `The captures are dealt into folds by the repository that they come from (column
repo); each fold is scored by a network that was trained on the others, and by
one that was trained on synthetic traffic alone, with the same settings.`,
		Example: "  edgescan folds --captures captures/",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return folds(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.captures, "captures", "", "folder of labelled captures")
	flags.IntVar(&f.folds, "folds", 4, "number of folds")
	flags.Uint64Var(&f.seed, "seed", 1, "what everything is drawn from")
	flags.IntVar(&f.scenes, "scenes", 2000, "synthetic scenes to train on")
	flags.IntVar(&f.epochs, "epochs", 5, "passes over the training maps")
	flags.Float64Var(&f.falseRate, "false-rate", 1e-4, "as in quantize")
	return cmd
}

func folds(ctx context.Context, f *foldsFlags) error {
	if f.captures == "" || f.folds < 2 {
		return usageError{errors.New("give a folder of labelled captures (--captures) and at least 2 --folds, see 'edgescan folds --help'")}
	}
	captures, err := labels.Read(f.captures)
	if err != nil {
		return err
	}
	captures = eval.Scored(captures)
	log := newLogger()
	alone := eval.Result{Detector: "synthetic alone", Verdicts: make([]eval.Verdict, len(captures))}
	added := eval.Result{Detector: "with other repositories", Verdicts: make([]eval.Verdict, len(captures))}
	base, err := f.train(ctx, nil)
	if err != nil {
		return err
	}
	fold := dealFolds(captures, f.folds)
	for k := range f.folds {
		var others []labels.Capture
		for i := range captures {
			if fold[captures[i].Repo] != k {
				others = append(others, captures[i])
			}
		}
		extended, err := f.train(ctx, others)
		if err != nil {
			return err
		}
		for i := range captures {
			if fold[captures[i].Repo] != k {
				continue
			}
			if alone.Verdicts[i], err = eval.Run(&base, &captures[i], eval.Packets); err != nil {
				return err
			}
			if added.Verdicts[i], err = eval.Run(&extended, &captures[i], eval.Packets); err != nil {
				return err
			}
		}
		log.Info().Int("fold", k+1).Int("of", f.folds).Msg("done")
	}
	results := []eval.Result{alone, added}
	if err := eval.WriteTable(os.Stdout, captures, results); err != nil {
		return err
	}
	for i := range results {
		eval.WriteErrors(os.Stdout, captures, &results[i])
	}
	return nil
}

// dealFolds gives each repository a fold, those with most scans first, so that
// scans and benign captures spread.
func dealFolds(captures []labels.Capture, n int) map[string]int {
	scans, all := map[string]int{}, map[string]int{}
	for i := range captures {
		all[captures[i].Repo]++
		scans[captures[i].Repo] += count(captures[i].Scan())
	}
	repos := make([]string, 0, len(all))
	for r := range all {
		repos = append(repos, r)
	}
	slices.SortFunc(repos, func(a, b string) int {
		return cmp.Or(cmp.Compare(scans[b], scans[a]), cmp.Compare(all[b], all[a]), cmp.Compare(a, b))
	})
	fold := map[string]int{}
	for i, r := range repos {
		fold[r] = i % n
	}
	return fold
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// train trains and quantizes a network on synthetic traffic and captures.
func (f *foldsFlags) train(ctx context.Context, captures []labels.Capture) (eval.Detector, error) {
	var none eval.Detector
	training, err := collectMaps(ctx, trainingScenes, f.seed, f.scenes, dataset.Packets)
	if err != nil {
		return none, err
	}
	validation, err := collectMaps(ctx, validationScenes, f.seed, f.scenes/10, dataset.Packets)
	if err != nil {
		return none, err
	}
	if err := addCaptures(training, captures); err != nil {
		return none, err
	}
	cfg := model.DefaultConfig(architecture)
	cfg.Seed, cfg.Epochs, cfg.Progress = int64(f.seed), f.epochs, os.Stderr
	float, _, err := model.Train(ctx, cfg, training, validation)
	if err != nil {
		return none, err
	}
	meta := quant.Meta{Featurizer: featurize.Fingerprint, Classes: dataset.Classes}
	network, err := model.Quantize(float, validation, meta)
	if err != nil {
		return none, err
	}
	trial, err := runSynthetic(ctx, network, calibrationScenes, f.seed, f.scenes, dataset.Packets)
	if err != nil {
		return none, err
	}
	judge, err := detect.NewNetwork(network)
	return eval.Detector{Name: "fold", Judge: judge, Threshold: trial.Threshold(f.falseRate)}, err
}
