package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/train/losses"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers/cosineschedule"

	"edgescan/model/backend"
)

// Train trains a network of cfg.Arch on train and returns the weights that did
// best on valid. The same arguments give the same bytes.
//
// When ctx is cancelled, training saves its state to cfg.CheckpointDir and
// returns the cause; called again with the same arguments it goes on from there
// and comes to the same end as without the interruption. A finished training
// removes its checkpoint.
//
// Errors are ErrConfig, ErrExample, ErrStuck, ErrCheckpoint, those of reading a
// checkpoint (ErrFormat, ErrVersion, ErrChecksum, ErrDamaged), the file
// system's, and ctx's cause.
func Train(ctx context.Context, cfg Config, train, valid *Dataset) (f *Float, report Report, err error) {
	defer recovered(&err)
	if err := cfg.validate(); err != nil {
		return nil, Report{}, err
	}
	if err := train.check(cfg.Arch); err != nil {
		return nil, Report{}, fmt.Errorf("training examples: %w", err)
	}
	if err := valid.check(cfg.Arch); err != nil {
		return nil, Report{}, fmt.Errorf("validation examples: %w", err)
	}
	b, err := backend.New()
	if err != nil {
		return nil, Report{}, err
	}
	t := &trainer{cfg: cfg, backend: b, train: train, valid: valid, batch: newBatch(cfg.Batch, cfg.Arch.Input)}
	if t.fingerprint, err = fingerprint(cfg, train, valid); err != nil {
		return nil, Report{}, err
	}
	if err := t.restore(); err != nil {
		return nil, Report{}, fmt.Errorf("checkpoint in %s: %w", cfg.CheckpointDir, err)
	}
	err = t.run(ctx)
	return t.best, t.report(), err
}

// trainer is a training under way.
type trainer struct {
	cfg          Config
	backend      *backend.Backend
	train, valid *Dataset
	batch        *batch
	progress     progress

	state
	best        *Float             // the weights of the best epoch; nil before the first
	variables   *mlcontext.Context // weights, the optimizer's moments and counters, the state of dropout's random source
	resumed     bool
	fingerprint string // of the training

	step     *mlcontext.Exec // one step: maps, labels, weights to loss
	evaluate *evaluator
}

// state is what a training has come to, beside the variables.
type state struct {
	Restarts int     `json:"restarts"`
	Epoch    int     `json:"epoch"`    // under way
	Step     int     `json:"step"`     // in the epoch: the next one
	LossSum  float64 `json:"loss_sum"` // of the epoch's steps so far
	Epochs   []Epoch `json:"epochs"`   // finished ones
	Best     int     `json:"best"`     // index in Epochs
}

// errStuckSeed makes run start again.
var errStuckSeed = errors.New("stuck")

// run trains until the end, until stopped, or until ctx is cancelled.
func (t *trainer) run(ctx context.Context) error {
	t.progress = newProgress(t.cfg.Progress, t.cfg.Epochs*t.steps())
	defer t.progress.done()
	for {
		err := t.start(ctx)
		if !errors.Is(err, errStuckSeed) {
			if err != nil {
				t.best = nil
				return err
			}
			return t.removeCheckpoint()
		}
		if t.Restarts == t.cfg.Restarts {
			t.best = nil
			return fmt.Errorf("%w: tried %d seeds from %d on", ErrStuck, t.Restarts+1, t.cfg.Seed)
		}
		t.state = state{Restarts: t.Restarts + 1}
		t.variables, t.best = nil, nil
	}
}

// start trains with the current seed, from the beginning or from where the
// state says.
func (t *trainer) start(ctx context.Context) error {
	if t.variables == nil {
		first := newFloat(t.cfg.Arch, t.seed())
		for _, i := range t.cfg.Depthwise {
			first.makeDepthwise(i)
		}
		t.variables = first.variables()
		if err := t.variables.SetRNGStateFromSeed(t.seed()); err != nil {
			return err
		}
	}
	if err := t.compile(); err != nil {
		return err
	}
	for t.Epoch < t.cfg.Epochs && !t.stopped() {
		if err := t.trainEpoch(ctx); err != nil {
			return err
		}
		if err := t.finishEpoch(); err != nil {
			return err
		}
		if t.stuck() {
			return errStuckSeed
		}
		if err := t.save(); err != nil {
			return err
		}
	}
	return nil
}

// seed returns the seed of the current start.
func (t *trainer) seed() int64 { return t.cfg.Seed + int64(t.Restarts) }

// steps returns the number of steps in an epoch.
func (t *trainer) steps() int { return (t.train.Len() + t.cfg.Batch - 1) / t.cfg.Batch }

