package model

import (
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// GoMLX's gradient of the product of [m, k] and [k, n] builds an array of
// m*k*n elements and adds it up along two axes. init replaces it with the two
// matrix products that it amounts to, which give the same for a small part of
// the work and memory.
func init() {
	original := VJPRegistration[NodeTypeDot]
	VJPRegistration[NodeTypeDot] = func(node *Node, gradients []*Node, shape shapes.Shape) []*Node {
		x, y := node.Inputs()[0], node.Inputs()[1]
		if x.Rank() != 2 || y.Rank() != 2 {
			return original(node, gradients, shape)
		}
		return []*Node{
			DotGeneral(gradients[0], []int{1}, nil, y, []int{1}, nil),
			DotGeneral(x, []int{0}, nil, gradients[0], []int{0}, nil),
		}
	}
}

// dense multiplies x, flattened to [batch, inputs], with the weights of layer
// i, [inputs, outputs].
func (f *forward) dense(x *Node, i int) *Node {
	if x.Rank() > 2 {
		x = Reshape(x, x.Shape().Dimensions[0], -1)
	}
	inputs, outputs := x.Shape().Dimensions[1], f.arch.Layers[i].Out
	return Dot(x, f.variable(x.Graph(), i, weightsName, inputs, outputs))
}
