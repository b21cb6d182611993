package quant

import (
	"slices"
	"strings"
	"testing"
)

func TestLayerOutput(t *testing.T) {
	for _, c := range []struct {
		name     string
		layer    Layer
		in, want Shape
	}{
		{"conv keeps extent", Layer{Kind: Conv, Height: 3, Width: 3, Out: 5}, Shape{32, 48, 8}, Shape{32, 48, 5}},
		{"conv with even kernel", Layer{Kind: Conv, Height: 2, Width: 4, Out: 5}, Shape{7, 9, 1}, Shape{7, 9, 5}},
		{"conv with stride", Layer{Kind: Conv, Height: 3, Width: 5, Stride: 2, Out: 5}, Shape{7, 10, 1}, Shape{4, 5, 5}},
		{"conv with stride above kernel", Layer{Kind: Conv, Height: 1, Width: 1, Stride: 3, Out: 2}, Shape{7, 10, 1}, Shape{3, 4, 2}},
		{"conv with kernel above input", Layer{Kind: Conv, Height: 9, Width: 9, Out: 2}, Shape{2, 3, 1}, Shape{2, 3, 2}},
		{"conv with a stride for each direction", Layer{Kind: Conv, Height: 1, Width: 10, Stride: 2, Across: 10, Out: 3}, Shape{7, 10, 4}, Shape{4, 1, 3}},
		{"conv that steps to the right only", Layer{Kind: Conv, Height: 1, Width: 4, Across: 4, Out: 3}, Shape{7, 10, 4}, Shape{7, 3, 3}},
		{"pool steps by its window", Layer{Kind: MaxPool, Height: 2, Width: 3}, Shape{32, 48, 8}, Shape{16, 16, 8}},
		{"pool cut off at the border", Layer{Kind: MaxPool, Height: 2, Width: 3}, Shape{7, 10, 4}, Shape{4, 4, 4}},
		{"pool with stride", Layer{Kind: MaxPool, Height: 3, Width: 3, Stride: 2}, Shape{7, 10, 4}, Shape{4, 5, 4}},
		{"dense", Layer{Kind: Dense, Out: 6}, Shape{7, 10, 4}, Shape{1, 1, 6}},
	} {
		if got := c.layer.Output(c.in); got != c.want {
			t.Errorf("%s: %v of %v gives %v, want %v", c.name, c.layer, c.in, got, c.want)
		}
	}
}

func TestShapes(t *testing.T) {
	want := []Shape{{32, 48, 8}, {32, 48, 8}, {16, 24, 8}, {16, 24, 16}, {8, 12, 16}, {8, 12, 32}, {4, 6, 32}, {1, 1, 64}, {1, 1, 4}}
	if got := likelyArch.Shapes(); !slices.Equal(got, want) {
		t.Errorf("shapes %v, want %v", got, want)
	}
}

func TestValidate(t *testing.T) {
	if err := likelyArch.Validate(); err != nil {
		t.Fatal(err)
	}
	in, last := Shape{8, 8, 2}, Layer{Kind: Dense, Out: 2}
	conv := Layer{Kind: Conv, Height: 3, Width: 3, Out: 4}
	for _, c := range []struct {
		name string
		arch Arch
		want string
	}{
		{"no layers", Arch{in, nil}, "0 layers"},
		{"too many layers", Arch{in, slices.Repeat([]Layer{last}, maxLayers+1)}, "65 layers"},
		{"no input", Arch{Shape{8, 0, 2}, []Layer{last}}, "input shape"},
		{"huge input", Arch{Shape{1024, 1024, 2}, []Layer{last}}, "input shape"},
		{"no dense layer", Arch{in, []Layer{conv}}, "end with a dense one"},
		{"conv after dense", Arch{in, []Layer{last, conv, last}}, "after a dense layer"},
		{"unknown kind", Arch{in, []Layer{{Kind: "lstm", Out: 2}, last}}, "unknown kind"},
		{"no kernel", Arch{in, []Layer{{Kind: Conv, Out: 4}, last}}, "window 0x0"},
		{"negative stride", Arch{in, []Layer{{Kind: MaxPool, Height: 2, Width: 2, Stride: -1}, last}}, "stride -1"},
		{"negative step to the right", Arch{in, []Layer{{Kind: MaxPool, Height: 2, Width: 2, Across: -1}, last}}, "across -1"},
		{"no outputs", Arch{in, []Layer{{Kind: Dense}}}, "0 outputs"},
		{"pool with outputs", Arch{in, []Layer{{Kind: MaxPool, Height: 2, Width: 2, Out: 2}, last}}, "keeps its channels"},
		{"dense with a window", Arch{in, []Layer{{Kind: Dense, Height: 2, Out: 2}}}, "no window"},
		{"too many cells", Arch{Shape{1024, 1024, 1}, []Layer{{Kind: Conv, Height: 1, Width: 1, Out: 2}, last}}, "cells"},
		{"too many weights", Arch{Shape{128, 128, 1}, []Layer{{Kind: Dense, Out: 1024}, last}}, "weights"},
	} {
		if err := c.arch.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
