package candidates

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
	"edgescan/model"
	"edgescan/quant"
)

// falseShare is the share of benign maps above whose scores a scan must lie to
// count as found.
const falseShare = 1e-3

// Scenes are so many synthetic scenes from a seed on.
type Scenes struct {
	First uint64
	N     int
}

// Figures are what was measured of a candidate.
type Figures struct {
	Loss         float64 // cross-entropy on the test maps, nats, float
	Accuracy     float64 // of the float network on the test maps
	Found        float64 // share of the scans' test maps that score above 99.9% of the benign ones, int8
	Agree        float64 // share of the test maps on which float and int8 give the same verdict there
	MultiplyAdds int64   // of an inference; those of weights that are fixed at 0 left out
	Bytes        int     // of weights, biases and multipliers
	Micros       float64 // of an inference in int8, on this machine
}

// Compare trains the candidates on the maps of some scenes, for a number of
// epochs, and scores them on those of others. It trains as many at a time as
// there are cores and calls done after each. Figures are in the candidates'
// order.
func Compare(ctx context.Context, all []Candidate, training, test Scenes, seed int64, epochs int, done func(*Candidate, *Figures)) ([]Figures, error) {
	sets, err := collect(ctx, all, training, test)
	if err != nil {
		return nil, err
	}
	figures, networks := make([]Figures, len(all)), make([]*quant.Network, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range all {
		group.Go(func() error {
			c, f := &all[i], &figures[i]
			var err error
			if networks[i], err = c.measure(ctx, f, sets[c.view], seed, epochs); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
			done(c, f)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := range all { // now that nothing else runs
		if figures[i].Micros, err = timeInference(networks[i], sets[all[i].view].test); err != nil {
			return nil, err
		}
	}
	return figures, nil
}

// datasets are the maps of a view.
type datasets struct{ training, test *model.Dataset }

// collect makes the maps of all views that the candidates have, each scene
// once.
func collect(ctx context.Context, all []Candidate, training, test Scenes) (map[*view]*datasets, error) {
	sets := map[*view]*datasets{}
	var views []*view
	for i := range all {
		if v := all[i].view; sets[v] == nil {
			sets[v] = &datasets{model.NewDataset(v.shape), model.NewDataset(v.shape)}
			views = append(views, v)
		}
	}
	fill := func(s Scenes, of func(*datasets) *model.Dataset) error {
		var failed error
		err := dataset.Collect(ctx, s.First, s.N, synth.Options{}, dataset.Packets, func() dataset.Draw { return drawAll(views) }, func(kept []dataset.Kept) {
			for i := range kept {
				m := kept[i].Map
				for _, v := range views {
					failed = errors.Join(failed, of(sets[v]).Add(model.Example{Map: m[:v.shape.Size()], Label: kept[i].Class, Weight: 1}))
					m = m[v.shape.Size():]
				}
			}
		})
		return errors.Join(err, failed)
	}
	return sets, errors.Join(
		fill(training, func(d *datasets) *model.Dataset { return d.training }),
		fill(test, func(d *datasets) *model.Dataset { return d.test }))
}

// drawAll draws several views one behind the other.
func drawAll(views []*view) dataset.Draw {
	size := 0
	draws := make([]func([]uint8, *detect.Look), len(views))
	for i, v := range views {
		draws[i] = v.newDraw()
		size += v.shape.Size()
	}
	return func(l *detect.Look) []uint8 {
		all := make([]uint8, size)
		m := all
		for i, draw := range draws {
			draw(m[:views[i].shape.Size()], l)
			m = m[views[i].shape.Size():]
		}
		return all
	}
}

// measure trains, quantizes and scores one candidate.
func (c *Candidate) measure(ctx context.Context, f *Figures, sets *datasets, seed int64, epochs int) (*quant.Network, error) {
	cfg := model.DefaultConfig(quant.Arch{Input: c.view.shape, Layers: c.layers})
	cfg.Seed, cfg.Epochs, cfg.Patience, cfg.Depthwise = seed, epochs, 0, c.depthwise
	float, report, err := model.Train(ctx, cfg, sets.training, sets.test)
	if err != nil {
		return nil, err
	}
	f.Loss, f.Accuracy = report.Epochs[report.Best].ValidLoss, report.Epochs[report.Best].Accuracy
	network, err := model.Quantize(float, sets.test, quant.Meta{Featurizer: featurize.Fingerprint, Classes: dataset.Classes})
	if err != nil {
		return nil, err
	}
	f.MultiplyAdds, f.Bytes = c.cost(network)
	scores, err := model.ScanScores(network, sets.test)
	if err != nil {
		return nil, err
	}
	exact, err := float.ScanScores(sets.test)
	if err != nil {
		return nil, err
	}
	limit := limitOf(scores, sets.test)
	f.Found = foundAbove(limit, scores, sets.test)
	f.Agree = agreement(limit, scores, exact)
	return network, nil
}

// cost returns the multiply-adds and the bytes of a candidate. A depthwise
// layer is trained and run as the full convolution whose other weights are 0,
// and counted as what it stands for.
func (c *Candidate) cost(n *quant.Network) (multiplyAdds int64, bytes int) {
	multiplyAdds = n.MultiplyAdds()
	shapes := n.Arch().Shapes()
	for i, l := range c.layers {
		p := n.Params(i)
		weights := len(p.Weights)
		if slices.Contains(c.depthwise, i) {
			all := int64(l.Height*l.Width) * int64(shapes[i+1].Size())
			multiplyAdds -= all * int64(shapes[i].Channels-1)
			weights /= shapes[i].Channels
		}
		bytes += weights + 9*len(p.Bias)
	}
	return multiplyAdds, bytes
}

// limitOf returns the score that all but falseShare of the benign maps do not
// exceed, 0 if there are none.
func limitOf(scores []uint32, maps *model.Dataset) uint32 {
	var benign []uint32
	for i, s := range scores {
		if maps.Label(i) == dataset.Benign {
			benign = append(benign, s)
		}
	}
	if len(benign) == 0 {
		return 0
	}
	slices.Sort(benign)
	return benign[len(benign)-1-int(falseShare*float64(len(benign)))]
}

// foundAbove returns the share of scan maps whose score is above limit.
func foundAbove(limit uint32, scores []uint32, maps *model.Dataset) float64 {
	scans, found := 0, 0
	for i, s := range scores {
		if maps.Label(i) == dataset.Benign {
			continue
		}
		scans++
		if s > limit {
			found++
		}
	}
	return float64(found) / float64(max(scans, 1))
}

// agreement returns the share of maps whose scores are on the same side of
// limit.
func agreement(limit uint32, a, b []uint32) float64 {
	same := 0
	for i := range a {
		if (a[i] > limit) == (b[i] > limit) {
			same++
		}
	}
	return float64(same) / float64(max(len(a), 1))
}

// timedMaps is the number of maps that an inference is timed on.
const timedMaps = 5000

// timeInference returns the microseconds that a map takes.
func timeInference(n *quant.Network, maps *model.Dataset) (float64, error) {
	cells := make([]uint8, maps.Shape().Size())
	logits := make([]int32, n.Arch().Classes())
	scratch := n.NewScratch()
	var spent time.Duration
	timed := min(maps.Len(), timedMaps)
	for i := range timed {
		maps.Map(i, cells)
		began := time.Now()
		if err := n.Run(logits, cells, scratch); err != nil {
			return 0, err
		}
		spent += time.Since(began)
	}
	return float64(spent.Nanoseconds()) / 1000 / float64(timed), nil
}
