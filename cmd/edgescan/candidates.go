//go:build !device && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/internal/synth"
	"edgescan/model"
	"edgescan/quant"
)

// candidate is a network that could have been chosen, and what it sees of a
// map.
type candidate struct {
	name   string
	input  quant.Shape
	layers []quant.Layer
	view   func(dst []uint8, m *featurize.Map)
}

// fullShape is the shape of a map.
var fullShape = quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: featurize.Channels}

func conv(h, w, out int) quant.Layer {
	return quant.Layer{Kind: quant.Conv, Height: h, Width: w, Out: out}
}
func pool(h, w int) quant.Layer { return quant.Layer{Kind: quant.MaxPool, Height: h, Width: w} }
func dense(out int) quant.Layer { return quant.Layer{Kind: quant.Dense, Out: out} }

// candidates are compared by newCandidates. The first is the architecture
// that is shipped.
func candidates() []candidate {
	n := len(dataset.Classes)
	half := quant.Shape{Height: featurize.Rows / 2, Width: featurize.Columns / 2, Channels: featurize.Channels}
	merged := quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: 1}
	return []candidate{
		{"shipped: 3x3 8-16-32, dense 64", fullShape, architecture.Layers, seeAll},
		{"half the channels: 3x3 4-8-16, dense 32", fullShape, []quant.Layer{conv(3, 3, 4), pool(2, 2), conv(3, 3, 8), pool(2, 2), conv(3, 3, 16), pool(2, 2), dense(32), dense(n)}, seeAll},
		{"twice the channels: 3x3 16-32-64, dense 64", fullShape, []quant.Layer{conv(3, 3, 16), pool(2, 2), conv(3, 3, 32), pool(2, 2), conv(3, 3, 64), pool(2, 2), dense(64), dense(n)}, seeAll},
		{"two convolutions: 3x3 8-16, pool 4", fullShape, []quant.Layer{conv(3, 3, 8), pool(4, 4), conv(3, 3, 16), pool(2, 2), dense(64), dense(n)}, seeAll},
		{"lines: 1x7 8, 7x1 16, pool 4", fullShape, []quant.Layer{conv(1, 7, 8), pool(2, 2), conv(7, 1, 16), pool(2, 2), conv(3, 3, 32), pool(2, 2), dense(64), dense(n)}, seeAll},
		{"global pooling: 3x3 8-16-32", fullShape, []quant.Layer{conv(3, 3, 8), pool(2, 2), conv(3, 3, 16), pool(2, 2), conv(3, 3, 32), pool(8, 12), dense(64), dense(n)}, seeAll},
		{"no convolution: dense 64-32", fullShape, []quant.Layer{dense(64), dense(32), dense(n)}, seeAll},
		{"half the map: 16x24, 3x3 8-16", half, []quant.Layer{conv(3, 3, 8), pool(2, 2), conv(3, 3, 16), pool(2, 2), dense(64), dense(n)}, seeHalf},
		{"no outcomes: one channel, 3x3 8-16-32", merged, architecture.Layers, seeMerged},
		{"logistic regression on counts", quant.Shape{Height: 1, Width: 1, Channels: countFeatures}, []quant.Layer{dense(n)}, seeCounts},
	}
}

// seeAll sees the map as it is.
func seeAll(dst []uint8, m *featurize.Map) { copy(dst, m[:]) }

// seeHalf sees the largest value of each 2x2 cells.
func seeHalf(dst []uint8, m *featurize.Map) {
	clear(dst)
	eachCell(m, func(r, c, k int, v uint8) {
		i := (r/2*featurize.Columns/2+c/2)*featurize.Channels + k
		dst[i] = max(dst[i], v)
	})
}

// seeMerged sees only where contacts were, not what they came to.
func seeMerged(dst []uint8, m *featurize.Map) {
	clear(dst)
	eachCell(m, func(r, c, k int, v uint8) {
		if k <= featurize.ChannelPending {
			i := r*featurize.Columns + c
			dst[i] = max(dst[i], v)
		}
	})
}

// countFeatures is the number of counts that seeCounts sees: of cells, rows
// and columns, for each channel and in all.
const countFeatures = 3 * (featurize.Channels + 1)

// seeCounts sees, for each channel, in how many cells, rows and columns there
// is anything.
func seeCounts(dst []uint8, m *featurize.Map) {
	var rows [featurize.Channels + 1][featurize.Rows]bool
	var columns [featurize.Channels + 1][featurize.Columns]bool
	var cells [featurize.Channels + 1]int
	eachCell(m, func(r, c, k int, v uint8) {
		for _, k := range []int{k, featurize.Channels} {
			rows[k][r], columns[k][c] = true, true
			cells[k]++
		}
	})
	for k := range cells {
		dst[3*k] = uint8(min(cells[k], 255))
		dst[3*k+1] = uint8(countTrue(rows[k][:]))
		dst[3*k+2] = uint8(countTrue(columns[k][:]))
	}
}

