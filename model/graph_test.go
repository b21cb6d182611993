package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"edgescan/model/backend"
	"edgescan/quant"
)

// randomArch returns a small architecture: maps square or not, kernels even and
// odd, strides and pools that divide nothing, pools after pools, one or two
// dense layers.
func randomArch(r *rand.Rand) quant.Arch {
	a := quant.Arch{Input: quant.Shape{Height: 1 + r.IntN(13), Width: 1 + r.IntN(13), Channels: 1 + r.IntN(4)}}
	for range r.IntN(3) {
		a.Layers = append(a.Layers, quant.Layer{Kind: quant.Conv, Height: 1 + r.IntN(5), Width: 1 + r.IntN(5), Stride: r.IntN(4), Across: r.IntN(4), Out: 1 + r.IntN(9)})
		for range r.IntN(3) {
			a.Layers = append(a.Layers, quant.Layer{Kind: quant.MaxPool, Height: 1 + r.IntN(4), Width: 1 + r.IntN(4), Stride: r.IntN(4), Across: r.IntN(3)})
		}
	}
	if r.IntN(2) == 0 {
		a.Layers = append(a.Layers, quant.Layer{Kind: quant.Dense, Out: 1 + r.IntN(9)})
	}
	return quant.Arch{Input: a.Input, Layers: append(a.Layers, quant.Layer{Kind: quant.Dense, Out: 2 + r.IntN(3)})}
}

// randomFloat returns a network of arch with random biases too.
func randomFloat(r *rand.Rand, arch quant.Arch) *Float {
	f := newFloat(arch, int64(r.Uint32()))
	for _, l := range f.Layers {
		for i := range l.Biases {
			l.Biases[i] = float32(r.NormFloat64() / 4)
		}
	}
	return f
}

func randomMap(r *rand.Rand, size int) []uint8 {
	m := make([]uint8, size)
	for i := range m {
		if r.IntN(3) == 0 {
			m[i] = uint8(r.IntN(16))
		}
	}
	return m
}

// plainForward is the network in plain float64, layer by layer as package quant
// defines them. It returns the outputs of all layers.
func plainForward(f *Float, cells []uint8) [][]float64 {
	x := make([]float64, len(cells))
	for i, c := range cells {
		x[i] = float64(c) / 16
	}
	in := f.Arch.Shapes()
	var outputs [][]float64
	for i, l := range f.Arch.Layers {
		switch l.Kind {
		case quant.Dense:
			x = plainDense(x, f.Layers[i])
		default:
			x = plainWindows(x, in[i], in[i+1], l, f.Layers[i])
		}
		if i < len(f.Arch.Layers)-1 {
			for j, v := range x {
				x[j] = max(v, 0)
			}
		}
		outputs = append(outputs, x)
	}
	return outputs
}

func plainDense(x []float64, w Weights) []float64 {
	y := make([]float64, len(w.Biases))
	for o, b := range w.Biases {
		y[o] = float64(b)
		for i, v := range x {
			y[o] += v * float64(w.Weights[i*len(y)+o])
		}
	}
	return y
}

// plainWindows is a convolution or a pool.
func plainWindows(x []float64, in, out quant.Shape, l quant.Layer, w Weights) []float64 {
	v, h := l.Stride, l.Stride
	if l.Stride == 0 {
		v, h = 1, 1
		if l.Kind == quant.MaxPool {
			v, h = l.Height, l.Width
		}
	}
	if l.Across > 0 {
		h = l.Across
	}
	top := max((out.Height-1)*v+l.Height-in.Height, 0) / 2
	left := max((out.Width-1)*h+l.Width-in.Width, 0) / 2
	y := make([]float64, out.Size())
	for i := range y {
		oy, ox, o := i/out.Channels/out.Width, i/out.Channels%out.Width, i%out.Channels
		y[i] = math.Inf(-1)
		if l.Kind == quant.Conv {
			y[i] = float64(w.Biases[o])
		}
		for ky := range l.Height {
			for kx := range l.Width {
				iy, ix := oy*v-top+ky, ox*h-left+kx
				if iy < 0 || iy >= in.Height || ix < 0 || ix >= in.Width {
					continue
				}
				at := (iy*in.Width + ix) * in.Channels
				if l.Kind == quant.MaxPool {
					y[i] = max(y[i], x[at+o])
					continue
				}
				for c := range in.Channels {
					y[i] += x[at+c] * float64(w.Weights[((ky*l.Width+kx)*in.Channels+c)*out.Channels+o])
				}
			}
		}
	}
	return y
}

// afterPools returns the index of the last pool behind layer i, or i.
func afterPools(arch quant.Arch, i int) int {
	for arch.Layers[i+1].Kind == quant.MaxPool {
		i++
	}
	return i
}

