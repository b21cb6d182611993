package backend

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"
)

func newBackend(t testing.TB) *Backend {
	t.Helper()
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// oracle returns simplego alone.
func oracle(t testing.TB) backends.Backend {
	t.Helper()
	b, err := simplego.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func random(r *rand.Rand, dims ...int) *tensors.Tensor {
	x := tensors.FromShape(shapes.Make(dtypes.Float32, dims...))
	tensors.MustMutableFlatData(x, func(flat []float32) {
		for i := range flat {
			flat[i] = float32(r.NormFloat64())
		}
	})
	return x
}

// execute runs the computation that f builds on a backend.
func execute(t *testing.T, b backends.Backend, f any, in ...*tensors.Tensor) []*tensors.Tensor {
	t.Helper()
	args := make([]any, len(in))
	for i, x := range in { // a tensor stays with its first backend
		clone, err := x.LocalClone()
		if err != nil {
			t.Fatal(err)
		}
		args[i] = clone
	}
	return MustNewExecAny(b, f).MustExec(args...)
}

// same fails the test unless this backend and simplego agree on f.
func same(t *testing.T, f any, in ...*tensors.Tensor) {
	t.Helper()
	got, want := execute(t, newBackend(t), f, in...), execute(t, oracle(t), f, in...)
	for i := range want {
		near(t, got[i], want[i])
	}
}

func flat(x *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](x) }

// near fails the test unless got and want differ by rounding only.
func near(t *testing.T, got, want *tensors.Tensor) {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Fatalf("shape %s, want %s", got.Shape(), want.Shape())
	}
	g, w := flat(got), flat(want)
	for i := range g {
		if d := math.Abs(float64(g[i] - w[i])); !(d <= 1e-4*(1+math.Abs(float64(w[i])))) {
			t.Fatalf("element %d is %g, want %g", i, g[i], w[i])
		}
	}
}

func TestMatmulVectorMatchesPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for range 300 {
		m, n, k := 1+r.IntN(20), 1+r.IntN(40), 1+r.IntN(30)
		ra, ca := k+r.IntN(3), 1
		if r.IntN(2) == 0 {
			ra, ca = 1, m+r.IntN(3)
		}
		ldb, ldc := n+r.IntN(3), n+r.IntN(3)
		a, b, c := values((m-1)*ra+(k-1)*ca+1), values((k-1)*ldb+n), values((m-1)*ldc+n)
		want := append([]float32(nil), c...)
		matmul(m, n, k, a, ra, ca, b, ldb, c, ldc)
		matmulPlain(m, n, k, a, ra, ca, b, ldb, want, ldc)
		for i := range c {
			if math.Float32bits(c[i]) != math.Float32bits(want[i]) {
				t.Fatalf("m %d n %d k %d: element %d is %g, plain %g", m, n, k, i, c[i], want[i])
			}
		}
	}
}

func TestConvolutionMatchesSimplego(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 40 {
		h, w, in, out := 1+r.IntN(9), 1+r.IntN(9), 1+r.IntN(5), 1+r.IntN(20)
		kh, kw, sv, sh := 1+r.IntN(3), 1+r.IntN(5), 1+r.IntN(3), 1+r.IntN(3)
		pad := [][2]int{{r.IntN(3), kh}, {r.IntN(3), kw}}
		x, k := random(r, 2, h, w, in), random(r, kh, kw, in, out)
		f := func(x, k *Node) *Node {
			return Convolve(x, k).StridePerAxis(sv, sh).PaddingPerDim(pad).Done()
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			same(t, f, x, k)
		})
	}
}

func TestMaxPoolMatchesSimplego(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 20 {
		x := random(r, 2, 3+r.IntN(9), 3+r.IntN(9), 1+r.IntN(9))
		wv, wh, sv, sh := 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(3)
		pad := [][2]int{{r.IntN(wv), r.IntN(wv)}, {r.IntN(wh), r.IntN(wh)}}
		f := func(x *Node) *Node {
			return MaxPool(x).WindowPerAxis(wv, wh).StridePerAxis(sv, sh).PaddingPerDim(pad).Done()
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			same(t, f, x)
		})
	}
}

