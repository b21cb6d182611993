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
// or the window of a pool; Stride is the step in both directions (0: 1 for a
// convolution, the window's own size for a pool); Out is the number of output
// channels of a convolution or outputs of a dense layer.
type Layer struct {
	Kind   LayerKind `json:"kind"`
	Height int       `json:"height,omitempty"`
	Width  int       `json:"width,omitempty"`
	Stride int       `json:"stride,omitempty"`
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
	switch {
	case l.Stride > 0:
		return l.Stride, l.Stride
	case l.Kind == MaxPool:
		return l.Height, l.Width
	}
	return 1, 1
}

// Output returns the shape that l makes of in. Convolutions and pools keep
// ("same" padding) and divide by the stride, rounding up, whatever the kernel:
// every input cell is seen.
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

// maxExtent bounds every extent of an architecture that is read from a file,
// so that no product of three overflows an int on 32-bit machines.
const maxExtent = 1024

// Validate reports the first thing that keeps a from being a network.
func (a Arch) Validate() error {
	ok := func(n int) bool { return n >= 1 && n <= maxExtent }
	if !ok(a.Input.Height) || !ok(a.Input.Width) || !ok(a.Input.Channels) {
		return fmt.Errorf("input shape %v: each extent must be 1 to %d", a.Input, maxExtent)
	}
	dense := false
	for i, l := range a.Layers {
		switch l.Kind {
		case Conv, MaxPool:
			if dense {
				return fmt.Errorf("layer %d: %s after a dense layer", i, l.Kind)
			}
			if !ok(l.Height) || !ok(l.Width) || l.Stride < 0 || l.Stride > maxExtent {
				return fmt.Errorf("layer %d: window %dx%d, stride %d out of range", i, l.Height, l.Width, l.Stride)
			}
		case Dense:
			dense = true
		default:
			return fmt.Errorf("layer %d: unknown kind %q", i, l.Kind)
		}
		if l.Kind != MaxPool && !ok(l.Out) {
			return fmt.Errorf("layer %d: %d outputs, must be 1 to %d", i, l.Out, maxExtent)
		}
	}
	if !dense {
		return fmt.Errorf("no dense layer at the end")
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
