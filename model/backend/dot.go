package backend

import (
	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// Dot implements backends.Builder.
func (b *Builder) Dot(lhs, rhs backends.Op) (backends.Op, error) {
	v, err := b.values(lhs, rhs)
	if err != nil {
		return nil, err
	}
	if v[0].shape.Rank() == 2 && v[1].shape.Rank() == 2 {
		return b.DotGeneral(lhs, []int{1}, nil, rhs, []int{0}, nil)
	}
	return b.binary(backends.Builder.Dot, lhs, rhs)
}

// DotGeneral implements backends.Builder. Products of two float32 matrices,
// transposed or not, have an own kernel; the others are simplego's.
func (b *Builder) DotGeneral(lhs backends.Op, lhsContracting, lhsBatch []int, rhs backends.Op, rhsContracting, rhsBatch []int) (backends.Op, error) {
	v, err := b.values(lhs, rhs)
	if err != nil {
		return nil, err
	}
	left, right := v[0].shape, v[1].shape
	matrices := left.DType == dtypes.Float32 && right.DType == dtypes.Float32 && left.Rank() == 2 && right.Rank() == 2
	if !matrices || len(lhsContracting) != 1 || len(rhsContracting) != 1 || len(lhsBatch) != 0 || len(rhsBatch) != 0 {
		return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
			return s.DotGeneral(in[0], lhsContracting, lhsBatch, in[1], rhsContracting, rhsBatch)
		}, lhs, rhs)
	}
	l, r := (lhsContracting[0]+2)%2, (rhsContracting[0]+2)%2
	p := &product{m: left.Dimensions[1-l], n: right.Dimensions[1-r], k: left.Dimensions[l]}
	if right.Dimensions[r] != p.k {
		return b.binary(backends.Builder.Dot, lhs, rhs) // simplego words the error
	}
	p.transposedLeft = l == 0
	if r == 1 {
		p.packed = make([]float32, p.k*p.n)
	}
	return b.kernel(p, []int{p.m, p.n}, v...)
}

// product is the matrix product of [m, k] and [k, n], each of which may lie
// transposed in memory.
type product struct {
	m, n, k        int
	transposedLeft bool
	packed         []float32 // if the right one is transposed: room for it
}

// run implements kernel.
func (p *product) run(out []float32, in [][]float32) {
	clear(out)
	ra, ca := p.k, 1
	if p.transposedLeft {
		ra, ca = 1, p.m
	}
	right := in[1]
	if p.packed != nil {
		for j := range p.n {
			for i, x := range right[j*p.k:][:p.k] {
				p.packed[i*p.n+j] = x
			}
		}
		right = p.packed
	}
	matmul(p.m, p.n, p.k, in[0], ra, ca, right, p.n, out, p.n)
}
