package backend

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// The operations of this file are simplego's, but where they show up in
// training (scalars on the left in the optimizer, biases, and the gradients of
// biases) it walks the axes element by element, which is ten times slower.

// Add implements backends.Builder. The sum of an array and a bias for its last
// axis has an own kernel.
func (b *Builder) Add(x, y backends.Op) (backends.Op, error) {
	v, err := b.values(x, y)
	if err != nil {
		return nil, err
	}
	if a, bias := v[0].shape, v[1].shape; isBias(a, bias) {
		return b.kernel(addBias{}, a.Dimensions, v...)
	}
	return b.commutative(backends.Builder.Add, v)
}

// Max implements backends.Builder.
func (b *Builder) Max(x, y backends.Op) (backends.Op, error) {
	v, err := b.values(x, y)
	if err != nil {
		return nil, err
	}
	return b.commutative(backends.Builder.Max, v)
}

// Min implements backends.Builder.
func (b *Builder) Min(x, y backends.Op) (backends.Op, error) {
	v, err := b.values(x, y)
	if err != nil {
		return nil, err
	}
	return b.commutative(backends.Builder.Min, v)
}

// Mul implements backends.Builder.
func (b *Builder) Mul(x, y backends.Op) (backends.Op, error) {
	v, err := b.values(x, y)
	if err != nil {
		return nil, err
	}
	return b.commutative(backends.Builder.Mul, v)
}

// commutative records an operation whose operands may change places: a single
// value goes to the right, where simplego looks for it.
func (b *Builder) commutative(f func(_ backends.Builder, x, y backends.Op) (backends.Op, error), v []*value) (backends.Op, error) {
	if v[0].shape.Size() == 1 && v[1].shape.Size() > 1 {
		v[0], v[1] = v[1], v[0]
	}
	return b.binary(f, v[0], v[1])
}

// ReduceSum implements backends.Builder. The sum over all axes of a float32
// array but the last has an own kernel.
func (b *Builder) ReduceSum(x backends.Op, axes ...int) (backends.Op, error) {
	v, err := b.values(x)
	if err != nil {
		return nil, err
	}
	if shape := v[0].shape; shape.DType == dtypes.Float32 && allButLast(axes, shape.Rank()) {
		return b.kernel(sumRows{}, shape.Dimensions[shape.Rank()-1:], v[0])
	}
	return b.axes(backends.Builder.ReduceSum, x, axes)
}

// isBias reports whether bias is of extent 1 in all axes of the float32 array x
// but the last.
func isBias(x, bias shapes.Shape) bool {
	last := x.Rank() - 1
	return x.DType == dtypes.Float32 && bias.DType == dtypes.Float32 && last >= 1 && bias.Rank() == x.Rank() &&
		bias.Size() == bias.Dimensions[last] && bias.Dimensions[last] == x.Dimensions[last] && x.Size() > bias.Size()
}

// allButLast reports whether axes holds all axes of an array but the last.
func allButLast(axes []int, rank int) bool {
	seen := make([]bool, rank)
	for _, axis := range axes {
		if axis < 0 || axis >= rank-1 || seen[axis] {
			return false
		}
		seen[axis] = true
	}
	return rank >= 2 && len(axes) == rank-1
}

// addBias adds its second operand to each row (the last axis) of its first.
type addBias struct{}

// run implements kernel.
func (addBias) run(out []float32, in [][]float32) {
	x, bias := in[0], in[1]
	for len(x) > 0 {
		row, sum := x[:len(bias)], out[:len(bias)]
		for i, b := range bias {
			sum[i] = row[i] + b
		}
		x, out = x[len(bias):], out[len(bias):]
	}
}

// sumRows adds up the rows (the last axis) of its operand, from the first to
// the last.
type sumRows struct{}

// run implements kernel.
func (sumRows) run(out []float32, in [][]float32) {
	clear(out)
	for x := in[0]; len(x) > 0; x = x[len(out):] {
		for i, y := range x[:len(out)] {
			out[i] += y
		}
	}
}
