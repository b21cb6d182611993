//go:build !device && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"edgescan/internal/dataset"
	"edgescan/internal/labels"
	"edgescan/internal/synth"
	"edgescan/model"
)

// trainingCommands are those that need GoMLX.
func trainingCommands() []*cobra.Command {
	return []*cobra.Command{newTrain(), newQuantize(), newFolds(), newCandidates()}
}

// trainFlags are the flags of train.
type trainFlags struct {
	seed       uint64
	scenes     int
	captures   string
	out        string
	checkpoint string
	epochs     int
	batch      int
	rate       float64
	plots      string
	views      choice
}

// What maps are made of (--of).
const (
	ofPackets = "packets"
	ofFlows   = "flows"
)

// newViews returns the flag that says it.
func newViews() choice { return choice{ofPackets, []string{ofPackets, ofFlows}} }

// viewsOf returns in which way scenes are seen then.
func viewsOf(c choice) dataset.Views {
	if c.word == ofFlows {
		return dataset.Flows
	}
	return dataset.Packets
}

func newTrain() *cobra.Command {
	f := &trainFlags{views: newViews()}
	cmd := &cobra.Command{
		Use:   "train -o MODEL.float",
		Short: "Train the network on synthetic traffic",
		Long: `Train the network on synthetic traffic, and on labelled captures as well if a
folder is given. The same seed and settings give the same file. Ctrl-C saves
what was reached to the checkpoint folder, from which the same command goes on.`,
		Example: `  edgescan train -o my.float --checkpoint ckpt/
  edgescan train -o my.float --captures captures/ --scenes 4000
  edgescan train -o flows.float --of flows`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return train(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "file for the trained float network")
	flags.Uint64Var(&f.seed, "seed", 1, "what everything is drawn from")
	flags.Var(&f.views, "of", "what maps are made of: packets, or what flow records tell of them")
	flags.IntVar(&f.scenes, "scenes", 30000, "synthetic scenes to train on; a tenth as many are made to validate on")
	flags.StringVar(&f.captures, "captures", "", "folder of labelled captures to train on as well")
	flags.StringVar(&f.checkpoint, "checkpoint", "", "folder to save the state to and to resume from")
	flags.IntVar(&f.epochs, "epochs", 10, "most passes over the training maps; fewer if validation stops improving")
	flags.IntVar(&f.batch, "batch", 64, "maps in a step")
	flags.StringVar(&f.plots, "plots", "", "folder for plots of the losses and the confusion matrix")
	flags.Float64Var(&f.rate, "rate", 2e-3, "largest learning rate")
	return cmd
}

func train(ctx context.Context, f *trainFlags) error {
	if f.out == "" {
		return usageError{errors.New("give a file for the trained network (-o), see 'edgescan train --help'")}
	}
	if f.captures != "" && f.views.word == ofFlows {
		return usageError{errors.New("--captures are packets: they do not go with --of flows")}
	}
	if f.scenes < 10 {
		return usageError{fmt.Errorf("--scenes %d is too few, need at least 10", f.scenes)}
	}
	training, validation, err := trainingMaps(ctx, f)
	if err != nil {
		return err
	}
	cfg := model.DefaultConfig(architecture)
	cfg.Seed, cfg.Epochs, cfg.Batch, cfg.LearningRate = int64(f.seed), f.epochs, f.batch, f.rate
	cfg.CheckpointDir, cfg.Progress = f.checkpoint, os.Stderr
	float, report, err := model.Train(ctx, cfg, training, validation)
	if err != nil {
		return err
	}
	for i, e := range report.Epochs {
		fmt.Printf("epoch %2d  training loss %.4f  validation loss %.4f  accuracy %.4f\n", i+1, e.TrainLoss, e.ValidLoss, e.Accuracy)
	}
	if report.Stopped {
		fmt.Println("stopped early: validation no longer improves")
	}
	if float.Temperature, err = model.Temperature(float, validation); err != nil {
		return err
	}
	fmt.Printf("kept epoch %d, temperature %.3f\n\n", report.Best+1, float.Temperature)
	confusion, err := model.Confuse(float, validation, dataset.Classes)
	if err != nil {
		return err
	}
	if err := confusion.Print(os.Stdout); err != nil {
		return err
	}
	if f.plots != "" {
		if err := plotTraining(f.plots, report, confusion); err != nil {
			return err
		}
	}
	return writeFile(f.out, func(w io.Writer) error {
		_, err := float.WriteTo(w)
		return err
	})
}

// trainingMaps makes the maps to train and to validate on.
func trainingMaps(ctx context.Context, f *trainFlags) (training, validation *model.Dataset, err error) {
	log := newLogger()
	log.Info().Int("scenes", f.scenes).Msg("making training maps")
	if training, err = collectMaps(ctx, trainingScenes, f.seed, f.scenes, viewsOf(f.views)); err != nil {
		return nil, nil, err
	}
	if validation, err = collectMaps(ctx, validationScenes, f.seed, f.scenes/10, viewsOf(f.views)); err != nil {
		return nil, nil, err
	}
	if f.captures != "" {
		captures, err := labels.Read(f.captures)
		if err != nil {
			return nil, nil, err
		}
		if err := addCaptures(training, captures); err != nil {
			return nil, nil, err
		}
	}
	log.Info().Int("training", training.Len()).Int("validation", validation.Len()).Msg("maps")
	return training, validation, nil
}

// addCaptures adds the maps of labelled captures.
func addCaptures(maps *model.Dataset, captures []labels.Capture) error {
	var failed error
	err := dataset.Captures(captures, func(s *dataset.Sample) {
		failed = errors.Join(failed, maps.Add(model.Example{Map: s.Look.Map[:], Label: s.Class, Weight: 1}))
	})
	return errors.Join(err, failed)
}

// collectMaps makes n scenes of a purpose and keeps their maps, as they are seen in one
// of the ways of views.
func collectMaps(ctx context.Context, purpose, seed uint64, n int, views dataset.Views) (*model.Dataset, error) {
	maps := model.NewDataset(architecture.Input)
	var failed error
	err := dataset.Collect(ctx, firstSeed(purpose, seed), n, synth.Options{}, views, dataset.DetectorMaps, func(kept []dataset.Kept) {
		for i := range kept {
			failed = errors.Join(failed, maps.Add(model.Example{Map: kept[i].Map, Label: kept[i].Class, Weight: 1}))
		}
	})
	return maps, errors.Join(err, failed)
}