// compile builds the functions for a step and for evaluation.
func (t *trainer) compile() error {
	adam := optimizers.Adam().WeightDecay(t.cfg.WeightDecay).Done()
	total := t.cfg.Epochs * t.steps()
	warmUp := min(t.cfg.WarmUp, total-1)
	var err error
	t.step, err = mlcontext.NewExec(t.backend, t.variables, func(ctx *mlcontext.Context, maps, labels, weights *Node) *Node {
		g := maps.Graph()
		ctx.SetTraining(g, true)
		cosineschedule.New(ctx, g, dtypes.Float32).LearningRate(t.cfg.LearningRate).WarmUpSteps(warmUp).PeriodSteps(total - warmUp).Done()
		f := forward{ctx: ctx, arch: t.cfg.Arch, dropout: t.cfg.Dropout, depthwise: t.cfg.Depthwise}
		loss := losses.SparseCategoricalCrossEntropyLogits([]*Node{labels, weights}, []*Node{f.logits(maps)})
		adam.UpdateGraph(ctx, g, loss)
		return loss
	})
	if err != nil {
		return err
	}
	t.evaluate, err = newEvaluator(t.backend, t.variables, t.cfg.Arch, false)
	return err
}

// trainEpoch takes the steps of the current epoch that are left. When ctx is
// cancelled it saves the state between two of them.
func (t *trainer) trainEpoch(ctx context.Context) error {
	order := shuffled(t.train.Len(), t.seed(), t.Epoch)
	var permute func(int) *rand.Rand
	if t.cfg.PermuteRows {
		permute = func(example int) *rand.Rand { return rowSource(t.seed(), t.Epoch, example) }
	}
	for ; t.Step < t.steps(); t.Step++ {
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("training interrupted in epoch %d: %w", t.Epoch+1, context.Cause(ctx)), t.save())
		}
		first := t.Step * t.cfg.Batch
		t.batch.fill(t.train, order[first:min(first+t.cfg.Batch, len(order))], t.cfg.ClassWeights, permute)
		loss, err := t.step.Exec1(t.batch.maps, t.batch.labels, t.batch.weights)
		if err != nil {
			return fmt.Errorf("step %d of epoch %d: %w", t.Step+1, t.Epoch+1, err)
		}
		t.LossSum += float64(tensors.ToScalar[float32](loss))
		t.progress.set(t.Epoch*t.steps()+t.Step+1, t)
	}
	return nil
}

// finishEpoch evaluates the epoch and keeps its weights if they are the best.
func (t *trainer) finishEpoch() error {
	classes := t.cfg.Arch.Classes()
	logits, err := t.evaluate.logits(t.valid, classes)
	if err != nil {
		return fmt.Errorf("validation after epoch %d: %w", t.Epoch+1, err)
	}
	right := 0
	for i := range t.valid.Len() {
		if argmax(logits[i*classes:][:classes]) == t.valid.Label(i) {
			right++
		}
	}
	epoch := Epoch{
		TrainLoss: t.LossSum / float64(t.steps()),
		ValidLoss: meanLoss(logits, t.valid, classes, 1, t.cfg.ClassWeights),
		Accuracy:  float64(right) / float64(t.valid.Len()),
	}
	if math.IsNaN(epoch.TrainLoss) || math.IsNaN(epoch.ValidLoss) {
		return fmt.Errorf("%w: the loss of epoch %d is not a number; try a smaller learning rate", ErrConfig, t.Epoch+1)
	}
	t.Epochs = append(t.Epochs, epoch)
	if t.best == nil || epoch.ValidLoss < t.Epochs[t.Best].ValidLoss {
		t.Best = t.Epoch
		if t.best, err = floatOf(t.variables, t.cfg.Arch); err != nil {
			return err
		}
	}
	t.Epoch, t.Step, t.LossSum = t.Epoch+1, 0, 0
	return nil
}

// stopped reports whether training lost its patience.
func (t *trainer) stopped() bool {
	return t.cfg.Patience > 0 && len(t.Epochs) > 0 && len(t.Epochs)-1-t.Best >= t.cfg.Patience
}

// guessing is the part of the loss of a mere guess that a network which learns
// something falls below.
const guessing = 0.98

// stuck reports whether enough steps were taken and the loss is still that of a
// guess: some first weights never get away from it.
func (t *trainer) stuck() bool {
	if len(t.Epochs)*t.steps() < t.cfg.StuckAfter {
		return false
	}
	limit := guessing * priorLoss(t.train, t.cfg.Arch.Classes(), t.cfg.ClassWeights)
	for _, e := range t.Epochs {
		if e.TrainLoss < limit || e.ValidLoss < limit {
			return false
		}
	}
	return limit > 0
}

// report returns how it went.
func (t *trainer) report() Report {
	return Report{
		Seed: t.seed(), Restarts: t.Restarts, Epochs: t.Epochs, Best: t.Best,
		Stopped: t.stopped() && t.Epoch < t.cfg.Epochs,
		Resumed: t.resumed,
		Steps:   t.Epoch*t.steps() + t.Step,
	}
}
