package model

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers/cosineschedule"

	"edgescan/model/backend"
)

// Settings of imitate.
const (
	imitationPasses = 6 // over the maps
	imitationWarmUp = 100
	imitationRate   = 1e-4
	imitationSeed   = 1

	// imitationDelta, in nats, is where a difference of logits begins to count
	// in proportion instead of squared, so that few maps do not rule.
	imitationDelta = 0.1
)

// imitate returns a copy of f and steps of its activations, changed such that
// they give f's logits on maps after rounding to int8. The rounded network
// learns from the float one, not from labels, as in Polino and others, "Model
// Compression via Distillation and Quantization" (2018); f does not change. The
// same arguments give the same result.
func (f *Float) imitate(maps *Dataset, scales [][]float64) (*Float, [][]float64, error) {
	target, err := f.Logits(maps)
	if err != nil {
		return nil, nil, err
	}
	ctx := f.variables()
	setSteps(ctx, scales)
	b := newBatch(evaluationBatch, f.Arch.Input)
	steps := imitationPasses * passSteps(maps.Len(), b.size)
	step, err := f.imitationStep(ctx, steps)
	if err != nil {
		return nil, nil, err
	}
	classes := f.Arch.Classes()
	logits := tensors.FromShape(shapes.Make(dtypes.Float32, b.size, classes))
	for s := range steps {
		indices := drawn(maps.Len(), b.size, s)
		b.fill(maps, indices, nil, nil)
		tensors.MustMutableFlatData(logits, func(flat []float32) {
			for n, i := range indices {
				copy(flat[n*classes:], target[i*classes:][:classes])
			}
		})
		if _, err := step.Exec1(b.maps, logits); err != nil {
			return nil, nil, fmt.Errorf("step %d: %w", s+1, err)
		}
	}
	return f.imitation(ctx, scales)
}

// passSteps returns the number of steps that see each of n maps once, but for a
// rest that makes no batch.
func passSteps(n, size int) int { return max(n/size, 1) }

// drawn returns the indices of one batch: the next of a pass's order, size of
// them, some of them again where a pass has fewer.
func drawn(n, size, step int) []int {
	perPass := passSteps(n, size)
	order := shuffled(n, imitationSeed, step/perPass)
	indices := make([]int, size)
	for i := range indices {
		indices[i] = order[(step%perPass*size+i)%n]
	}
	return indices
}

// imitationStep compiles one step of so many: maps and the logits that they
// should give.
func (f *Float) imitationStep(ctx *mlcontext.Context, steps int) (*mlcontext.Exec, error) {
	b, err := backend.New()
	if err != nil {
		return nil, err
	}
	adam := optimizers.Adam().Done()
	warmUp := min(imitationWarmUp, steps-1)
	return mlcontext.NewExec(b, ctx, func(ctx *mlcontext.Context, maps, target *Node) *Node {
		g := maps.Graph()
		ctx.SetTraining(g, true)
		cosineschedule.New(ctx, g, dtypes.Float32).LearningRate(imitationRate).
			WarmUpSteps(warmUp).PeriodSteps(steps - warmUp).Done()
		rounded := forward{ctx: ctx, arch: f.Arch, rounded: &rounding{f.Arch}}
		loss := logitLoss(DivScalar(rounded.logits(maps), float32(f.Temperature)), target)
		adam.UpdateGraph(ctx, g, loss)
		return loss
	})
}

// logitLoss is the pseudo-Huber loss of the differences of logits, [batch,
// classes], but for what is the same for all classes of a map.
func logitLoss(logits, target *Node) *Node {
	d := Sub(logits, target)
	d = DivScalar(Sub(d, ReduceAndKeep(d, ReduceMean, -1)), float32(imitationDelta))
	return ReduceAllMean(AddScalar(Sqrt(AddScalar(Square(d), 1)), -1))
}

// imitation reads what imitate has learned.
func (f *Float) imitation(ctx *mlcontext.Context, before [][]float64) (*Float, [][]float64, error) {
	twin, err := floatOf(ctx, f.Arch)
	if err != nil {
		return nil, nil, err
	}
	twin.Temperature = f.Temperature
	steps := make([][]float64, len(before))
	for i := range before {
		if len(before[i]) == 0 {
			continue
		}
		logs, err := variableOf(ctx, i, stepsName)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range logs {
			steps[i] = append(steps[i], math.Exp(float64(v)))
		}
	}
	return twin, steps, nil
}

// undecidedLimit is the logarithm of the odds of a scan, either way, up to which
// a map is undecided.
const undecidedLimit = 10

// undecided returns the maps of d on which f is not all but certain, or all of
// them if there are none: the others stay what they are whatever rounding does.
func (f *Float) undecided(d *Dataset) (*Dataset, error) {
	logits, err := f.Logits(d)
	if err != nil {
		return nil, err
	}
	classes, kept := f.Arch.Classes(), NewDataset(d.shape)
	cells := make([]uint8, d.shape.Size())
	for i := range d.Len() {
		if math.Abs(scanOdds(logits[i*classes:][:classes])) >= undecidedLimit {
			continue
		}
		d.Map(i, cells)
		if err := kept.Add(Example{Map: cells, Label: d.Label(i), Weight: d.Weight(i)}); err != nil {
			return nil, err
		}
	}
	if kept.Len() == 0 {
		return d, nil
	}
	return kept, nil
}

// scanOdds returns the logarithm of the odds that a map is not of class 0.
func scanOdds(logits []float32) float64 {
	return crossEntropy(logits[1:], 0, 1) + float64(logits[1]-logits[0])
}
