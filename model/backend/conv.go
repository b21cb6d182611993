package backend

import (
	"slices"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/shapeinference"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
)

// The two orders of axes that a two-dimensional convolution of
// [batch, height, width, channels] and its gradients need: GoMLX writes the
// gradient of the kernel as a convolution whose batch are the input channels
// and whose kernel is the output's gradient.
var (
	imageInput  = []int{0, 1, 2, 3} // batch, spatial, spatial, channels
	channelWise = []int{3, 1, 2, 0}
	kernelWise  = []int{2, 0, 1, 3}
)

// ConvGeneral implements backends.Builder. Convolutions of float32 images with
// channels last, and their gradients, have own kernels; the others are
// simplego's.
func (b *Builder) ConvGeneral(input, kernel backends.Op, axes backends.ConvolveAxesConfig, strides []int, paddings [][2]int,
	inputDilations, kernelDilations []int, channelGroups, batchGroups int) (backends.Op, error) {
	v, err := b.values(input, kernel)
	if err != nil {
		return nil, err
	}
	spatial := v[0].shape.Rank() - 2
	if len(strides) == 0 {
		strides = ones(spatial)
	}
	if v[0].shape.DType == dtypes.Float32 && spatial == 2 && channelGroups <= 1 && batchGroups <= 1 {
		out, err := shapeinference.ConvGeneralOp(v[0].shape, v[1].shape, axes, strides, paddings, inputDilations, kernelDilations, 1, 1)
		if err != nil {
			return nil, err
		}
		p := convParams{input: v[0].shape.Dimensions, kernel: v[1].shape.Dimensions, out: out.Dimensions, axes: axes, strides: strides, paddings: paddings}
		p.inputDilations, p.kernelDilations = inputDilations, kernelDilations
		if k := p.choose(); k != nil {
			return b.kernel(k, out.Dimensions, v...)
		}
	}
	return b.emit(func(s backends.Builder, in []backends.Op) (backends.Op, error) {
		return s.ConvGeneral(in[0], in[1], axes, strides, paddings, inputDilations, kernelDilations, channelGroups, batchGroups)
	}, input, kernel)
}

// convParams is a convolution with two spatial axes as GoMLX asks for it.
type convParams struct {
	input, kernel, out              []int
	axes                            backends.ConvolveAxesConfig
	strides                         []int
	paddings                        [][2]int
	inputDilations, kernelDilations []int
}

// choose returns the kernel for the convolution, or nil if there is none.
func (p *convParams) choose() kernel {
	a := &p.axes
	in := axisOrder(a.InputBatch, a.InputSpatial, a.InputChannels)
	kernel := axisOrder(a.KernelInputChannels, a.KernelSpatial, a.KernelOutputChannels)
	out := axisOrder(a.OutputBatch, a.OutputSpatial, a.OutputChannels)
	switch {
	case slices.Equal(in, imageInput) && slices.Equal(out, imageInput) && allOnes(p.kernelDilations):
		return newConv(p)
	case slices.Equal(in, channelWise) && slices.Equal(kernel, imageInput) && slices.Equal(out, kernelWise) &&
		allOnes(p.strides) && allOnes(p.inputDilations):
		return newConvGradient(p)
	}
	return nil
}

