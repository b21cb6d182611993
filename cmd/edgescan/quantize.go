//go:build !device && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

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
}

func newQuantize() *cobra.Command {
	f := &quantizeFlags{}
	cmd := &cobra.Command{
		Use:   "quantize --float MODEL.float -o MODEL.esq",
		Short: "Convert a trained network to int8 and set its threshold",
		Long: `Convert a trained network to int8: weights per channel, activations calibrated on
synthetic traffic that was not trained on. The threshold is set on the same
traffic, so that few benign maps reach it.`,
		Example: "  edgescan quantize --float my.float -o my.esq\n  edgescan run -i eth0 --model my.esq",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return quantize(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.float, "float", "", "float network that train wrote")
	flags.StringVarP(&f.out, "out", "o", "", "model file to write")
	flags.Uint64Var(&f.seed, "seed", 1, "the seed that train was given")
	flags.IntVar(&f.scenes, "scenes", 2000, "synthetic scenes to calibrate on")
	flags.Float64Var(&f.falseRate, "false-rate", 1e-3, "share of benign maps that may reach the threshold")
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
	calibration, err := collectMaps(ctx, calibrationScenes, f.seed, f.scenes)
	if err != nil {
		return err
	}
	meta := quant.Meta{
		Featurizer: featurize.Fingerprint,
		Classes:    dataset.Classes,
		Provenance: quant.Provenance{Seed: int64(f.seed), Data: "synthetic traffic"},
	}
	network, err := model.Quantize(float, calibration.maps, meta)
	if err != nil {
		return err
	}
	scores, err := scanScores(network, calibration.maps)
	if err != nil {
		return err
	}
	meta.Threshold = chooseThreshold(scores, calibration.maps, f.falseRate)
	held, err := collectMaps(ctx, testScenes, f.seed, f.scenes)
	if err != nil {
		return err
	}
	if network, err = model.Quantize(float, calibration.maps, meta); err != nil {
		return err
	}
	a, err := compareVerdicts(float, network, held.maps)
	if err != nil {
		return err
	}
	meta.Provenance.Figures = a.figures()
	if network, err = model.Quantize(float, calibration.maps, meta); err != nil {
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

// scanScores runs an int8 network on maps.
func scanScores(n *quant.Network, maps *model.Dataset) ([]uint32, error) {
	scratch := n.NewScratch()
	logits := make([]int32, n.Arch().Classes())
	cells := make([]uint8, maps.Shape().Size())
	scores := make([]uint32, maps.Len())
	for i := range scores {
		maps.Map(i, cells)
		if err := n.Run(logits, cells, scratch); err != nil {
			return nil, err
		}
		scores[i] = quant.ScanScore(logits)
	}
	return scores, nil
}

// chooseThreshold returns the least score, but at least one half, that no more
// than a share of the benign maps reach.
func chooseThreshold(scores []uint32, maps *model.Dataset, share float64) uint32 {
	var benign []uint32
	for i, s := range scores {
		if maps.Label(i) == dataset.Benign {
			benign = append(benign, s)
		}
	}
	slices.Sort(benign)
	allowed := int(share * float64(len(benign)))
	if allowed >= len(benign) {
		return quant.One / 2
	}
	return min(max(quant.One/2, benign[len(benign)-1-allowed]+1), quant.One)
}

// agreement is how a network and its int8 twin do on the same maps.
type agreement struct {
	maps, same      int // same verdict
	scans, found    int // by int8
	benign, flagged int
}

// compareVerdicts runs both networks on maps.
func compareVerdicts(f *model.Float, n *quant.Network, maps *model.Dataset) (agreement, error) {
	a := agreement{maps: maps.Len()}
	int8Scores, err := scanScores(n, maps)
	if err != nil {
		return a, err
	}
	floatScores, err := floatScores(f, maps)
	if err != nil {
		return a, err
	}
	for i, s := range int8Scores {
		scan := s >= n.Threshold()
		if scan == (floatScores[i] >= n.Threshold()) {
			a.same++
		}
		if maps.Label(i) == dataset.Benign {
			a.benign++
			a.flagged += count(scan)
		} else {
			a.scans++
			a.found += count(scan)
		}
	}
	return a, nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// figures words the agreement for the model file.
func (a agreement) figures() map[string]string {
	percent := func(part, all int) string {
		return fmt.Sprintf("%.3f%% of %d", 100*float64(part)/float64(max(all, 1)), all)
	}
	return map[string]string{
		"float and int8 same verdict, held-out maps": percent(a.same, a.maps),
		"scan maps found, held-out":                  percent(a.found, a.scans),
		"benign maps flagged, held-out":              percent(a.flagged, a.benign),
	}
}
