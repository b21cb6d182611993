package model

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers"

	"edgescan/quant"
)

// InputScale is the value of one step of a map's cell as the network sees it:
// cells are divided by 16.
const InputScale = 1.0 / 16

// Names of a layer's variables.
const (
	weightsName = "weights"
	biasesName  = "biases"
)

// layerScope returns the scope of the variables of layer i.
func layerScope(i int) string { return fmt.Sprintf("layer%d", i) }

// forward is a network as a graph under construction.
type forward struct {
	ctx     *context.Context
	arch    quant.Arch
	dropout float64 // rate before the last layer, while training

	// depthwise lists the convolutions whose kernels are to be masked, while
	// training.
	depthwise []int

	// activations collects the output of every layer but the last if it is not
	// nil: a convolution's is what its last pool and its ReLU make of it.
	activations *[]*Node

	// rounded computes with weights and activations as int8 does; nil in float.
	rounded *rounding
}

// logits adds the network to the graph of maps, uint8 [batch, height, width,
// channels], and returns its logits, float32 [batch, classes].
//
// Pools come before bias and ReLU: both are monotonic and the same for every
// cell of a channel, so the result is that of conv, ReLU, pool, for a fraction
// of the work.
func (f *forward) logits(maps *Node) *Node {
	x := MulScalar(ConvertDType(maps, dtypes.Float32), InputScale)
	last := len(f.arch.Layers) - 1
	var finish func(*Node) *Node // bias and ReLU of the convolution before
	for i, l := range f.arch.Layers {
		if finish != nil && l.Kind != quant.MaxPool {
			x, finish = finish(x), nil
		}
		switch l.Kind {
		case quant.Conv:
			x = f.convolve(x, i)
			finish = func(x *Node) *Node { return f.activate(x, i) }
		case quant.MaxPool:
			x = maxPool(x, l)
		case quant.Dense:
			if i == last && f.dropout > 0 {
				x = layers.DropoutStatic(f.ctx, x, f.dropout)
			}
			x = f.dense(x, i)
			if i == last {
				return f.addBiases(x, i)
			}
			x = f.activate(x, i)
		}
	}
	panic("unreachable: a valid architecture ends in a dense layer")
}

// activate adds the biases of layer i and applies the ReLU.
func (f *forward) activate(x *Node, i int) *Node {
	x = f.addBiases(x, i)
	x = Where(GreaterThan(x, ScalarZero(x.Graph(), x.DType())), x, ScalarZero(x.Graph(), x.DType()))
	if f.rounded != nil {
		x = f.rounded.activation(f.ctx, x, i)
	}
	if f.activations != nil {
		*f.activations = append(*f.activations, x)
	}
	return x
}

// variable returns a variable of layer i.
func (f *forward) variable(g *Graph, i int, name string, dims ...int) *Node {
	ctx := f.ctx.In(layerScope(i)).Checked(false)
	v := ctx.VariableWithShape(name, shapes.Make(dtypes.Float32, dims...)).ValueGraph(g)
	if f.rounded != nil && name == weightsName {
		v = f.rounded.weight(f.ctx, v, i)
	}
	return v
}

// addBiases adds one number per channel, the last axis.
func (f *forward) addBiases(x *Node, i int) *Node {
	channels := x.Shape().Dimensions[x.Rank()-1]
	dims := make([]int, x.Rank())
	for axis := range dims {
		dims[axis] = 1
	}
	dims[len(dims)-1] = channels
	return Add(x, Reshape(f.variable(x.Graph(), i, biasesName, channels), dims...))
}

// convolve convolves x with the kernel of layer i, [height, width, in, out].
//
// Kernels of even extent are made odd by a row or column of zeros at the end,
// which changes nothing but the gradient: GoMLX's is shifted for even ones.
func (f *forward) convolve(x *Node, i int) *Node {
	l := f.arch.Layers[i]
	kernel := f.variable(x.Graph(), i, weightsName, l.Height, l.Width, x.Shape().Dimensions[3], l.Out)
	if slices.Contains(f.depthwise, i) {
		kernel = maskDepthwise(kernel)
	}
	steps, rows, columns := geometry(l, x)
	if l.Height%2 == 0 {
		kernel, rows[1] = appendZeros(kernel, 0), rows[1]+1
	}
	if l.Width%2 == 0 {
		kernel, columns[1] = appendZeros(kernel, 1), columns[1]+1
	}
	return Convolve(x, kernel).StridePerAxis(steps[:]...).PaddingPerDim([][2]int{rows, columns}).Done()
}

// appendZeros makes x one longer along an axis.
func appendZeros(x *Node, axis int) *Node {
	shape := x.Shape().Clone()
	shape.Dimensions[axis] = 1
	return Concatenate([]*Node{x, Zeros(x.Graph(), shape)}, axis)
}

// maxPool takes the maximum of each window, cut off at the border.
func maxPool(x *Node, l quant.Layer) *Node {
	steps, rows, columns := geometry(l, x)
	return MaxPool(x).WindowPerAxis(l.Height, l.Width).StridePerAxis(steps[:]...).PaddingPerDim([][2]int{rows, columns}).Done()
}

// geometry returns the steps of l's windows down and right, and the padding
// before and after the rows and the columns of x.
func geometry(l quant.Layer, x *Node) (steps, rows, columns [2]int) {
	in := x.Shape().Dimensions
	steps, pads := l.Geometry(quant.Shape{Height: in[1], Width: in[2], Channels: in[3]})
	return steps, [2]int{pads[0], pads[2]}, [2]int{pads[1], pads[3]}
}
