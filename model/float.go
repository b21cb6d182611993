package model

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"edgescan/quant"
)

// Float is a trained network in float32.
type Float struct {
	Arch quant.Arch

	// Layers has an entry for each layer of Arch, an empty one for a pool.
	Layers []Weights

	// Temperature divides the logits: 1, or what Temperature found.
	Temperature float64
}

// Weights are the parameters of a layer: [height][width][in channel][out
// channel] of a convolution, [in][out] of a dense layer, whose inputs are in
// height, width, channel order; and one bias for each output.
type Weights struct {
	Weights []float32
	Biases  []float32
}

// fanIn returns the number of inputs of one output of layer l.
func fanIn(l quant.Layer, in quant.Shape) int {
	switch l.Kind {
	case quant.Conv:
		return l.Height * l.Width * in.Channels
	case quant.Dense:
		return in.Size()
	default:
		return 0
	}
}

// newFloat returns a network with random weights, normally distributed with a
// variance of 2/inputs (He and others, "Delving Deep into Rectifiers", 2015),
// and no biases.
func newFloat(arch quant.Arch, seed int64) *Float {
	f := &Float{Arch: arch, Layers: make([]Weights, len(arch.Layers)), Temperature: 1}
	in := arch.Shapes()
	for i, l := range arch.Layers {
		if l.Kind == quant.MaxPool {
			continue
		}
		r := rand.New(rand.NewPCG(uint64(seed), uint64(i)<<48))
		n := fanIn(l, in[i])
		w := make([]float32, n*l.Out)
		deviation := math.Sqrt(2 / float64(n))
		for j := range w {
			w[j] = float32(r.NormFloat64() * deviation)
		}
		f.Layers[i] = Weights{Weights: w, Biases: make([]float32, l.Out)}
	}
	return f
}

// Validate reports why f is not a network.
func (f *Float) Validate() error {
	if err := f.Arch.Validate(); err != nil {
		return err
	}
	if !(f.Temperature > 0) || math.IsInf(f.Temperature, 0) {
		return fmt.Errorf("temperature %g, must be above 0", f.Temperature)
	}
	if len(f.Layers) != len(f.Arch.Layers) {
		return fmt.Errorf("weights for %d layers of %d", len(f.Layers), len(f.Arch.Layers))
	}
	in := f.Arch.Shapes()
	for i, l := range f.Arch.Layers {
		outputs := l.Out
		if l.Kind == quant.MaxPool {
			outputs = 0
		}
		w := f.Layers[i]
		if n := fanIn(l, in[i]) * outputs; len(w.Weights) != n || len(w.Biases) != outputs {
			return fmt.Errorf("layer %d: %d weights and %d biases, want %d and %d", i, len(w.Weights), len(w.Biases), n, outputs)
		}
		if !finite(w.Weights) || !finite(w.Biases) {
			return fmt.Errorf("layer %d: a weight is not a number", i)
		}
	}
	return nil
}

// finite reports whether all values are numbers, infinities excluded.
func finite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool {
		return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)
	})
}

// floatFile is the file of a Float: the body holds the weights and then the
// biases of each layer in order.
var floatFile = container{magic: "esqfloat"}

// floatHeader is the JSON header of a Float's file.
type floatHeader struct {
	Arch        quant.Arch `json:"arch"`
	Temperature float64    `json:"temperature"`
}

// WriteTo writes f to w. It implements io.WriterTo.
func (f *Float) WriteTo(w io.Writer) (int64, error) {
	if err := f.Validate(); err != nil {
		return 0, fmt.Errorf("float network: %w", err)
	}
	return floatFile.write(w, floatHeader{f.Arch, f.Temperature}, f.appendBody(nil))
}

// appendBody appends all parameters, little endian.
func (f *Float) appendBody(b []byte) []byte {
	for _, l := range f.Layers {
		for _, values := range [][]float32{l.Weights, l.Biases} {
			for _, v := range values {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
		}
	}
	return b
}

// LoadFloat reads what WriteTo wrote, to the end of r. The error is ErrFormat,
// ErrVersion, ErrChecksum, ErrDamaged or that of r.
func LoadFloat(r io.Reader) (*Float, error) {
	var header floatHeader
	body, err := floatFile.read(r, &header)
	if err != nil {
		return nil, fmt.Errorf("float network: %w", err)
	}
	f := &Float{Arch: header.Arch, Temperature: header.Temperature}
	if err := f.setBody(body); err != nil {
		return nil, fmt.Errorf("float network: %w: %w", ErrDamaged, err)
	}
	return f, nil
}

// setBody cuts body into the parameters of the layers.
func (f *Float) setBody(body []byte) error {
	if err := f.Arch.Validate(); err != nil {
		return err
	}
	take := func(n int) []float32 {
		if n > len(body)/4 {
			body = nil
			return nil
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
		}
		body = body[4*n:]
		return values
	}
	in := f.Arch.Shapes()
	f.Layers = make([]Weights, len(f.Arch.Layers))
	for i, l := range f.Arch.Layers {
		if l.Kind != quant.MaxPool {
			f.Layers[i].Weights = take(fanIn(l, in[i]) * l.Out)
			f.Layers[i].Biases = take(l.Out)
		}
	}
	if len(body) > 0 {
		return fmt.Errorf("%d bytes left over", len(body))
	}
	return f.Validate()
}
