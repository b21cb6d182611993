package model

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/quant"
)

// accuracy returns the share of maps whose largest logit is the label's.
func accuracy(d *Dataset, logits []float32, classes int) float64 {
	right := 0
	for i := range d.Len() {
		if argmax(logits[i*classes:][:classes]) == d.Label(i) {
			right++
		}
	}
	return float64(right) / float64(d.Len())
}

func TestTrainLearnsToy(t *testing.T) {
	f, test := trainedToy(t), toySet(t, 2000, 3)
	logits, err := f.Logits(test)
	if err != nil {
		t.Fatal(err)
	}
	a := accuracy(test, logits, len(toyClasses))
	t.Logf("accuracy %.4f", a)
	if a < 0.95 {
		t.Errorf("accuracy %.4f, want at least 0.95", a)
	}
}

// shortRun is a training of a second, with all that is random in it.
func shortRun() Config {
	c := toyConfig()
	c.Epochs, c.Dropout, c.StuckAfter = 3, 0.3, 1000
	return c
}

func fileOf(t *testing.T, f *Float) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTrainIsReproducible(t *testing.T) {
	train, valid := toySet(t, 320, 1), toySet(t, 100, 2)
	run := func(seed int64) []byte {
		c := shortRun()
		c.Seed = seed
		f, _, err := Train(t.Context(), c, train, valid)
		if err != nil {
			t.Fatal(err)
		}
		return fileOf(t, f)
	}
	first := run(1)
	if !bytes.Equal(first, run(1)) {
		t.Error("the same seed gives other weights")
	}
	if bytes.Equal(first, run(2)) {
		t.Error("another seed gives the same weights")
	}
}

// interruptAfter is a context that is cancelled when it has been asked n times.
type interruptAfter struct {
	context.Context
	cancel context.CancelFunc
	n      int
}

func (c *interruptAfter) Err() error {
	if c.n--; c.n < 0 {
		c.cancel()
	}
	return c.Context.Err()
}

func TestResumeEqualsUninterrupted(t *testing.T) {
	train, valid := toySet(t, 320, 1), toySet(t, 100, 2)
	want, wantReport, err := Train(t.Context(), shortRun(), train, valid)
	if err != nil {
		t.Fatal(err)
	}
	for name, steps := range map[string]int{"at once": 0, "in the first epoch": 4, "between epochs": 10, "in the last epoch": 27} {
		t.Run(name, func(t *testing.T) {
			c := shortRun()
			c.CheckpointDir = filepath.Join(t.TempDir(), "checkpoints")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, report, err := Train(&interruptAfter{ctx, cancel, steps}, c, train, valid)
			if !errors.Is(err, context.Canceled) || report.Steps != steps {
				t.Fatalf("interrupted after %d steps with %v, want %d steps", report.Steps, err, steps)
			}
			got, report, err := Train(t.Context(), c, train, valid)
			if err != nil {
				t.Fatal(err)
			}
			if !report.Resumed || len(report.Epochs) != len(wantReport.Epochs) || report.Epochs[2] != wantReport.Epochs[2] {
				t.Errorf("report %+v, uninterrupted %+v", report, wantReport)
			}
			if !bytes.Equal(fileOf(t, got), fileOf(t, want)) {
				t.Error("the resumed training came to other weights")
			}
			if left, _ := os.ReadDir(c.CheckpointDir); len(left) != 0 {
				t.Errorf("the finished training left %v", left)
			}
		})
	}
}

func TestCheckpointOfAnotherTraining(t *testing.T) {
	train, valid := toySet(t, 100, 1), toySet(t, 50, 2)
	c := shortRun()
	c.CheckpointDir = t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Train(ctx, c, train, valid); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	other := c
	other.Seed++
	if _, _, err := Train(t.Context(), other, train, valid); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("another seed: error %v, want %v", err, ErrCheckpoint)
	}
	if _, _, err := Train(t.Context(), c, toySet(t, 100, 9), valid); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("other data: error %v, want %v", err, ErrCheckpoint)
	}
	path := filepath.Join(c.CheckpointDir, checkpointName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Train(t.Context(), c, train, valid); !errors.Is(err, ErrChecksum) {
		t.Errorf("damaged: error %v, want %v", err, ErrChecksum)
	}
}

func TestStuckTrainingRestartsAndGivesUp(t *testing.T) {
	c := shortRun()
	c.LearningRate, c.StuckAfter, c.Restarts = 1e-12, 1, 2
	_, report, err := Train(t.Context(), c, toySet(t, 100, 1), toySet(t, 50, 2))
	if !errors.Is(err, ErrStuck) || report.Restarts != 2 || report.Seed != c.Seed+2 {
		t.Errorf("error %v, report %+v", err, report)
	}
}

func TestPatienceStopsEarly(t *testing.T) {
	c := shortRun()
	c.Epochs, c.Patience, c.LearningRate = 30, 1, 0.05
	_, report, err := Train(t.Context(), c, toySet(t, 100, 1), toySet(t, 50, 2))
	if err != nil {
		t.Fatal(err)
	}
	if !report.Stopped || len(report.Epochs) != report.Best+2 {
		t.Errorf("report %+v", report)
	}
}

func TestTrainRefuses(t *testing.T) {
	good, valid := toySet(t, 10, 1), toySet(t, 10, 2)
	for name, c := range map[string]struct {
		change func(*Config)
		train  *Dataset
		want   error
	}{
		"no epochs":     {func(c *Config) { c.Epochs = 0 }, good, ErrConfig},
		"dropout of 1":  {func(c *Config) { c.Dropout = 1 }, good, ErrConfig},
		"no rate":       {func(c *Config) { c.LearningRate = math.NaN() }, good, ErrConfig},
		"class weights": {func(c *Config) { c.ClassWeights = []float32{1} }, good, ErrConfig},
		"no layers":     {func(c *Config) { c.Arch.Layers = nil }, good, ErrConfig},
		"no examples":   {func(*Config) {}, NewDataset(toyArch().Input), ErrExample},
		"nil":           {func(*Config) {}, nil, ErrExample},
		"other shape":   {func(*Config) {}, NewDataset(quant.Shape{Height: 1, Width: 1, Channels: 1}), ErrExample},
		"label":         {func(c *Config) { c.Arch.Layers[5].Out = 1 }, good, ErrExample},
	} {
		t.Run(name, func(t *testing.T) {
			config := toyConfig()
			c.change(&config)
			if _, _, err := Train(t.Context(), config, c.train, valid); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestProgressBar(t *testing.T) {
	var out strings.Builder
	c := shortRun()
	c.Progress = &out
	if _, _, err := Train(t.Context(), c, toySet(t, 64, 1), toySet(t, 32, 2)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "epoch 3/3 loss") {
		t.Errorf("no progress in %q", out.String())
	}
}

// deviceArch is the network that the device runs.
func deviceArch() quant.Arch {
	return quant.Arch{Input: quant.Shape{Height: 32, Width: 48, Channels: 8}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 8},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 16},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 32},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 64},
		{Kind: quant.Dense, Out: 4},
	}}
}

// BenchmarkTrain measures whole epochs with all that belongs to them: drawing
// maps with permuted rows, steps, validation.
func BenchmarkTrain(b *testing.B) {
	c := DefaultConfig(deviceArch())
	d := benchmarkSet(b, c.Arch, 2048)
	valid := benchmarkSet(b, c.Arch, 64)
	c.Epochs, c.Patience = 1, 0
	for b.Loop() {
		if _, _, err := Train(b.Context(), c, d, valid); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*d.Len())/b.Elapsed().Seconds(), "examples/s")
}