func countTrue(b []bool) int {
	n := 0
	for _, v := range b {
		n += count(v)
	}
	return n
}

// eachCell calls f for each value of a map that is not 0.
func eachCell(m *featurize.Map, f func(row, column, channel int, v uint8)) {
	for i, v := range m {
		if v != 0 {
			cell := i / featurize.Channels
			f(cell/featurize.Columns, cell%featurize.Columns, i%featurize.Channels, v)
		}
	}
}

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
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "architecture\taccuracy\tscan maps found at 1/1000 false\tmultiply-adds\tbytes\tint8 us")
	for _, c := range candidates() {
		line, err := c.measure(ctx, seed, scenes, epochs)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Fprintf(tw, "%s\t%s\n", c.name, line)
	}
	return tw.Flush()
}

// measure trains and quantizes one candidate and words its figures.
func (c *candidate) measure(ctx context.Context, seed uint64, scenes, epochs int) (string, error) {
	arch := quant.Arch{Input: c.input, Layers: c.layers}
	var sets [2]*model.Dataset
	for i, set := range []struct {
		purpose uint64
		scenes  int
	}{{trainingScenes, scenes}, {testScenes, scenes / 2}} {
		var err error
		if sets[i], err = c.collect(ctx, set.purpose, seed, set.scenes); err != nil {
			return "", err
		}
	}
	training, test := sets[0], sets[1]
	cfg := model.DefaultConfig(arch)
	cfg.Seed, cfg.Epochs, cfg.Patience, cfg.Progress = int64(seed), epochs, 0, os.Stderr
	float, _, err := model.Train(ctx, cfg, training, test)
	if err != nil {
		return "", err
	}
	network, err := model.Quantize(float, test, quant.Meta{Featurizer: featurize.Fingerprint, Classes: dataset.Classes})
	if err != nil {
		return "", err
	}
	confusion, err := model.Confuse(float, test, dataset.Classes)
	if err != nil {
		return "", err
	}
	scores, err := scanScores(network, test)
	if err != nil {
		return "", err
	}
	bytes := 0
	for i := range arch.Layers {
		p := network.Params(i)
		bytes += len(p.Weights) + 9*len(p.Bias)
	}
	return fmt.Sprintf("%.2f%%\t%.1f%%\t%d\t%d\t%.0f", 100*confusion.Accuracy(), 100*foundAt(scores, test, 1e-3),
		network.MultiplyAdds(), bytes, timeInference(network, test)), nil
}

// collect makes the maps of n scenes as the candidate sees them.
func (c *candidate) collect(ctx context.Context, purpose, seed uint64, n int) (*model.Dataset, error) {
	maps := model.NewDataset(c.input)
	view := make([]uint8, c.input.Size())
	var failed error
	err := dataset.Collect(ctx, firstSeed(purpose, seed), n, synth.Options{}, func(kept []dataset.Kept) {
		for i := range kept {
			c.view(view, &kept[i].Map)
			failed = errors.Join(failed, maps.Add(model.Example{Map: view, Label: kept[i].Class, Weight: 1}))
		}
	})
	return maps, errors.Join(err, failed)
}

// foundAt returns the share of scan maps whose score is above that of all but
// a share of the benign ones.
func foundAt(scores []uint32, maps *model.Dataset, falseShare float64) float64 {
	var benign, scans []uint32
	for i, s := range scores {
		if maps.Label(i) == dataset.Benign {
			benign = append(benign, s)
		} else {
			scans = append(scans, s)
		}
	}
	slices.Sort(benign)
	limit := benign[len(benign)-1-int(falseShare*float64(len(benign)))]
	found := 0
	for _, s := range scans {
		found += count(s > limit)
	}
	return float64(found) / float64(max(len(scans), 1))
}

// timeInference returns the microseconds that a map takes, over all maps.
func timeInference(n *quant.Network, maps *model.Dataset) float64 {
	cells := make([]uint8, maps.Shape().Size())
	logits := make([]int32, n.Arch().Classes())
	scratch := n.NewScratch()
	var spent time.Duration
	for i := range maps.Len() {
		maps.Map(i, cells)
		began := time.Now()
		if err := n.Run(logits, cells, scratch); err != nil {
			return math.NaN() // cannot be: the sizes are the network's own
		}
		spent += time.Since(began)
	}
	return float64(spent.Nanoseconds()) / 1000 / float64(maps.Len())
}