func TestOperationsMatchSimplego(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	x, y := random(r, 5, 7), random(r, 7, 19)
	for name, f := range map[string]func(x, y *Node) *Node{
		"dot":              func(x, y *Node) *Node { return Dot(x, y) },
		"dot transposed":   func(x, y *Node) *Node { return DotGeneral(y, []int{0}, nil, x, []int{1}, nil) },
		"dot batched":      func(x, y *Node) *Node { return DotGeneral(x, nil, []int{1}, y, nil, []int{0}) },
		"bias":             func(x, y *Node) *Node { return Add(y, Reshape(ReduceSum(y, 0), 1, 19)) },
		"bias of one axis": func(x, y *Node) *Node { return Add(ReduceSum(y, 0), ReduceMax(y, 0)) },
		"scalar left":      func(x, y *Node) *Node { return Mul(Scalar(x.Graph(), dtypes.Float32, 3), x) },
		"scalar sum":       func(x, y *Node) *Node { return Add(Scalar(x.Graph(), dtypes.Float32, 3), x) },
		"sum of rows":      func(x, y *Node) *Node { return ReduceSum(y, 0) },
		"sum of columns":   func(x, y *Node) *Node { return ReduceSum(y, 1) },
		"sum of all":       func(x, y *Node) *Node { return ReduceAllSum(y) },
		"constant":         func(x, y *Node) *Node { return Iota(x.Graph(), shapes.Make(dtypes.Float32, 4), 0) },
		"input":            func(x, y *Node) *Node { return y },
	} {
		t.Run(name, func(t *testing.T) {
			same(t, f, x, y)
		})
	}
}

func TestReverse(t *testing.T) {
	x := tensors.FromValue([][]float32{{1, 2, 3}, {4, 5, 6}})
	got := execute(t, newBackend(t), func(x *Node) *Node { return Reverse(x, 0, 1) }, x)[0]
	near(t, got, tensors.FromValue([][]float32{{6, 5, 4}, {3, 2, 1}}))
}

// A computation whose output feeds kernels and simplego's operations alike, and
// comes out twice, must get through the bookkeeping of buffers unharmed.
func TestSharedValues(t *testing.T) {
	f := func(x, y *Node) []*Node {
		d := Dot(x, y)
		e := Add(d, Exp(d))
		return []*Node{Dot(e, Transpose(y, 0, 1)), e, d, x, e}
	}
	r := rand.New(rand.NewPCG(9, 10))
	same(t, f, random(r, 3, 4), random(r, 4, 5))
}

// The gradient of a kernel is a convolution with exchanged axes. (That GoMLX's
// gradients as a whole are right is checked in package model, with finite
// differences of a plain float64 network.)
func TestKernelGradientMatchesSimplego(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	axes := backends.ConvolveAxesConfig{
		InputBatch: 3, InputChannels: 0, InputSpatial: []int{1, 2},
		KernelInputChannels: 0, KernelOutputChannels: 3, KernelSpatial: []int{1, 2},
		OutputBatch: 2, OutputChannels: 3, OutputSpatial: []int{0, 1},
	}
	for i := range 20 {
		batch, outH, outW := 1+r.IntN(3), 1+r.IntN(6), 1+r.IntN(6)
		kh, kw, dilation := 1+r.IntN(3), 1+r.IntN(5), 1+r.IntN(2)
		h, w := (outH-1)*dilation+kh, (outW-1)*dilation+kw // with padding
		top, left := r.IntN(kh), r.IntN(kw)
		if h-top < 1 || w-left < 1 {
			continue
		}
		x := random(r, batch, h-top, w-left, 1+r.IntN(5))
		gradient := random(r, batch, outH, outW, 1+r.IntN(20))
		f := func(x, gradient *Node) *Node {
			return ConvGeneral(x, gradient, axes, []int{1, 1}, [][2]int{{top, 0}, {left, 0}}, nil, []int{dilation, dilation}, 1, 1)
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) { same(t, f, x, gradient) })
	}
}

func TestMaxPoolGradient(t *testing.T) {
	x := tensors.FromFlatDataAndDimensions([]float32{
		1, 5, 5,
		2, 5, 0,
		7, 3, 4,
	}, 1, 3, 3, 1)
	got := execute(t, newBackend(t), func(x *Node) *Node {
		y := MaxPool(x).Window(2).Strides(1).PaddingPerDim([][2]int{{0, 1}, {0, 0}}).Done()
		weights := IotaFull(y.Graph(), y.Shape()) // 0 to 5, one for each window
		return Gradient(ReduceAllSum(Mul(y, weights)), x)[0]
	}, x)[0]
	// Ties go to the first in the window, and overlapping windows add up.
	near(t, got, tensors.FromFlatDataAndDimensions([]float32{
		0, 1, 0,
		0, 3, 0,
		6, 0, 5,
	}, 1, 3, 3, 1))
}

func TestForeignOperand(t *testing.T) {
	b := newBackend(t).Builder("test")
	if _, err := b.Add("no operand", "either"); !errors.Is(err, errForeignOp) {
		t.Errorf("error %v, want %v", err, errForeignOp)
	}
}

func BenchmarkMatmul(b *testing.B) {
	for _, c := range []struct{ m, n, k int }{{48, 8, 72}, {24, 16, 72}, {64, 64, 768}} {
		b.Run(fmt.Sprintf("%dx%dx%d", c.m, c.n, c.k), func(b *testing.B) {
			x, y, z := make([]float32, c.m*c.k), make([]float32, c.k*c.n), make([]float32, c.m*c.n)
			for b.Loop() {
				matmul(c.m, c.n, c.k, x, c.k, 1, y, c.n, z, c.n)
			}
			b.ReportMetric(float64(c.m*c.n*c.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
