package quant

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// smallArch is a network of all kinds of layers with odd extents.
var smallArch = Arch{
	Input: Shape{5, 7, 3},
	Layers: []Layer{
		{Kind: Conv, Height: 3, Width: 3, Stride: 2, Out: 9},
		{Kind: MaxPool, Height: 2, Width: 2},
		{Kind: Dense, Out: 5},
		{Kind: Dense, Out: 3},
	},
}

var smallMeta = Meta{
	Featurizer: "5x7x3 of noise",
	Classes:    []string{"benign", "vertical", "horizontal"},
	Threshold:  One / 2,
	Provenance: Provenance{
		Seed:    12,
		Data:    "random weights by go test ./quant -run TestGolden -update",
		Figures: map[string]string{"recall": "none", "accuracy": "33% <chance>"},
	},
}

func TestBuildRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Arch, []Params, *Meta)
		want  string
	}{
		{"architecture", func(a *Arch, _ []Params, _ *Meta) { a.Input.Width = 0 }, "input shape"},
		{"weights", func(_ *Arch, p []Params, _ *Meta) { p[0].Weights = p[0].Weights[1:] }, "layer 0 (conv): 242 weights"},
		{"weight -128", func(_ *Arch, p []Params, _ *Meta) { p[2].Weights[7] = -128 }, "-128"},
		{"weights of a pool", func(_ *Arch, p []Params, _ *Meta) { p[1].Weights = make([]int8, 1) }, "layer 1"},
		{"biases", func(_ *Arch, p []Params, _ *Meta) { p[2].Bias = nil }, "0 biases"},
		{"multipliers", func(_ *Arch, p []Params, _ *Meta) { p[2].Mult = nil }, "0 multipliers"},
		{"shifts", func(_ *Arch, p []Params, _ *Meta) { p[2].Shift = nil }, "0 shifts"},
		{"shift 0", func(_ *Arch, p []Params, _ *Meta) { p[3].Shift[1] = 0 }, "output 1"},
		{"shift 63", func(_ *Arch, p []Params, _ *Meta) { p[3].Shift[1] = 63 }, "output 1"},
		{"negative multiplier", func(_ *Arch, p []Params, _ *Meta) { p[3].Mult[2] = -1 }, "output 2"},
		{"accumulator above", func(_ *Arch, p []Params, _ *Meta) { p[3].Bias[0] = math.MaxInt32 }, "beyond 32 bits"},
		{"accumulator below", func(_ *Arch, p []Params, _ *Meta) { p[3].Bias[0] = math.MinInt32 }, "beyond 32 bits"},
		{"classes", func(_ *Arch, _ []Params, m *Meta) { m.Classes = m.Classes[1:] }, "class names"},
		{"threshold", func(_ *Arch, _ []Params, m *Meta) { m.Threshold = One + 1 }, "threshold"},
	} {
		good := randomNetwork(t, newRand(12), smallArch, smallMeta)
		arch, params, meta := good.Arch(), good.params, good.Meta()
		c.spoil(&arch, params, &meta)
		if _, err := Build(arch, params, meta); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Build(smallArch, nil, smallMeta); !errors.Is(err, ErrInvalid) {
		t.Errorf("no parameters: %v", err)
	}
}

func TestCheckFeaturizer(t *testing.T) {
	n := randomNetwork(t, newRand(12), smallArch, smallMeta)
	if err := n.CheckFeaturizer(smallMeta.Featurizer); err != nil {
		t.Error(err)
	}
	if err := n.CheckFeaturizer("other"); !errors.Is(err, ErrMismatch) {
		t.Errorf("another featurizer: %v", err)
	}
}

func TestMultiplyAdds(t *testing.T) {
	n, _ := likelyNetwork(t)
	want := int64(32*48*9*8*8 + 16*24*9*8*16 + 8*12*9*16*32 + 4*6*32*64 + 64*4)
	if got := n.MultiplyAdds(); got != want {
		t.Errorf("%d multiply-adds, want %d", got, want)
	}
}

func TestInfo(t *testing.T) {
	var text strings.Builder
	if err := randomNetwork(t, newRand(12), smallArch, smallMeta).Info(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"input", "5x7x3", "conv 3x3 stride 2", "3x4x9", "2916", "324", "maxpool 2x2 stride 2", "2x2x9", "dense", "vertical",
		"32768/65536", "5x7x3 of noise", "seed", "recall", "none", "kernels",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	t.Logf("\n%s", &text)
}
