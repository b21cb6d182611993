package quant

import (
	"cmp"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// convNaive computes a convolution as TensorFlow defines it: on an input that is
// padded in fact, in float64, which holds these sums exactly.
func convNaive(src []uint8, l Layer, in Shape, p Params) []uint8 {
	out := l.Output(in)
	v := max(l.Stride, 1)
	h := cmp.Or(l.Across, v)
	padV, padH := max((out.Height-1)*v+l.Height-in.Height, 0), max((out.Width-1)*h+l.Width-in.Width, 0)
	padded := Shape{in.Height + padV, in.Width + padH, in.Channels}
	at := func(y, x, c int) int { return (y*padded.Width+x)*padded.Channels + c }
	values := make([]float64, padded.Size())
	for i, value := range src {
		y, x, c := i/in.Channels/in.Width, i/in.Channels%in.Width, i%in.Channels
		values[at(y+padV/2, x+padH/2, c)] = float64(value)
	}
	var result []uint8
	for y := range out.Height {
		for x := range out.Width {
			for o := range out.Channels {
				sum := float64(p.Bias[o])
				for k := range l.Height * l.Width * in.Channels {
					ky, kx, c := k/in.Channels/l.Width, k/in.Channels%l.Width, k%in.Channels
					sum += values[at(y*v+ky, x*h+kx, c)] * float64(p.Weights[k*out.Channels+o])
				}
				result = append(result, uint8(min(max(scaledExactly(int32(sum), p.Mult[o], p.Shift[o]), 0), 255)))
			}
		}
	}
	return result
}

// scaledExactly is scaled by its definition, in numbers of any size.
func scaledExactly(acc, mult int32, shift uint8) int64 {
	sum := new(big.Int).Mul(big.NewInt(int64(acc)), big.NewInt(int64(mult)))
	sum.Add(sum, new(big.Int).Lsh(big.NewInt(1), uint(shift-1)))
	return sum.Rsh(sum, uint(shift)).Int64()
}

// randomConv returns a small convolution and its input shape.
func randomConv(r *rand.Rand) (Layer, Shape) {
	in := Shape{1 + r.IntN(12), 1 + r.IntN(12), 1 + r.IntN(18)}
	return Layer{Kind: Conv, Height: 1 + r.IntN(5), Width: 1 + r.IntN(5), Stride: r.IntN(4), Across: r.IntN(6), Out: 1 + r.IntN(20)}, in
}

// saturate turns all weights to one end, so that accumulators go as far as they
// can.
func saturate(p Params, weight int8) Params {
	p.Weights = slices.Repeat([]int8{weight}, len(p.Weights))
	return p
}

func TestConvReference(t *testing.T) {
	r := newRand(4)
	for range 200 {
		l, in := randomConv(r)
		p := randomParams(r, l, in)
		src := randomMap(r, in.Size(), r.Float64(), 255)
		got := make([]uint8, l.Output(in).Size())
		convReference(got, src, l, in, p)
		if want := convNaive(src, l, in, p); !slices.Equal(got, want) {
			t.Fatalf("%v of %v: %v, want %v", l, in, got, want)
		}
	}
}

// checkConv compares every fast convolution with the reference, by itself and
// with a pool behind it.
func checkConv(t *testing.T, l Layer, in Shape, p Params, src []uint8) {
	t.Helper()
	out := l.Output(in)
	want := make([]uint8, out.Size())
	convReference(want, src, l, in, p)
	checkLayers(t, []Layer{l}, in, []Params{p}, src, want)

	pool := Layer{Kind: MaxPool, Height: 2, Width: 2}
	pooled := make([]uint8, pool.Output(out).Size())
	poolReference(pooled, want, pool, out)
	checkLayers(t, []Layer{l, pool}, in, []Params{p, {}}, src, pooled)
}

// checkLayers compares what each kernel set makes of layers with want.
func checkLayers(t *testing.T, layers []Layer, in Shape, params []Params, src, want []uint8) {
	t.Helper()
	arch := Arch{in, append(slices.Clone(layers), Layer{Kind: Dense, Out: 2})}
	head := randomParams(newRand(0), arch.Layers[len(layers)], arch.Shapes()[len(layers)])
	n, err := Build(arch, append(slices.Clone(params), head), Meta{Classes: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range kernelSets() {
		n.prepare(u)
		if got := runLayers(n, src); !slices.Equal(got, want) {
			t.Fatalf("%v: %v of %v: %v, reference %v", u, layers, in, got, want)
		}
	}
}

func TestConvMatchesReference(t *testing.T) {
	r := newRand(5)
	for range 1000 {
		l, in := randomConv(r)
		checkConv(t, l, in, randomParams(r, l, in), randomMap(r, in.Size(), r.Float64(), 255))
	}
}

// Rows of many tiles, of nearly empty maps.
func TestConvOfWideMaps(t *testing.T) {
	r := newRand(22)
	for range 300 {
		l, in := randomConv(r)
		in.Width = 1 + r.IntN(400)
		checkConv(t, l, in, randomParams(r, l, in), randomMap(r, in.Size(), 0.03*r.Float64(), 255))
	}
}

func TestConvAtTheLimits(t *testing.T) {
	// 255*127*66311 is just below 2^31.
	in := Shape{17, 15, 260}
	l := Layer{Kind: Conv, Height: 17, Width: 15, Out: 9}
	r := newRand(6)
	full := slices.Repeat([]uint8{255}, in.Size())
	for _, weight := range []int8{-127, 127} {
		p := saturate(randomParams(r, l, in), weight)
		for o := range p.Bias {
			p.Bias[o] = int32(math.MaxInt32-255*127*in.Size()) * int32(weight) / 127
			p.Mult[o], p.Shift[o] = math.MaxInt32, uint8(50+o)
		}
		checkConv(t, l, in, p, full)
	}
	// Neighbours with opposite signs share a word.
	p := randomParams(r, l, in)
	for i := range p.Weights {
		p.Weights[i] = int8(127 - 254*(i%l.Out%2))
	}
	checkConv(t, l, in, p, full)
}

func FuzzConv(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(7), uint8(3), uint8(3), uint8(3), uint8(1), uint8(9), uint8(128))
	f.Add(uint64(2), uint8(1), uint8(1), uint8(8), uint8(4), uint8(2), uint8(3), uint8(1), uint8(255))
	f.Add(uint64(3), uint8(9), uint8(2), uint8(17), uint8(1), uint8(5), uint8(0), uint8(16), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, height, width, channels, kh, kw, stride, out, density uint8) {
		extent := func(n uint8) int { return 1 + int(n)%20 }
		in := Shape{extent(height), extent(width), extent(channels)}
		l := Layer{Kind: Conv, Height: 1 + int(kh)%7, Width: 1 + int(kw)%7, Stride: int(stride) % 6, Across: int(stride) / 6 % 6, Out: extent(out)}
		r := newRand(seed)
		checkConv(t, l, in, randomParams(r, l, in), randomMap(r, in.Size(), float64(density)/255, 255))
	})
}
