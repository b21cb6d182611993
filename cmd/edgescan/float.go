//go:build !device && (amd64 || arm64)

package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/spf13/pflag"

	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/eval"
	"edgescan/internal/labels"
	"edgescan/model"
	"edgescan/quant"
)

func addTrainingFlags(flags *pflag.FlagSet, f *evalFlags) {
	flags.StringVar(&f.plots, "plots", "", "folder for plots: ROC, reliability, delays, false alerts")
	flags.StringVar(&f.float, "float", "", "float network to score beside the int8 model (default: the one that the built-in model was made of)")
}

// openFloat loads the float twin of the model under evaluation: what the flag
// names, or the built-in one where the model is built in, or none.
func openFloat(f *evalFlags) (*model.Float, error) {
	switch {
	case f.float != "":
		return loadFloat(f.float)
	case f.model == "":
		return model.Default()
	}
	return nil, nil
}

// floatJudge judges with the float network. GoMLX is slow on single maps, so
// that captures are played twice: first maps are collected, then all are
// scored, then the same maps get their scores.
type floatJudge struct {
	maps   *model.Dataset
	index  map[[sha256.Size]byte]int // by the map's hash
	scores []uint32
}

func (j *floatJudge) Judge(l *detect.Look) uint32 {
	key := sha256.Sum256(l.Map[:])
	i, known := j.index[key]
	switch {
	case known && j.scores != nil:
		return j.scores[i]
	case !known && j.scores == nil:
		j.index[key] = j.maps.Len()
		if err := j.maps.Add(model.Example{Map: l.Map[:], Weight: 1}); err != nil {
			panic(err) // cannot be: the map's shape is the network's
		}
	}
	return 0
}

// floatDetector returns the float network as a detector, if there is one.
func floatDetector(f *evalFlags, captures []labels.Capture, threshold uint32) ([]eval.Detector, error) {
	float, err := openFloat(f)
	if float == nil || err != nil {
		return nil, err
	}
	judge := &floatJudge{maps: model.NewDataset(architecture.Input), index: map[[sha256.Size]byte]int{}}
	d := eval.Detector{Name: "edgescan float", Judge: judge, Threshold: detect.One + 1}
	if _, err := eval.RunAll(&d, captures, eval.Packets); err != nil {
		return nil, err
	}
	if judge.scores, err = float.ScanScores(judge.maps); err != nil {
		return nil, err
	}
	d.Threshold = threshold
	return []eval.Detector{d}, nil
}

// finishEvaluation draws the plots, if they are wanted, and compares the float
// network with the int8 one on the maps of synthetic scenes that neither was
// made of.
func finishEvaluation(ctx context.Context, f *evalFlags, network *quant.Network, trial *eval.Synthetic) error {
	float, err := openFloat(f)
	if err != nil || float == nil && f.plots == "" {
		return err
	}
	held, err := collectMaps(ctx, testScenes, uint64(network.Meta().Provenance.Seed), f.synthetic, dataset.Packets)
	if err != nil {
		return err
	}
	if f.plots != "" {
		if err := plotEvaluation(f.plots, network, held, trial); err != nil {
			return err
		}
	}
	if float == nil {
		return nil
	}
	diff, err := float.Difference(network, held)
	if err != nil {
		return err
	}
	fmt.Printf("\nfloat and int8 give the same verdict on %s held-out synthetic maps\n", percent(diff.Same, held.Len()))
	fmt.Printf("their logits differ by %.3f nat on average, by %.1f at most, by %.1f where float is not all but certain\n", diff.Mean, diff.Largest, diff.Undecided)
	return nil
}
