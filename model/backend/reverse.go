package backend

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/notimplemented"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// Reverse implements backends.Builder for float32.
func (b *Builder) Reverse(x backends.Op, axes ...int) (backends.Op, error) {
	v, err := b.values(x)
	if err != nil {
		return nil, err
	}
	shape := v[0].shape
	if shape.DType != dtypes.Float32 {
		return nil, fmt.Errorf("reverse of %s: %w", shape, notimplemented.NotImplementedError)
	}
	r := &reverse{dims: shape.Dimensions, backwards: make([]bool, shape.Rank())}
	for _, axis := range axes {
		r.backwards[axis] = true
	}
	return b.kernel(r, shape.Dimensions, v[0])
}

// reverse copies an array and reverses the order along some of its axes.
type reverse struct {
	dims      []int
	backwards []bool // by axis
}

// run implements kernel.
func (r *reverse) run(out []float32, in [][]float32) { r.copy(out, in[0], 0) }

// copy copies the part of the array that the axes from axis on span.
func (r *reverse) copy(out, in []float32, axis int) {
	if axis == len(r.dims) {
		out[0] = in[0]
		return
	}
	n := r.dims[axis]
	size := len(in) / n
	for i := range n {
		j := i
		if r.backwards[axis] {
			j = n - 1 - i
		}
		r.copy(out[i*size:][:size], in[j*size:][:size], axis+1)
	}
}
