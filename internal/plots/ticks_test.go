package plots

import (
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

func labels(ticks []plot.Tick) string {
	var all []string
	for _, tick := range ticks {
		if tick.Label != "" {
			all = append(all, tick.Label)
		}
	}
	return strings.Join(all, " ")
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		format func(float64) string
		want   string
	}{
		{1e-5, 1, percent, "0.001% 0.01% 0.1% 1% 10% 100%"},
		{1, 500, plain, "1 10 100"},
		{0.02, 0.5, plain, "0.02 0.05 0.1 0.2 0.5"},
		{1e-9, 1e-8, plain, "0.000000001 0.000000002 0.000000005 0.00000001"},
	} {
		if got := labels(logTicks{c.format}.Ticks(c.lo, c.hi)); got != c.want {
			t.Errorf("%g to %g: got %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestEpochTicks(t *testing.T) {
	for n, want := range map[int]string{
		1:   "1",
		5:   "1 2 3 4 5",
		10:  "1 2 3 4 5 6 7 8 9 10",
		11:  "1 2 4 6 8 10",
		30:  "1 5 10 15 20 25 30",
		100: "1 10 20 30 40 50 60 70 80 90 100",
	} {
		if got := labels(epochTicks(n)); got != want {
			t.Errorf("%d epochs: got %s, want %s", n, got, want)
		}
	}
}

func TestRound(t *testing.T) {
	for _, c := range []struct{ v, below, above float64 }{
		{1, 0.5, 2}, {2, 1, 5}, {5, 2, 10}, {9.9, 5, 10}, {0.1, 0.05, 0.2}, {0.001, 0.0005, 0.002}, {3e-9, 2e-9, 5e-9}, {1e9, 5e8, 2e9},
	} {
		if got := below(c.v); got != c.below {
			t.Errorf("below %g: got %g, want %g", c.v, got, c.below)
		}
		if got := above(c.v); got != c.above {
			t.Errorf("above %g: got %g, want %g", c.v, got, c.above)
		}
	}
}
