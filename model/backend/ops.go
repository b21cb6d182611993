package backend

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// The operations below are handed on to simplego. backends.Builder says what
// each of them does; those that are missing return an error.

// unary records an operation with one operand and no parameters.
func (b *Builder) unary(f func(backends.Builder, backends.Op) (backends.Op, error), x backends.Op) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) { return f(s, in[0]) }, x)
}

// binary records an operation with two operands and no parameters.
func (b *Builder) binary(f func(_ backends.Builder, x, y backends.Op) (backends.Op, error), x, y backends.Op) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) { return f(s, in[0], in[1]) }, x, y)
}

// axes records an operation with one operand and a list of axes or extents.
func (b *Builder) axes(f func(_ backends.Builder, x backends.Op, axes ...int) (backends.Op, error), x backends.Op, axes []int) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) { return f(s, in[0], axes...) }, x)
}

// Abs implements backends.Builder.
func (b *Builder) Abs(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Abs, x)
}

// Ceil implements backends.Builder.
func (b *Builder) Ceil(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Ceil, x)
}

// Cos implements backends.Builder.
func (b *Builder) Cos(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Cos, x)
}

// Erf implements backends.Builder.
func (b *Builder) Erf(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Erf, x)
}

// Exp implements backends.Builder.
func (b *Builder) Exp(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Exp, x)
}

// Expm1 implements backends.Builder.
func (b *Builder) Expm1(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Expm1, x)
}

// Floor implements backends.Builder.
func (b *Builder) Floor(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Floor, x)
}

// Identity implements backends.Builder.
func (b *Builder) Identity(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Identity, x)
}

// IsFinite implements backends.Builder.
func (b *Builder) IsFinite(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.IsFinite, x)
}

// IsNaN implements backends.Builder.
func (b *Builder) IsNaN(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.IsNaN, x)
}

// Log implements backends.Builder.
func (b *Builder) Log(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Log, x)
}

// Log1p implements backends.Builder.
func (b *Builder) Log1p(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Log1p, x)
}

// LogicalNot implements backends.Builder.
func (b *Builder) LogicalNot(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.LogicalNot, x)
}

// Logistic implements backends.Builder.
func (b *Builder) Logistic(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Logistic, x)
}

// Neg implements backends.Builder.
func (b *Builder) Neg(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Neg, x)
}

// Round implements backends.Builder.
func (b *Builder) Round(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Round, x)
}

// Rsqrt implements backends.Builder.
func (b *Builder) Rsqrt(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Rsqrt, x)
}

// Sign implements backends.Builder.
func (b *Builder) Sign(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Sign, x)
}

// Sin implements backends.Builder.
func (b *Builder) Sin(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Sin, x)
}

// Sqrt implements backends.Builder.
func (b *Builder) Sqrt(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Sqrt, x)
}

// Tanh implements backends.Builder.
func (b *Builder) Tanh(x backends.Op) (backends.Op, error) {
	return b.unary(backends.Builder.Tanh, x)
}

// Div implements backends.Builder.
func (b *Builder) Div(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.Div, x, y)
}

// Equal implements backends.Builder.
func (b *Builder) Equal(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.Equal, x, y)
}

// GreaterOrEqual implements backends.Builder.
func (b *Builder) GreaterOrEqual(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.GreaterOrEqual, x, y)
}

// GreaterThan implements backends.Builder.
func (b *Builder) GreaterThan(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.GreaterThan, x, y)
}

// LessOrEqual implements backends.Builder.
func (b *Builder) LessOrEqual(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.LessOrEqual, x, y)
}

// LessThan implements backends.Builder.
func (b *Builder) LessThan(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.LessThan, x, y)
}

// LogicalAnd implements backends.Builder.
func (b *Builder) LogicalAnd(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.LogicalAnd, x, y)
}

// LogicalOr implements backends.Builder.
func (b *Builder) LogicalOr(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.LogicalOr, x, y)
}

// NotEqual implements backends.Builder.
func (b *Builder) NotEqual(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.NotEqual, x, y)
}

// Pow implements backends.Builder.
func (b *Builder) Pow(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.Pow, x, y)
}

// Rem implements backends.Builder.
func (b *Builder) Rem(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.Rem, x, y)
}

// Sub implements backends.Builder.
func (b *Builder) Sub(x, y backends.Op) (backends.Op, error) {
	return b.binary(backends.Builder.Sub, x, y)
}

// ReduceMax implements backends.Builder.
func (b *Builder) ReduceMax(x backends.Op, axes ...int) (backends.Op, error) {
	return b.axes(backends.Builder.ReduceMax, x, axes)
}

// ReduceMin implements backends.Builder.
func (b *Builder) ReduceMin(x backends.Op, axes ...int) (backends.Op, error) {
	return b.axes(backends.Builder.ReduceMin, x, axes)
}

// Reshape implements backends.Builder.
func (b *Builder) Reshape(x backends.Op, axes ...int) (backends.Op, error) {
	return b.axes(backends.Builder.Reshape, x, axes)
}

// Transpose implements backends.Builder.
func (b *Builder) Transpose(x backends.Op, axes ...int) (backends.Op, error) {
	return b.axes(backends.Builder.Transpose, x, axes)
}

// ArgMinMax implements backends.Builder.
func (b *Builder) ArgMinMax(x backends.Op, axis int, dtype dtypes.DType, isMin bool) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.ArgMinMax(in[0], axis, dtype, isMin)
	}, x)
}

// BroadcastInDim implements backends.Builder.
func (b *Builder) BroadcastInDim(x backends.Op, shape shapes.Shape, axes []int) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.BroadcastInDim(in[0], shape, axes)
	}, x)
}

// Clamp implements backends.Builder.
func (b *Builder) Clamp(low, x, high backends.Op) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.Clamp(in[0], in[1], in[2])
	}, low, x, high)
}

// Concatenate implements backends.Builder.
func (b *Builder) Concatenate(axis int, operands ...backends.Op) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.Concatenate(axis, in...)
	}, operands...)
}

// ConvertDType implements backends.Builder.
func (b *Builder) ConvertDType(x backends.Op, dtype dtypes.DType) (backends.Op, error) {
	if v, ok := x.(*value); ok && v.shape.DType == dtype {
		return x, nil
	}
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.ConvertDType(in[0], dtype)
	}, x)
}

// Gather implements backends.Builder.
func (b *Builder) Gather(x, starts backends.Op, indexVectorAxis int,
	offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes []int, sorted bool) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.Gather(in[0], in[1], indexVectorAxis, offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes, sorted)
	}, x, starts)
}

// Iota implements backends.Builder.
func (b *Builder) Iota(shape shapes.Shape, axis int) (backends.Op, error) {
	return b.emit(func(s backends.Builder, _ []backends.Op) (backends.Op, error) {
		return s.Iota(shape, axis)
	})
}

// RNGBitGenerator implements backends.Builder.
func (b *Builder) RNGBitGenerator(state backends.Op, shape shapes.Shape) (newState, values backends.Op, err error) {
	out, err := b.add(&record{emit: func(s backends.Builder, in []backends.Op) ([]backends.Op, error) {
		newState, values, err := s.RNGBitGenerator(in[0], shape)
		return []backends.Op{newState, values}, err
	}}, state)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// Slice implements backends.Builder.
func (b *Builder) Slice(x backends.Op, starts, limits, strides []int) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.Slice(in[0], starts, limits, strides)
	}, x)
}

// Where implements backends.Builder.
func (b *Builder) Where(condition, onTrue, onFalse backends.Op) (backends.Op, error) {
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.Where(in[0], in[1], in[2])
	}, condition, onTrue, onFalse)
}
