package onnx

import (
	"math"
	"slices"
	"testing"
)

// evaluate computes a model that was read on one map, operator by operator as
// the standard defines them, from the shape of the map [height, width,
// channels].
func evaluate(t testing.TB, p parsed, cells []uint8, shape ...int) []int32 {
	t.Helper()
	values := map[string]tensor{inputName: {kind: 2, dims: append([]int{1}, shape...)}}
	in := values[inputName]
	for _, c := range cells {
		in.ints = append(in.ints, int64(c))
	}
	values[inputName] = in
	for name, c := range p.constants {
		values[name] = c
	}
	for _, n := range p.nodes {
		var args []tensor
		for _, name := range n.inputs {
			v, ok := values[name]
			if !ok {
				t.Fatalf("%s (%s) reads %s, which nothing before it makes", n.output, n.operator, name)
			}
			args = append(args, v)
		}
		values[n.output] = apply(t, n, args)
	}
	var logits []int32
	for _, v := range values[outputName].ints {
		logits = append(logits, int32(v))
	}
	return logits
}

// apply computes one node.
func apply(t testing.TB, n parsedNode, args []tensor) tensor {
	switch n.operator {
	case "Transpose":
		return transpose(args[0])
	case "QLinearConv":
		acc := convolve(n, args[0], args[3], args[5].ints[0])
		return each(acc, func(v int64, c int) int64 {
			// x_scale * w_scale / y_scale, in float32 as runtimes have it.
			scale := float32(args[1].floats[0]) * float32(args[4].floats[c]) / float32(args[6].floats[0])
			rounded := math.RoundToEven(float64(float32(v+args[8].ints[c]) * scale))
			return int64(min(max(rounded+float64(args[7].ints[0]), 0), 255))
		})
	case "ConvInteger":
		return convolve(n, args[0], args[1], 0)
	case "MaxPool":
		return pool(n, args[0])
	case "Clip":
		return each(args[0], func(v int64, _ int) int64 { return min(max(v, args[1].ints[0]), args[2].ints[0]) })
	case "Cast", "Flatten": // values fit the type and the batch is 1
		return args[0]
	}
	arithmetic := map[string]func(a, b int64) int64{
		"Add": func(a, b int64) int64 { return a + b },
		"Sub": func(a, b int64) int64 { return a - b },
		"Mul": func(a, b int64) int64 { return a * b },
		"Div": func(a, b int64) int64 { return a / b },
		"Mod": func(a, b int64) int64 { return ((a % b) + b) % b },
	}[n.operator]
	if arithmetic == nil {
		t.Fatalf("operator %s", n.operator)
	}
	if len(args[1].ints) == len(args[0].ints) {
		i := -1
		return each(args[0], func(v int64, _ int) int64 { i++; return arithmetic(v, args[1].ints[i]) })
	}
	return each(args[0], func(v int64, c int) int64 { return arithmetic(v, args[1].ints[c]) })
}

// each maps the values of x [1, channels, height, width], in order.
func each(x tensor, f func(v int64, channel int) int64) tensor {
	y := tensor{dims: x.dims, ints: slices.Clone(x.ints)}
	for i, v := range y.ints {
		y.ints[i] = f(v, i/(x.dims[2]*x.dims[3]))
	}
	return y
}

// transpose puts the channels first.
func transpose(x tensor) tensor {
	h, w, c := x.dims[1], x.dims[2], x.dims[3]
	y := tensor{dims: []int{1, c, h, w}, ints: make([]int64, len(x.ints))}
	for i, v := range x.ints {
		y.ints[i%c*h*w+i/c] = v
	}
	return y
}

// convolve returns the sums of a convolution without bias.
func convolve(n parsedNode, x, weights tensor, zero int64) tensor {
	outs, ins, kh, kw := weights.dims[0], weights.dims[1], weights.dims[2], weights.dims[3]
	return slide(n, x, outs, kh, kw, func(o int, at func(c, ky, kx int) (int64, bool)) int64 {
		var acc int64
		for c := range ins {
			for ky := range kh {
				for kx := range kw {
					v, _ := at(c, ky, kx)
					acc += v * (weights.ints[((o*ins+c)*kh+ky)*kw+kx] - zero)
				}
			}
		}
		return acc
	})
}

// pool returns the maximum of each window.
func pool(n parsedNode, x tensor) tensor {
	kh, kw := int(n.attributes["kernel_shape"][0]), int(n.attributes["kernel_shape"][1])
	return slide(n, x, x.dims[1], kh, kw, func(o int, at func(c, ky, kx int) (int64, bool)) int64 {
		largest := int64(math.MinInt64)
		for ky := range kh {
			for kx := range kw {
				if v, inside := at(o, ky, kx); inside {
					largest = max(largest, v)
				}
			}
		}
		return largest
	})
}

// slide moves a window over x and computes each output cell of it. What lies
// outside is 0.
func slide(n parsedNode, x tensor, outs, kh, kw int, cell func(o int, at func(c, ky, kx int) (int64, bool)) int64) tensor {
	h, w := x.dims[2], x.dims[3]
	pads, strides := n.attributes["pads"], n.attributes["strides"]
	sv, sh := int(strides[0]), int(strides[1])
	top, left := int(pads[0]), int(pads[1])
	height := (h+top+int(pads[2])-kh)/sv + 1
	width := (w+left+int(pads[3])-kw)/sh + 1
	y := tensor{dims: []int{1, outs, height, width}}
	for o := range outs {
		for row := range height {
			for col := range width {
				y.ints = append(y.ints, cell(o, func(c, ky, kx int) (int64, bool) {
					r, s := row*sv-top+ky, col*sh-left+kx
					if r < 0 || r >= h || s < 0 || s >= w {
						return 0, false
					}
					return x.ints[(c*h+r)*w+s], true
				}))
			}
		}
	}
	return y
}
