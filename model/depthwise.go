package model

import (
	"math"

	. "github.com/gomlx/gomlx/pkg/core/graph"
)

// A depthwise convolution sees one input channel for each output: output o sees
// channel o modulo the channels. It is trained as the full convolution that it
// is, with all other weights fixed at 0: they start there, and their gradient is
// masked. That takes the time of the full one, to compare what either learns.

// depthwiseMask returns 1 for the weights of a depthwise kernel of the given
// shape, [height, width, in, out], and 0 for those that are fixed.
func depthwiseMask(height, width, in, out int) []float32 {
	mask := make([]float32, height*width*in*out)
	for i := range mask {
		if i%out%in == i/out%in {
			mask[i] = 1
		}
	}
	return mask
}

// maskDepthwise returns the kernel of a depthwise convolution.
func maskDepthwise(kernel *Node) *Node {
	d := kernel.Shape().Dimensions
	mask := depthwiseMask(d[0], d[1], d[2], d[3])
	return Mul(kernel, Reshape(Const(kernel.Graph(), mask), d...))
}

// makeDepthwise fixes weights of a full convolution's first ones at 0, and
// scales the others up for as many inputs as are left.
func (f *Float) makeDepthwise(layer int) {
	l, in := f.Arch.Layers[layer], f.Arch.Shapes()[layer].Channels
	scale := float32(math.Sqrt(float64(in)))
	for i, m := range depthwiseMask(l.Height, l.Width, in, l.Out) {
		f.Layers[layer].Weights[i] *= m * scale
	}
}
