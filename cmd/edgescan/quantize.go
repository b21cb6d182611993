//go:build !device && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/model"
	"edgescan/quant"
)

// quantizeFlags are the flags of quantize.
type quantizeFlags struct {
	float     string
	out       string
	seed      uint64
	scenes    int
	falseRate float64
	views     choice
}

// trainedOn is what a model says that it was made of.
func trainedOn(views choice) string {
	if views.word == ofFlows {
		return "synthetic traffic, as flows"
	}
	return "synthetic traffic"
}

func newQuantize() *cobra.Command {
	f := &quantizeFlags{views: newViews()}
	cmd := &cobra.Command{
		Use:   "quantize --float MODEL.float -o MODEL.esq",
		Short: "Convert a trained network to int8 and set its threshold",
		Long: `Weights get scales per channel, activations are calibrated on synthetic traffic
that was not trained on, and all is tuned to give the float network's logits.
The threshold is set on the same traffic, so that few benign sources reach it.`,
		Example: "  edgescan quantize --float my.float -o my.esq\n  edgescan run -i eth0 --model my.esq",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return quantize(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.float, "float", "", "float network that train wrote")
	flags.StringVarP(&f.out, "out", "o", "", "model file to write")
	flags.Uint64Var(&f.seed, "seed", 1, "the seed that train was given")
	flags.Var(&f.views, "of", "what maps are made of: packets or flows, as train was told")
	flags.IntVar(&f.scenes, "scenes", 4000, "synthetic scenes to calibrate on")
	flags.Float64Var(&f.falseRate, "false-rate", 1e-4, "share of benign source-windows (one source in ten minutes) that may be flagged")
	return cmd
}

func quantize(ctx context.Context, f *quantizeFlags) error {
	if f.float == "" || f.out == "" {
		return usageError{errors.New("give a float network (--float) and a file to write (-o), see 'edgescan quantize --help'")}
	}
	float, err := loadFloat(f.float)
	if err != nil {
		return err
	}
	calibration, err := collectMaps(ctx, calibrationScenes, f.seed, f.scenes, viewsOf(f.views))
	if err != nil {
		return err
	}
	meta := quant.Meta{
		Featurizer: featurize.Fingerprint,
		Classes:    dataset.Classes,
		Provenance: quant.Provenance{Seed: int64(f.seed), Data: trainedOn(f.views)},
	}
	network, err := model.Quantize(float, calibration, meta)
	if err != nil {
		return err
	}
	trial, err := runSynthetic(ctx, network, calibrationScenes, f.seed, f.scenes, viewsOf(f.views))
	if err != nil {
		return err
	}
	meta.Threshold = trial.Threshold(f.falseRate)
	if network, err = network.WithMeta(meta); err != nil {
		return err
	}
	if meta.Provenance.Figures, err = heldOutFigures(ctx, float, network, f); err != nil {
		return err
	}
	if network, err = network.WithMeta(meta); err != nil {
		return err
	}
	if err := network.Info(os.Stdout); err != nil {
		return err
	}
	return writeFile(f.out, func(w io.Writer) error {
		_, err := network.WriteTo(w)
		return err
	})
}

// loadFloat reads a file that train wrote.
func loadFloat(path string) (*model.Float, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("float network: %w", err)
	}
	defer r.Close()
	f, err := model.LoadFloat(r)
	if err != nil {
		return nil, fmt.Errorf("float network %s: %w", path, err)
	}
	return f, nil
}

// heldOutFigures measures a model on scenes that it was not made of.
func heldOutFigures(ctx context.Context, float *model.Float, network *quant.Network, f *quantizeFlags) (map[string]string, error) {
	held, err := collectMaps(ctx, testScenes, f.seed, f.scenes, viewsOf(f.views))
	if err != nil {
		return nil, err
	}
	diff, err := float.Difference(network, held)
	if err != nil {
		return nil, err
	}
	trial, err := runSynthetic(ctx, network, testScenes, f.seed, f.scenes, viewsOf(f.views))
	if err != nil {
		return nil, err
	}
	sources, found := trial.Found(0)
	windows, flagged := trial.Benign(network.Threshold())
	return map[string]string{
		"float and int8 same verdict":   percent(diff.Same, held.Len()) + " held-out maps",
		"scanning sources found":        percent(found, sources) + " in held-out scenes",
		"benign source-windows flagged": percent(flagged, windows) + " in held-out scenes",
	}, nil
}

func percent(part, all int) string {
	return fmt.Sprintf("%.3f%% of %d", 100*float64(part)/float64(max(all, 1)), all)
}
