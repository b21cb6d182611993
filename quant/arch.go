// Package quant runs the int8 network that tells scans from benign traffic.
//
// In goes a map: a picture of rows x columns x channels in unsigned bytes. Out
// come logits, one for each class, in units of 1/256 nat, and from them
// probabilities in units of 1/65536. All of it is integer arithmetic, so the
// same map gives the same verdict on every architecture. The package also reads
// and writes the model file.
//
// Activations are unsigned bytes with zero point 0: maps hold small counts and
// every layer but the last ends in a ReLU, so padding is 0 and needs no
// correction. Weights are signed bytes with one scale for each output channel.
//
// The package imports nothing but the standard library and golang.org/x/sys/cpu,
// by which it chooses the fastest kernels for the machine (the build tag purego
// keeps to portable Go). It keeps no state outside
// its types, and must never use floating point while it infers.
package quant

import "fmt"

// LayerKind names what a Layer does.
type LayerKind string

// The layers that a network is made of. Convolutions and all dense layers but
// the last end in a ReLU.
const (
	Conv    LayerKind = "conv"    // zero-padded convolution
	MaxPool LayerKind = "maxpool" // maximum over a window, cut off at the border
	Dense   LayerKind = "dense"   // fully connected; the first one flattens its input in height, width, channel order
)

// Layer describes one layer. Height and Width are the kernel of a convolution
// or the window of a pool; Stride is the step down (0: 1 for a convolution, the
// window's own size for a pool) and Across the step to the right (0: Stride);
// Out is the number of output channels of a convolution or outputs of a dense
// layer.
type Layer struct {
	Kind   LayerKind `json:"kind"`
	Height int       `json:"height,omitempty"`
	Width  int       `json:"width,omitempty"`
	Stride int       `json:"stride,omitempty"`
	Across int       `json:"across,omitempty"`
	Out    int       `json:"out,omitempty"`
}

// Shape is the extent of a layer's input or output: rows, columns, channels.
// The output of a dense layer is 1 x 1 x outputs.
type Shape struct {
	Height   int `json:"height"`
	Width    int `json:"width"`
	Channels int `json:"channels"`
}

// Size returns the number of values in the shape.
func (s Shape) Size() int { return s.Height * s.Width * s.Channels }

// Arch is a network: the shape of its input map and its layers in order. The
// last layer is dense and gives the logits, one for each class.
type Arch struct {
	Input  Shape   `json:"input"`
	Layers []Layer `json:"layers"`
}

// strides returns the vertical and the horizontal step of a layer.
func (l Layer) strides() (v, h int) {
	v, h = 1, 1
	if l.Kind == MaxPool {
		v, h = l.Height, l.Width
	}
	if l.Stride > 0 {
		v, h = l.Stride, l.Stride
	}
	if l.Across > 0 {
		h = l.Across
	}
	return v, h
}

// Output returns the shape that l makes of in. Convolutions and pools pad as
// TensorFlow's "same" does: whatever the window, the extent is that of the input
// divided by the stride, rounded up.
func (l Layer) Output(in Shape) Shape {
	v, h := l.strides()
	switch l.Kind {
	case Conv:
		return Shape{ceilDiv(in.Height, v), ceilDiv(in.Width, h), l.Out}
	case MaxPool:
		return Shape{ceilDiv(in.Height, v), ceilDiv(in.Width, h), in.Channels}
	default:
		return Shape{1, 1, l.Out}
	}
}

// Shapes returns the input shape of each layer and, last, the shape of the
// logits: one more than there are layers. Shapes()[i].Size() for the first
// dense layer i is the number of its inputs.
func (a Arch) Shapes() []Shape {
	shapes := []Shape{a.Input}
	for _, l := range a.Layers {
		shapes = append(shapes, l.Output(shapes[len(shapes)-1]))
	}
	return shapes
}

// Classes returns the number of logits.
func (a Arch) Classes() int { return a.Layers[len(a.Layers)-1].Out }

// Bounds on an architecture that is read from a file. They keep what a file can
// make a device allocate to a few tens of MiB, and every product of extents
// within 32 bits.
const (
	maxExtent  = 1024    // of any single extent
	maxLayers  = 64      // in a network
	maxCells   = 1 << 20 // in the input or output of a layer
	maxWeights = 1 << 20 // in a network; a kernel may need 32 bytes for each
)

// Validate reports the first thing that keeps a from being a network.
func (a Arch) Validate() error {
	if !inExtent(a.Input.Height, a.Input.Width, a.Input.Channels) || a.Input.Size() > maxCells {
		return fmt.Errorf("input shape %v: each extent must be 1 to %d, the product at most %d", a.Input, maxExtent, maxCells)
	}
	if n := len(a.Layers); n == 0 || n > maxLayers || a.Layers[n-1].Kind != Dense {
		return fmt.Errorf("%d layers: must be 1 to %d and end with a dense one", n, maxLayers)
	}
	in, weights, dense := a.Input, int64(0), false
	for i, l := range a.Layers {
		if err := l.validate(); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
		if dense && l.Kind != Dense {
			return fmt.Errorf("layer %d: %s after a dense layer", i, l.Kind)
		}
		dense = l.Kind == Dense
		out := l.Output(in)
		if out.Size() > maxCells {
			return fmt.Errorf("layer %d: output %v has more than %d cells", i, out, maxCells)
		}
		weights += int64(l.fanIn(in)) * int64(l.Out)
		if weights > maxWeights {
			return fmt.Errorf("layer %d: more than %d weights", i, maxWeights)
		}
		in = out
	}
	return nil
}

// validate checks what can be said of a layer without its input.
func (l Layer) validate() error {
	switch l.Kind {
	case Conv, MaxPool:
		v, h := l.strides()
		if !inExtent(l.Height, l.Width, v, h) || l.Stride < 0 || l.Across < 0 {
			return fmt.Errorf("window %dx%d, stride %d, across %d: must be 1 to %d", l.Height, l.Width, l.Stride, l.Across, maxExtent)
		}
	case Dense:
		if l.Height != 0 || l.Width != 0 || l.Stride != 0 || l.Across != 0 {
			return fmt.Errorf("a dense layer has no window")
		}
	default:
		return fmt.Errorf("unknown kind %q", l.Kind)
	}
	if l.Kind == MaxPool && l.Out != 0 {
		return fmt.Errorf("a pool keeps its channels, %d outputs given", l.Out)
	}
	if l.Kind != MaxPool && !inExtent(l.Out) {
		return fmt.Errorf("%d outputs, must be 1 to %d", l.Out, maxExtent)
	}
	return nil
}

// fanIn returns the number of weights behind one output of l: 0 for a pool.
// At most maxExtent^3, it fits an int of 32 bits.
func (l Layer) fanIn(in Shape) int {
	switch l.Kind {
	case Conv:
		return l.Height * l.Width * in.Channels
	case Dense:
		return in.Size()
	}
	return 0
}

// inExtent reports whether all of ns are between 1 and maxExtent.
func inExtent(ns ...int) bool {
	for _, n := range ns {
		if n < 1 || n > maxExtent {
			return false
		}
	}
	return true
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
