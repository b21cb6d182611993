package onnx

import (
	"fmt"
	"math"

	"edgescan/quant"
)

// encoder turns the layers of a network into nodes.
type encoder struct {
	graph
	form Form
	one  string // float32 1: the scale of every activation
	zero string // uint8 0: the zero point of every activation
}

// encodeNetwork returns the GraphProto of n.
func encodeNetwork(n *quant.Network, f Form) []byte {
	e := &encoder{form: f}
	if f != Exact {
		e.one = constant(&e.graph, "one", []float32{1})
		e.zero = constant(&e.graph, "zero", []uint8{0})
	}
	arch := n.Arch()
	shapes, last := arch.Shapes(), len(arch.Layers)-1
	at := e.node("Transpose", "channels_first", []string{inputName}, attribute{"perm", []int64{0, 3, 1, 2}})
	for i, l := range arch.Layers {
		name, in, p := fmt.Sprintf("layer%d", i), shapes[i], n.Params(i)
		switch {
		case l.Kind == quant.MaxPool:
			at = e.node("MaxPool", name, []string{at}, window(l, in)...)
		case i == last:
			at = e.accumulate(name, at, l, in, p)
			at = e.requantize(name, at, p, -quant.LogitLimit, quant.LogitLimit, typeInt32)
		case f == Exact:
			at = e.accumulate(name, at, l, in, p)
			at = e.requantize(name, at, p, 0, math.MaxUint8, typeUint8)
		default:
			at = e.quantized(name, at, l, in, p)
		}
	}
	e.node("Flatten", outputName, []string{at})
	return e.encode(
		value(inputName, typeUint8, arch.Input.Height, arch.Input.Width, arch.Input.Channels),
		value(outputName, typeInt32, arch.Classes()))
}

// quantized adds a layer with its bias, requantization and ReLU. The operator
// multiplies by x_scale * w_scale / y_scale, of which the first and the last are
// 1.
func (e *encoder) quantized(name, at string, l quant.Layer, in quant.Shape, p quant.Params) string {
	weights, zero := e.weights(name, l, in, p)
	return e.node("QLinearConv", name, []string{
		at, e.one, e.zero,
		weights, constant(&e.graph, name+".scale", scales(p), l.Out), zero,
		e.one, e.zero,
		constant(&e.graph, name+".bias", p.Bias, l.Out),
	}, window(l, in)...)
}

// accumulate adds the sums of a layer, int32 and without the bias.
func (e *encoder) accumulate(name, at string, l quant.Layer, in quant.Shape, p quant.Params) string {
	weights := constant(&e.graph, name+".weights", channelsFirst(l, in, p), weightDims(l, in)...)
	return e.node("ConvInteger", name+".sum", []string{at, weights}, window(l, in)...)
}

// weights adds the weights of a QLinearConv and their zero point and returns the
// names of both.
func (e *encoder) weights(name string, l quant.Layer, in quant.Shape, p quant.Params) (weights, zero string) {
	const middle = 128
	turned, dims := channelsFirst(l, in, p), weightDims(l, in)
	if e.form == Signed {
		return constant(&e.graph, name+".weights", turned, dims...), constant(&e.graph, name+".weights_zero", []int8{0})
	}
	raised := make([]uint8, len(turned))
	for i, w := range turned {
		raised[i] = uint8(int(w) + middle)
	}
	return constant(&e.graph, name+".weights", raised, dims...), constant(&e.graph, name+".weights_zero", []uint8{middle})
}

// scales returns the multiplier of each output.
func scales(p quant.Params) []float32 {
	s := make([]float32, len(p.Mult))
	for o := range s {
		s[o] = float32(math.Ldexp(float64(p.Mult[o]), -int(p.Shift[o])))
	}
	return s
}

// channelsFirst returns the weights of a layer as ONNX wants them: [out
// channel][in channel][height][width] of what is [height][width][in channel][out
// channel], a dense layer's too, whose inputs are in height, width, channel
// order.
func channelsFirst(l quant.Layer, in quant.Shape, p quant.Params) []int8 {
	turned := make([]int8, 0, len(p.Weights))
	cells := len(p.Weights) / (in.Channels * l.Out)
	for o := range l.Out {
		for c := range in.Channels {
			for cell := range cells {
				turned = append(turned, p.Weights[(cell*in.Channels+c)*l.Out+o])
			}
		}
	}
	return turned
}

// weightDims returns the shape of what channelsFirst returns.
func weightDims(l quant.Layer, in quant.Shape) []int {
	height, width := kernel(l, in)
	return []int{l.Out, in.Channels, height, width}
}

// kernel returns the extent of a layer's window: all of the input of a dense
// layer.
func kernel(l quant.Layer, in quant.Shape) (height, width int) {
	if l.Kind == quant.Dense {
		return in.Height, in.Width
	}
	return l.Height, l.Width
}

// window returns the attributes that place a layer's window on its input.
func window(l quant.Layer, in quant.Shape) []attribute {
	height, width := kernel(l, in)
	steps, pads := [2]int{1, 1}, [4]int{}
	if l.Kind != quant.Dense {
		steps, pads = l.Geometry(in)
	}
	return []attribute{
		{"kernel_shape", integers(height, width)},
		{"pads", integers(pads[:]...)},
		{"strides", integers(steps[:]...)},
	}
}

func integers(values ...int) []int64 {
	list := make([]int64, len(values))
	for i, v := range values {
		list[i] = int64(v)
	}
	return list
}
