package model

import (
	"math"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"edgescan/quant"
)

// stepsName is the variable of the logarithm of the step of each channel's
// activations.
const stepsName = "log_steps"

// rounding makes a graph compute in float what the int8 network computes in
// integers, up to the rounding of biases and of float itself. Gradients pass
// through the rounding as if it were not there (Bengio and others, "Estimating
// or Propagating Gradients Through Stochastic Neurons", 2013); those of the
// steps are then the ones of Esser and others, "Learned Step Size Quantization"
// (2020).
type rounding struct{ arch quant.Arch }

// setSteps creates the variables of the steps: [layer][channel], nothing for
// layers that do not end in a ReLU.
func setSteps(ctx *mlcontext.Context, steps [][]float64) {
	for i, layer := range steps {
		if len(layer) == 0 {
			continue
		}
		logs := make([]float32, len(layer))
		for c, s := range layer {
			logs[c] = float32(math.Log(s))
		}
		ctx.In(layerScope(i)).VariableWithValue(stepsName, tensors.FromFlatDataAndDimensions(logs, len(logs)))
	}
}

// steps returns the steps of the activations of layer i, [channels].
func (r rounding) steps(ctx *mlcontext.Context, g *Graph, i int) *Node {
	shape := shapes.Make(dtypes.Float32, r.arch.Layers[i].Out)
	return Exp(ctx.In(layerScope(i)).Checked(false).VariableWithShape(stepsName, shape).ValueGraph(g))
}

// activation rounds the activations of layer i, of any shape with the channels
// last, to 0 to 255 steps.
func (r rounding) activation(ctx *mlcontext.Context, x *Node, i int) *Node {
	dims := make([]int, x.Rank())
	for axis := range dims {
		dims[axis] = 1
	}
	dims[len(dims)-1] = x.Shape().Dimensions[x.Rank()-1]
	steps := Reshape(r.steps(ctx, x.Graph(), i), dims...)
	counts := MinScalar(Div(x, steps), float32(255))
	return Mul(straight(counts, Floor(AddScalar(counts, 0.5))), steps)
}

// straight returns rounded, whose gradient is that of x.
func straight(x, rounded *Node) *Node { return Add(x, StopGradient(Sub(rounded, x))) }

// weight rounds the weights of layer i, [..., inputs, outputs], as
// quantizeLayer does: times the steps of the inputs, to 127 steps either way.
func (r rounding) weight(ctx *mlcontext.Context, w *Node, i int) *Node {
	in := r.inputSteps(ctx, w, i)
	scaled := StopGradient(Mul(w, in))
	steps := DivScalar(ReduceAndKeep(Abs(scaled), ReduceMax, allAxesButLast(w)...), float32(127))
	steps = MaxScalar(steps, float32(smallestStep))
	rounded := Mul(Round(Div(scaled, steps)), steps)
	return straight(w, Div(rounded, in))
}

// smallestStep keeps the rounding of weights that are all 0 from dividing by 0.
const smallestStep = 1e-20

func allAxesButLast(x *Node) []int {
	axes := make([]int, x.Rank()-1)
	for i := range axes {
		axes[i] = i
	}
	return axes
}

// inputSteps returns the steps of the inputs of layer i, such that they can be
// multiplied with its weights w.
func (r rounding) inputSteps(ctx *mlcontext.Context, w *Node, i int) *Node {
	dims := make([]int, w.Rank())
	for axis := range dims {
		dims[axis] = 1
	}
	dims[w.Rank()-2] = w.Shape().Dimensions[w.Rank()-2]
	before := i - 1
	for before >= 0 && r.arch.Layers[before].Kind == quant.MaxPool {
		before--
	}
	if before < 0 {
		return BroadcastToDims(Scalar(w.Graph(), w.DType(), InputScale), dims...)
	}
	steps := StopGradient(r.steps(ctx, w.Graph(), before))
	repeats := dims[w.Rank()-2] / steps.Shape().Size()
	return Reshape(BroadcastToDims(Reshape(steps, 1, steps.Shape().Size()), repeats, steps.Shape().Size()), dims...)
}
