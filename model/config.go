package model

import (
	"errors"
	"fmt"
	"io"

	"edgescan/quant"
)

// Errors of Train.
var (
	// ErrConfig is returned for a configuration that cannot be trained.
	ErrConfig = errors.New("invalid training configuration")

	// ErrStuck is returned when no seed got away from guessing.
	ErrStuck = errors.New("training is stuck: the network learns nothing but how frequent the classes are")

	// ErrCheckpoint is returned when a checkpoint belongs to another
	// configuration or to other data.
	ErrCheckpoint = errors.New("the checkpoint belongs to another training")
)

// Config says how to train. Everything but CheckpointDir and Progress has an
// influence on the result.
type Config struct {
	Arch quant.Arch `json:"arch"`

	// Depthwise lists the convolutions in which each output sees one input channel
	// only: output o channel o modulo the channels. The other weights stay 0.
	Depthwise []int `json:"depthwise,omitempty"`

	// Seed decides the first weights, the order of the examples, the order of
	// their rows, and what is dropped out.
	Seed int64 `json:"seed"`

	Epochs int `json:"epochs"`
	Batch  int `json:"batch"` // examples in a step

	// LearningRate is the largest one: it rises to it over the first WarmUp
	// steps and falls to zero along a cosine over the others.
	LearningRate float64 `json:"learning_rate"`
	WarmUp       int     `json:"warm_up"`

	WeightDecay float64 `json:"weight_decay"` // of AdamW
	Dropout     float64 `json:"dropout"`      // rate before the last layer, 0 to below 1

	// ClassWeights multiply the examples' weights, one for each class; nil for
	// none. See Dataset.ClassWeights.
	ClassWeights []float32 `json:"class_weights,omitempty"`

	// PermuteRows draws the rows of every map in another random order in each
	// epoch. Rows are keyed hashes of hosts, so their order carries no meaning.
	PermuteRows bool `json:"permute_rows"`

	// Patience is the number of epochs in a row without a better validation
	// loss after which training stops; 0 for never.
	Patience int `json:"patience"`

	// StuckAfter is the number of steps after which a network that only guesses
	// is given up and training starts again with the next seed, Restarts times
	// at most. It is checked at the end of an epoch.
	StuckAfter int `json:"stuck_after"`
	Restarts   int `json:"restarts"`

	// CheckpointDir is where to save the state after each epoch and when the
	// context is cancelled, and from where to resume; empty for nowhere.
	CheckpointDir string `json:"-"`

	// Progress is where to draw a progress bar; nil for nowhere.
	Progress io.Writer `json:"-"`
}

// DefaultConfig returns the usual settings for an architecture.
func DefaultConfig(arch quant.Arch) Config {
	return Config{
		Arch: arch, Seed: 1, Epochs: 10, Batch: 64, LearningRate: 2e-3, WarmUp: 200,
		WeightDecay: 1e-4, Dropout: 0.1, PermuteRows: true, Patience: 4, StuckAfter: 400, Restarts: 3,
	}
}

// validate reports the first thing that keeps c from being trained. The error
// is ErrConfig.
func (c Config) validate() error {
	if err := c.Arch.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	for _, i := range c.Depthwise {
		if i < 0 || i >= len(c.Arch.Layers) || c.Arch.Layers[i].Kind != quant.Conv {
			return fmt.Errorf("%w: layer %d is no convolution, and cannot be depthwise", ErrConfig, i)
		}
	}
	for _, check := range []struct {
		ok   bool
		what string
	}{
		{c.Epochs >= 1, "epochs must be at least 1"},
		{c.Batch >= 1, "batch must be at least 1"},
		{c.LearningRate > 0, "learning rate must be above 0"},
		{c.WarmUp >= 0, "warm-up must not be negative"},
		{c.WeightDecay >= 0, "weight decay must not be negative"},
		{c.Dropout >= 0 && c.Dropout < 1, "dropout must be 0 to below 1"},
		{c.ClassWeights == nil || len(c.ClassWeights) == c.Arch.Classes(), "class weights must be one for each class"},
		{c.Patience >= 0 && c.StuckAfter >= 0 && c.Restarts >= 0, "patience, steps until stuck and restarts must not be negative"},
	} {
		if !check.ok {
			return fmt.Errorf("%w: %s", ErrConfig, check.what)
		}
	}
	return nil
}

// Epoch is how one epoch went. Losses are weighted means in nats.
type Epoch struct {
	TrainLoss float64 `json:"train_loss"` // while training, dropout included
	ValidLoss float64 `json:"valid_loss"`
	Accuracy  float64 `json:"accuracy"` // on the validation examples
}

// Report is how a training went.
type Report struct {
	Seed     int64   // that was trained in the end
	Restarts int     // after which
	Epochs   []Epoch // of the last start
	Best     int     // index in Epochs of the one whose weights were kept
	Stopped  bool    // early, before all epochs
	Resumed  bool    // from a checkpoint
	Steps    int     // of the last start
}
