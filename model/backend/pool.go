package backend

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/notimplemented"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// ReduceWindow implements backends.Builder. Maximum pools of float32 images
// with channels last have an own kernel; the others are simplego's.
func (b *Builder) ReduceWindow(x backends.Op, reduction backends.ReduceOpType, window, strides, baseDilations, windowDilations []int,
	paddings [][2]int) (backends.Op, error) {
	v, err := b.values(x)
	if err != nil {
		return nil, err
	}
	if reduction == backends.ReduceOpMax && allOnes(baseDilations) && allOnes(windowDilations) {
		out, err := shapeinference.ReduceWindowOp(v[0].shape, window, strides, baseDilations, windowDilations, paddings)
		if err != nil {
			return nil, err
		}
		if p := newPool(v[0].shape, out, window, strides, paddings); p != nil {
			return b.kernel(maxPool{p}, out.Dimensions, v[0])
		}
	}
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.ReduceWindow(in[0], reduction, window, strides, baseDilations, windowDilations, paddings)
	}, x)
}

// SelectAndScatterMax implements backends.Builder for float32 images with
// channels last: it is the gradient of a maximum pool.
func (b *Builder) SelectAndScatterMax(operand, source backends.Op, window, strides []int, paddings [][2]int) (backends.Op, error) {
	v, err := b.values(operand, source)
	if err != nil {
		return nil, err
	}
	p := newPool(v[0].shape, v[1].shape, window, strides, paddings)
	if p == nil {
		return nil, fmt.Errorf("gradient of a maximum pool of %s with window %v: %w", v[0].shape, window, notimplemented.NotImplementedError)
	}
	return b.kernel(&maxPoolGradient{pool: p}, v[0].shape.Dimensions, v...)
}

// pool is the geometry of a pool of images [batch, height, width, channels].
type pool struct {
	batch, height, width, channels int
	outHeight, outWidth            int
	windowY, windowX               int
	strideY, strideX               int
	top, left                      int // padding
}

// newPool returns nil unless the pool is one of float32 images over the two
// spatial axes.
func newPool(in, out shapes.Shape, window, strides []int, paddings [][2]int) *pool {
	if in.DType != dtypes.Float32 || in.Rank() != 4 || window[0] != 1 || window[3] != 1 {
		return nil
	}
	if len(strides) == 0 {
		strides = window
	}
	p := &pool{
		batch: in.Dimensions[0], height: in.Dimensions[1], width: in.Dimensions[2], channels: in.Dimensions[3],
		outHeight: out.Dimensions[1], outWidth: out.Dimensions[2],
		windowY: window[1], windowX: window[2], strideY: strides[1], strideX: strides[2],
	}
	if len(paddings) > 0 {
		p.top, p.left = paddings[1][0], paddings[2][0]
	}
	if strides[0] != 1 || strides[3] != 1 || p.batch != out.Dimensions[0] || p.channels != out.Dimensions[3] {
		return nil
	}
	return p
}

// cells calls f for each output cell with the index of its first channel in
// the output and the part of its window that lies inside the image: rows y0 to
// y1, columns x0 to x1, ends excluded.
func (p *pool) cells(f func(image, out, y0, y1, x0, x1 int)) {
	out := 0
	for i := range p.batch {
		image := i * p.height * p.width * p.channels
		for y := range p.outHeight {
			top := y*p.strideY - p.top
			for x := range p.outWidth {
				left := x*p.strideX - p.left
				f(image, out, max(top, 0), min(top+p.windowY, p.height), max(left, 0), min(left+p.windowX, p.width))
				out += p.channels
			}
		}
	}
}

// maxPool is the maximum of each window; the padding never wins, and a window
// that holds nothing else gives -Inf.
type maxPool struct{ *pool }

// run implements kernel.
func (p maxPool) run(out []float32, in [][]float32) {
	lowest := float32(math.Inf(-1))
	p.cells(func(image, cell, y0, y1, x0, x1 int) {
		best := out[cell:][:p.channels]
		for c := range best {
			best[c] = lowest
		}
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				for c, v := range in[0][image+(y*p.width+x)*p.channels:][:len(best)] {
					best[c] = max(best[c], v)
				}
			}
		}
	})
}

// maxPoolGradient hands the gradient of each output on to the window's largest
// element, the first one if there are several. Operands are the pool's input
// and the gradient of its output.
type maxPoolGradient struct {
	*pool
	best []float32 // by channel
	at   []int     // by channel: index of the largest element
}

// run implements kernel.
func (p *maxPoolGradient) run(out []float32, in [][]float32) {
	clear(out)
	p.best, p.at = make([]float32, p.channels), make([]int, p.channels)
	lowest := float32(math.Inf(-1))
	p.cells(func(image, cell, y0, y1, x0, x1 int) {
		best, at := p.best, p.at[:len(p.best)]
		for c := range best {
			best[c], at[c] = lowest, -1
		}
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				first := image + (y*p.width+x)*p.channels
				for c, v := range in[0][first:][:len(best)] {
					if v > best[c] {
						best[c], at[c] = v, first+c
					}
				}
			}
		}
		for c, gradient := range in[1][cell:][:len(at)] {
			if at[c] >= 0 {
				out[at[c]] += gradient
			}
		}
	})
}