func axisOrder(first int, spatial []int, last int) []int {
	return append(append([]int{first}, spatial...), last)
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

func allOnes(x []int) bool {
	return !slices.ContainsFunc(x, func(n int) bool { return n != 1 })
}

// or returns x, or n ones if x is empty.
func or(x []int, n int) []int {
	if len(x) == 0 {
		return ones(n)
	}
	return x
}

// frame is scratch memory for one image with its padding: rows x columns x
// channels. Between the elements of a dilated image, and around it, are zeros.
type frame struct {
	height, width, channels int // of the image
	rows, columns           int // of the frame
	top, left               int // where the image starts; can be negative
	stepY, stepX            int // from one of its elements to the next
	data                    []float32
}

// fill copies an image into the frame. What falls outside is left out.
func (f *frame) fill(image []float32) {
	for y := range f.height {
		row := y*f.stepY + f.top
		if row < 0 || row >= f.rows {
			continue
		}
		source := image[y*f.width*f.channels:][:f.width*f.channels]
		target := f.data[row*f.columns*f.channels:][:f.columns*f.channels]
		if f.stepX == 1 && f.left >= 0 && f.left+f.width <= f.columns {
			copy(target[f.left*f.channels:], source)
			continue
		}
		for x := range f.width {
			if column := x*f.stepX + f.left; column >= 0 && column < f.columns {
				copy(target[column*f.channels:], source[x*f.channels:][:f.channels])
			}
		}
	}
}

// row returns the frame from the start of a row on.
func (f *frame) row(i int) []float32 { return f.data[i*f.columns*f.channels:] }

// image returns image i of a batch.
func (f *frame) image(batch []float32, i int) []float32 {
	size := f.height * f.width * f.channels
	return batch[i*size:][:size]
}

// conv is a convolution of images: input [batch, height, width, channels] and
// output [batch, height, width, channels], the kernel in any order of axes.
// Each output row is the sum, over the kernel's rows, of one matrix product:
// in a padded row the taps of a window are contiguous.
type conv struct {
	frame
	batch                         int
	kernelHeight, kernelWidth     int
	outHeight, outWidth, outDepth int
	strideY, strideX              int
	kernelSteps                   [4]int    // between the kernel's elements: height, width, input channel, output channel
	packed                        []float32 // the kernel as [height, width, input channel, output channel]
}

func newConv(p *convParams) *conv {
	c := &conv{
		batch:        p.input[0],
		kernelHeight: p.kernel[p.axes.KernelSpatial[0]], kernelWidth: p.kernel[p.axes.KernelSpatial[1]],
		outHeight: p.out[1], outWidth: p.out[2], outDepth: p.out[3],
		strideY: p.strides[0], strideX: p.strides[1],
	}
	steps := []int{p.kernel[1] * p.kernel[2] * p.kernel[3], p.kernel[2] * p.kernel[3], p.kernel[3], 1}
	for i, axis := range []int{p.axes.KernelSpatial[0], p.axes.KernelSpatial[1], p.axes.KernelInputChannels, p.axes.KernelOutputChannels} {
		c.kernelSteps[i] = steps[axis]
	}
	c.packed = make([]float32, p.kernel[0]*p.kernel[1]*p.kernel[2]*p.kernel[3])
	c.frame = newFrame(p.input[1:], p.paddings, or(p.inputDilations, 2),
		(c.outHeight-1)*c.strideY+c.kernelHeight, (c.outWidth-1)*c.strideX+c.kernelWidth)
	return c
}

// newFrame returns the frame for images of the given extents.
func newFrame(extents []int, paddings [][2]int, dilations []int, rows, columns int) frame {
	f := frame{height: extents[0], width: extents[1], channels: extents[2], rows: rows, columns: columns,
		stepY: dilations[0], stepX: dilations[1]}
	if len(paddings) > 0 {
		f.top, f.left = paddings[0][0], paddings[1][0]
	}
	f.data = make([]float32, rows*columns*f.channels)
	return f
}

// run implements kernel.
func (c *conv) run(out []float32, in [][]float32) {
	clear(out)
	c.pack(in[1])
	depth := c.kernelWidth * c.channels
	rowSize := c.outWidth * c.outDepth
	for i := range c.batch {
		c.fill(c.image(in[0], i))
		for y := range c.outHeight {
			target := out[(i*c.outHeight+y)*rowSize:][:rowSize]
			for k := range c.kernelHeight {
				matmul(c.outWidth, c.outDepth, depth,
					c.row(y*c.strideY+k), c.strideX*c.channels, 1,
					c.packed[k*depth*c.outDepth:], c.outDepth,
					target, c.outDepth)
			}
		}
	}
}

// pack copies the kernel into the order in which run reads it.
func (c *conv) pack(kernel []float32) {
	s := c.kernelSteps
	n := 0
	for y := range c.kernelHeight {
		for x := range c.kernelWidth {
			for i := range c.channels {
				for o := range c.outDepth {
					c.packed[n] = kernel[y*s[0]+x*s[1]+i*s[2]+o*s[3]]
					n++
				}
			}
		}
	}
}

// convGradient is the gradient of a convolution's kernel: operands are the
// convolution's input [batch, height, width, channels] and the gradient of its
// output, in the same order; the result is [height, width, input channel,
// output channel].
type convGradient struct {
	frame
	batch                         int
	kernelHeight, kernelWidth     int
	outHeight, outWidth, outDepth int // of the convolution
	strideY, strideX              int // of the convolution
}

func newConvGradient(p *convParams) *convGradient {
	dilations := or(p.kernelDilations, 2)
	c := &convGradient{
		batch:        p.input[0],
		kernelHeight: p.out[0], kernelWidth: p.out[1],
		outHeight: p.kernel[1], outWidth: p.kernel[2], outDepth: p.kernel[3],
		strideY: dilations[0], strideX: dilations[1],
	}
	c.frame = newFrame(p.input[1:], p.paddings, ones(2),
		(c.outHeight-1)*c.strideY+c.kernelHeight, (c.outWidth-1)*c.strideX+c.kernelWidth)
	return c
}

// run implements kernel.
func (c *convGradient) run(out []float32, in [][]float32) {
	clear(out)
	depth := c.kernelWidth * c.channels
	rowSize := c.outWidth * c.outDepth
	for i := range c.batch {
		c.fill(c.image(in[0], i))
		for y := range c.outHeight {
			gradient := in[1][(i*c.outHeight+y)*rowSize:][:rowSize]
			for k := range c.kernelHeight {
				matmul(depth, c.outDepth, c.outWidth,
					c.row(y*c.strideY+k), 1, c.strideX*c.channels,
					gradient, c.outDepth,
					out[k*depth*c.outDepth:], c.outDepth)
			}
		}
	}
}
