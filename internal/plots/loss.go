package plots

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Loss draws the losses of a training, in nats, of its first epoch and on, and
// marks the epoch of the lowest validation loss. Losses must be at least 0.
func Loss(w io.Writer, format Format, training, validation []float64) error {
	if len(training) == 0 || len(training) != len(validation) {
		return fmt.Errorf("%w: %d training and %d validation losses", ErrData, len(training), len(validation))
	}
	if err := checkLog("training loss", training); err != nil {
		return err
	}
	if err := checkLog("validation loss", validation); err != nil {
		return err
	}
	f := newFigure("Loss by epoch", "epoch", "mean loss (nats, log scale)")
	f.X.Min, f.X.Max = 1, float64(max(len(training), 2))
	f.X.Tick.Marker = epochTicks(len(training))
	all := slices.Concat(training, validation)
	useLog(&f.Y, below(max(slices.Min(all), leastLog)), above(max(slices.Max(all), leastLog)), plain)
	f.losses("training", 1, training)
	f.losses("validation", 0, validation)
	f.best(validation)
	return f.write(w, format)
}

// losses adds a line in the i-th style, and dots that show a single epoch too.
func (f *figure) losses(name string, i int, losses []float64) {
	points := make(plotter.XYs, len(losses))
	for epoch, loss := range losses {
		points[epoch] = plotter.XY{X: float64(1 + epoch), Y: max(loss, leastLog)}
	}
	f.line(name, lineStyle(i), plotter.NoStep, points)
	f.Add(dots(colours[i], draw.CircleGlyph{}, 2, points))
}

// best marks the epoch of the lowest loss, the first of them.
func (f *figure) best(losses []float64) {
	lowest := slices.Min(losses)
	epoch := 1 + slices.Index(losses, lowest)
	x := float64(epoch)
	f.Add(&plotter.Line{XYs: plotter.XYs{{X: x, Y: f.Y.Min}, {X: x, Y: f.Y.Max}}, LineStyle: guideLine})
	ring := dots(colours[len(colours)-1], draw.RingGlyph{}, 5, plotter.XYs{{X: x, Y: max(lowest, leastLog)}})
	f.Add(ring)
	f.legend.add(fmt.Sprintf("best: epoch %d, %.4g nats", epoch, lowest), ring)
}

// epochTicks labels the first of n epochs and, in round steps, at most ten
// others.
func epochTicks(n int) plot.ConstantTicks {
	step := 1
	if n > 10 {
		step = int(above(float64(n-1) / 10))
	}
	ticks := plot.ConstantTicks{{Value: 1, Label: "1"}}
	for epoch := step; epoch <= n; epoch += step {
		if epoch > 1 {
			ticks = append(ticks, plot.Tick{Value: float64(epoch), Label: strconv.Itoa(epoch)})
		}
	}
	return ticks
}
