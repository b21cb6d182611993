package model

import (
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"
)

// progress draws a bar with the steps, their rate and the time that remains.
// The zero value draws nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns a bar of total steps on w, or none if w is nil.
func newProgress(w io.Writer, total int) progress {
	if w == nil {
		return progress{}
	}
	return progress{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("steps"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100_000_000),
	)}
}

// set moves the bar to a step and says how training goes. That the bar cannot
// be drawn must not stop a training: errors are dropped.
func (p progress) set(step int, t *trainer) {
	if p.bar == nil {
		return
	}
	text := fmt.Sprintf("epoch %d/%d loss %.4f", t.Epoch+1, t.cfg.Epochs, t.LossSum/float64(t.Step+1))
	if n := len(t.Epochs); n > 0 {
		text += fmt.Sprintf(" valid %.4f", t.Epochs[n-1].ValidLoss)
	}
	p.bar.Describe(text)
	_ = p.bar.Set(step)
}

// done ends the bar's line.
func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Exit()
	}
}
