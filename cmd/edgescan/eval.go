//go:build !device

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/eval"
	"edgescan/internal/labels"
	"edgescan/internal/softflowd"
	"edgescan/quant"
)

// evalFlags are the flags of eval.
type evalFlags struct {
	captures string
	model    string
	float    string
	verbose  bool
	plots    string

	synthetic int
	flows     bool

	evasion       bool
	evasionScenes int
}

func newEval() *cobra.Command {
	f := &evalFlags{}
	cmd := &cobra.Command{
		Use:   "eval {--captures DIR | --evasion}",
		Short: "Score the model and the simple rules on labelled captures",
		Example: `  edgescan eval --captures captures/
  edgescan eval --captures captures/ --model my.esq --float my.float
  edgescan eval --captures captures/ --softflowd --verbose
  edgescan eval --evasion`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.evasion {
				return evaluateEvasion(cmd.Context(), f)
			}
			return evaluate(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.captures, "captures", "", "folder of captures with a labels.csv")
	flags.StringVar(&f.model, "model", "", "int8 model file (default: the built-in ones, for packets and for flows)")
	flags.IntVar(&f.synthetic, "synthetic", 500, "held-out synthetic scenes to score on as well; 0 for none")
	flags.BoolVar(&f.flows, "softflowd", false, "score as well what softflowd exports of the captures, as NetFlow and IPFIX, sampled too, collected here and by nfdump (Debian: softflowd, nfdump)")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list each capture on which the network and its label differ")
	flags.BoolVar(&f.evasion, "evasion", false, "find out instead how far a scan must go to stay unseen: its rate, answers, sources, ... one by one")
	flags.IntVar(&f.evasionScenes, "evasion-scenes", 40, "scenes for each value that --evasion tries")
	addTrainingFlags(flags, f)
	return cmd
}

// evaluateEvasion prints which scans the model and the simple rules lose. The
// scenes' seeds are those of the test scenes, so that the model was made of
// none of them.
func evaluateEvasion(ctx context.Context, f *evalFlags) error {
	if f.evasionScenes < 1 {
		return usageError{errors.New("--evasion-scenes: need at least one")}
	}
	network, err := loadNetwork(f.model, false)
	if err != nil {
		return err
	}
	first := firstSeed(testScenes, uint64(network.Meta().Provenance.Seed))
	result, err := eval.RunEvasion(ctx, first, f.evasionScenes, network.Threshold(), judges(network))
	if err != nil {
		return err
	}
	return result.Write(os.Stdout)
}

func evaluate(ctx context.Context, f *evalFlags) error {
	if f.captures == "" {
		return usageError{errors.New("give a folder of labelled captures (--captures), see 'edgescan eval --help'")}
	}
	captures, err := labels.Read(f.captures)
	if err != nil {
		return err
	}
	captures = eval.Scored(captures)
	network, detector, err := f.detector(false)
	if err != nil {
		return err
	}
	detectors := []eval.Detector{detector}
	float, err := floatDetector(f, captures, network.Threshold())
	if err != nil {
		return err
	}
	detectors = append(append(detectors, float...), eval.Rules()...)
	if err := compare(f, captures, detectors, eval.Packets); err != nil {
		return err
	}
	if f.flows {
		if err := compareFlows(ctx, f, captures); err != nil {
			return err
		}
	}
	if f.synthetic <= 0 {
		return nil
	}
	trial, err := scoreSynthetic(ctx, f, network, dataset.Packets)
	if err != nil {
		return err
	}
	if f.flows {
		ofFlows, err := loadNetwork(f.model, true)
		if err != nil {
			return err
		}
		if _, err := scoreSynthetic(ctx, f, ofFlows, dataset.Flows); err != nil {
			return err
		}
	}
	return finishEvaluation(ctx, f, network, trial)
}

// detector returns the model to score, on packets or on flows.
func (f *evalFlags) detector(flows bool) (*quant.Network, eval.Detector, error) {
	network, err := loadNetwork(f.model, flows)
	if err != nil {
		return nil, eval.Detector{}, err
	}
	judge, err := detect.NewNetwork(network)
	return network, eval.Detector{Name: "edgescan int8", Judge: judge, Threshold: network.Threshold()}, err
}

// scoreSynthetic prints how the network and the rules do on held-out scenes.
func scoreSynthetic(ctx context.Context, f *evalFlags, network *quant.Network, view dataset.Views) (*eval.Synthetic, error) {
	trial, err := runSynthetic(ctx, network, testScenes, uint64(network.Meta().Provenance.Seed), f.synthetic, view)
	if err != nil {
		return nil, err
	}
	seen := ""
	if view == dataset.Flows {
		seen = ", seen as flows of all kinds of exporters, of which a third sample"
	}
	fmt.Printf("\nshare of scanning sources found in %d held-out synthetic scenes%s\n", f.synthetic, seen)
	if err := trial.WriteFound(os.Stdout); err != nil {
		return nil, err
	}
	fmt.Println("\nfalse alerts a day of a benign source that is active all day, in the same scenes")
	return trial, trial.WriteFalseRates(os.Stdout, network.Threshold())
}

// compare prints how detectors do on captures, seen in one way.
func compare(f *evalFlags, captures []labels.Capture, detectors []eval.Detector, view eval.View) error {
	var results []eval.Result
	for i := range detectors {
		r, err := eval.RunAll(&detectors[i], captures, view)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	if err := eval.WriteTable(os.Stdout, captures, results); err != nil {
		return err
	}
	if f.verbose {
		fmt.Println()
		for i := range results {
			eval.WriteErrors(os.Stdout, captures, &results[i])
		}
	}
	return nil
}

// flowExports are the ways in which flows are scored.
var flowExports = []softflowd.Export{
	{Version: 9}, {Version: 5}, {Version: 10},
	{Version: 9, Nfdump: true}, {Version: 5, Nfdump: true}, {Version: 10, Nfdump: true},
	{Version: 9, Sampling: 10}, {Version: 9, Sampling: 100},
}

// compareFlows prints how the model for flows and the rules do on the flows of captures.
func compareFlows(ctx context.Context, f *evalFlags, captures []labels.Capture) error {
	_, detector, err := f.detector(true)
	if err != nil {
		return err
	}
	detectors := append([]eval.Detector{detector}, eval.Rules()...)
	for _, x := range flowExports {
		view, err := eval.Flows(ctx, captures, x)
		if err != nil {
			return err
		}
		fmt.Printf("\nthe same captures, seen as flows: %s\n", x)
		if err := compare(f, captures, detectors, view); err != nil {
			return err
		}
	}
	return nil
}