// TestGraph compares the shapes that GoMLX makes with those of quant.Arch, and
// every layer's output with the plain network, for many architectures.
func TestGraph(t *testing.T) {
	for i := range 150 {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		f := randomFloat(r, randomArch(r))
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			d := NewDataset(f.Arch.Input)
			cells := randomMap(r, f.Arch.Input.Size())
			if err := d.Add(Example{Map: cells, Weight: 1}); err != nil {
				t.Fatal(err)
			}
			b, err := backend.New()
			if err != nil {
				t.Fatal(err)
			}
			e, err := newEvaluator(b, f.variables(), f.Arch, true)
			if err != nil {
				t.Fatal(err)
			}
			layers := []int{len(f.Arch.Layers) - 1}
			for _, layer := range f.activated() {
				layers = append(layers, afterPools(f.Arch, layer))
			}
			want, in := plainForward(f, cells), f.Arch.Shapes()
			err = e.each(d, func(_, _ int, outputs []*tensors.Tensor) error {
				for j, layer := range layers {
					checkOutput(t, layer, outputs[j], in[layer+1], want[layer])
				}
				return nil
			})
			if err != nil {
				t.Fatalf("%+v: %v", f.Arch, err)
			}
		})
	}
}

// checkOutput compares the first row of an output with the plain network's.
func checkOutput(t *testing.T, layer int, got *tensors.Tensor, shape quant.Shape, want []float64) {
	t.Helper()
	dims := []int{evaluationBatch, shape.Height, shape.Width, shape.Channels}
	if got.Rank() == 2 {
		dims = []int{evaluationBatch, shape.Size()}
	}
	if !slices.Equal(got.Shape().Dimensions, dims) {
		t.Fatalf("layer %d makes %v, want %v", layer, got.Shape().Dimensions, dims)
	}
	for i, v := range tensors.MustCopyFlatData[float32](got)[:len(want)] {
		if math.Abs(float64(v)-want[i]) > 1e-4*(1+math.Abs(want[i])) {
			t.Fatalf("layer %d: output %d is %g, want %g", layer, i, v, want[i])
		}
	}
}

// TestGradients compares GoMLX's gradients of the loss with finite differences
// of the plain network in float64.
func TestGradients(t *testing.T) {
	for i := range 40 {
		r := rand.New(rand.NewPCG(uint64(i), 2))
		f := randomFloat(r, randomArch(r))
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			cells := randomMap(r, f.Arch.Input.Size())
			label := r.IntN(f.Arch.Classes())
			gradients := graphGradients(t, f, cells, label)
			loss := func() float64 {
				outputs := plainForward(f, cells)
				logits := outputs[len(outputs)-1]
				sum := 0.0
				for _, l := range logits {
					sum += math.Exp(l)
				}
				return math.Log(sum) - logits[label]
			}
			n := 0
			for _, l := range f.Layers {
				for _, values := range [][]float32{l.Weights, l.Biases} {
					if len(values) > 0 {
						checkGradient(t, r, f.Arch, values, gradients[n], loss)
						n++
					}
				}
			}
		})
	}
}

// graphGradients returns the gradients of weights and biases of each layer.
func graphGradients(t *testing.T, f *Float, cells []uint8, label int) [][]float32 {
	t.Helper()
	b, err := backend.New()
	if err != nil {
		t.Fatal(err)
	}
	in := f.Arch.Input
	exec := mlcontext.MustNewExec(b, f.variables(), func(ctx *mlcontext.Context, maps *Node) []*Node {
		g := maps.Graph()
		model := forward{ctx: ctx, arch: f.Arch}
		mask := OneHot(Const(g, []int32{int32(label)}), f.Arch.Classes(), dtypes.Float32)
		loss := ReduceAllSum(Neg(Mul(mask, LogSoftmax(model.logits(maps)))))
		var variables []*Node
		for i, l := range f.Arch.Layers {
			if l.Kind != quant.MaxPool {
				scope := ctx.In(layerScope(i)).Reuse()
				variables = append(variables,
					scope.VariableWithShape(weightsName, scope.GetVariable(weightsName).Shape()).ValueGraph(g),
					scope.VariableWithShape(biasesName, shapes.Make(dtypes.Float32, l.Out)).ValueGraph(g))
			}
		}
		return Gradient(loss, variables...)
	})
	var gradients [][]float32
	for _, g := range exec.MustExec(tensors.FromFlatDataAndDimensions(cells, 1, in.Height, in.Width, in.Channels)) {
		gradients = append(gradients, tensors.MustCopyFlatData[float32](g))
	}
	return gradients
}

// checkGradient compares some elements of a gradient with the slope of the loss.
// Where the slopes to both sides differ the loss has a kink, from a ReLU or a
// pool, and the element is skipped.
func checkGradient(t *testing.T, r *rand.Rand, arch quant.Arch, values, gradient []float32, loss func() float64) {
	t.Helper()
	for range 12 {
		i := r.IntN(len(values))
		original := values[i]
		slope := func(step float32) float64 {
			before := loss()
			values[i] = original + step
			moved := float64(values[i]) - float64(original)
			after := loss()
			values[i] = original
			return (after - before) / moved
		}
		up, down := slope(1e-4), slope(-1e-4)
		if math.Abs(up-down) > 1e-3*(1+math.Abs(up)) {
			continue
		}
		if want := (up + down) / 2; math.Abs(float64(gradient[i])-want) > 1e-3*(1+math.Abs(want)) {
			t.Errorf("%+v: gradient %d of %d is %g, want %g", arch, i, len(values), gradient[i], want)
		}
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	f := func() (err error) {
		defer recovered(&err)
		panic("graph")
	}
	if err := f(); err == nil || err.Error() != "GoMLX: graph" {
		t.Errorf("error %v", err)
	}
}
