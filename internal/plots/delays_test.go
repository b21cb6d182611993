package plots

import (
	"slices"
	"testing"

	"gonum.org/v1/plot/plotter"
)

func TestCumulate(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []int
		want   plotter.XYs
		legend string
	}{
		{"some never", []int{5, -1, 2, 2}, plotter.XYs{{X: 1, Y: 0}, {X: 2, Y: 0.5}, {X: 5, Y: 0.75}, {X: 10, Y: 0.75}}, "a: 3 of 4, half by 2"},
		{"at once", []int{0, 1}, plotter.XYs{{X: 1, Y: 0}, {X: 1, Y: 1}, {X: 10, Y: 1}}, "a: 2 of 2, half by 1"},
		{"most never", []int{-1, 3, -1}, plotter.XYs{{X: 1, Y: 0}, {X: 3, Y: 1. / 3}, {X: 10, Y: 1. / 3}}, "a: 1 of 3"},
		{"never", []int{-1}, plotter.XYs{{X: 1, Y: 0}, {X: 10, Y: 0}}, "a: 0 of 1"},
	} {
		delays := found(c.values)
		if got := cumulate(delays, len(c.values), 10); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if got := (Series{"a", c.values}).legend(delays); got != c.legend {
			t.Errorf("%s: got %q, want %q", c.name, got, c.legend)
		}
	}
}
