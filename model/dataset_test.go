package model

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edgescan/quant"
)

// benchmarkSet draws n maps of random cells, a twentieth of them not 0.
func benchmarkSet(t testing.TB, arch quant.Arch, n int) *Dataset {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	d := NewDataset(arch.Input)
	cells := make([]uint8, arch.Input.Size())
	for range n {
		clear(cells)
		for range len(cells) / 20 {
			cells[r.IntN(len(cells))] = uint8(r.IntN(16))
		}
		if err := d.Add(Example{Map: cells, Label: r.IntN(arch.Classes()), Weight: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestDatasetKeepsMaps(t *testing.T) {
	shape := quant.Shape{Height: 3, Width: 4, Channels: 2}
	d := NewDataset(shape)
	r := rand.New(rand.NewPCG(1, 2))
	var want [][]uint8
	for i := range 20 {
		m := make([]uint8, shape.Size())
		for range i {
			m[r.IntN(len(m))] = uint8(r.IntN(256))
		}
		want = append(want, m)
		if err := d.Add(Example{Map: m, Label: i, Weight: float32(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]uint8, shape.Size())
	for i, m := range want {
		if d.Map(i, got); !bytes.Equal(got, m) || d.Label(i) != i || d.Weight(i) != float32(i+1) {
			t.Errorf("example %d is %v, %d, %g, want %v", i, got, d.Label(i), d.Weight(i), m)
		}
	}
	order := []int{2, 0, 1}
	d.expand(19, order, got)
	for row, to := range order {
		if !bytes.Equal(got[to*8:][:8], want[19][row*8:][:8]) {
			t.Errorf("row %d is not at %d", row, to)
		}
	}
}

func TestDatasetRefuses(t *testing.T) {
	d := NewDataset(quant.Shape{Height: 1, Width: 2, Channels: 1})
	for name, e := range map[string]Example{
		"size":     {[]uint8{1}, 0, 1},
		"label":    {[]uint8{1, 2}, -1, 1},
		"weight":   {[]uint8{1, 2}, 0, 0},
		"NaN":      {[]uint8{1, 2}, 0, float32(math.NaN())},
		"infinity": {[]uint8{1, 2}, 0, float32(math.Inf(1))},
	} {
		if err := d.Add(e); !errors.Is(err, ErrExample) {
			t.Errorf("%s: error %v, want %v", name, err, ErrExample)
		}
	}
	if d.Len() != 0 {
		t.Errorf("%d examples were kept", d.Len())
	}
}

func TestClassWeights(t *testing.T) {
	d := NewDataset(quant.Shape{Height: 1, Width: 1, Channels: 1})
	for i, label := range []int{0, 0, 0, 2} {
		if err := d.Add(Example{Map: []uint8{uint8(i)}, Label: label, Weight: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := d.ClassWeights(3), []float32{2. / 3, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("weights %v, want %v", got, want)
	}
	if got := priorLoss(d, 3, d.ClassWeights(3)); math.Abs(got-math.Ln2) > 1e-6 {
		t.Errorf("loss of guessing %g, want ln 2", got)
	}
}

func TestShufflesDiffer(t *testing.T) {
	if slices.Equal(shuffled(100, 1, 0), shuffled(100, 1, 1)) || slices.Equal(shuffled(100, 1, 0), shuffled(100, 2, 0)) {
		t.Error("two epochs or two seeds have the same order")
	}
	if !slices.Equal(shuffled(100, 1, 0), shuffled(100, 1, 0)) {
		t.Error("the same epoch has two orders")
	}
	if rowSource(1, 0, 5).Uint64() == rowSource(1, 0, 6).Uint64() {
		t.Error("two examples have the same order of rows")
	}
}
