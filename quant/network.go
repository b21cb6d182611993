package quant

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Errors of building and running a network.
var (
	// ErrInvalid is returned when layers and parameters do not make a network.
	ErrInvalid = errors.New("not a valid network")

	// ErrSize is returned when a slice given to Run does not fit the network.
	ErrSize = errors.New("input, logits or scratch does not fit the network")

	// ErrMismatch is returned when a model was trained on other maps than the
	// program makes.
	ErrMismatch = errors.New("the model was trained on maps of another featurizer: use a model made by this version, or train it anew")
)

// Meta is what a model file says beside the weights.
type Meta struct {
	// Featurizer is the fingerprint of everything that shapes a map. Maps of
	// another featurizer mean something else, see CheckFeaturizer.
	Featurizer string `json:"featurizer"`

	// Classes names the logits. Class 0 is benign.
	Classes []string `json:"classes"`

	// Threshold is the scan score, in 1/65536, from which on a map shows a scan.
	Threshold uint32 `json:"threshold"`

	Provenance Provenance `json:"provenance"`
}

// Provenance says how a model came about. It holds no date, so that the same
// seed and data make the same file.
type Provenance struct {
	Seed    int64             `json:"seed"`              // of training and of synthetic data
	Data    string            `json:"data,omitempty"`    // what it was trained and calibrated on
	Figures map[string]string `json:"figures,omitempty"` // what was measured, by name
}

// Network is a quantized network, ready to run. It does not change, so any
// number of goroutines may share it, each with a Scratch of its own.
type Network struct {
	arch   Arch
	shapes []Shape // arch.Shapes()
	params []Params
	meta   Meta
	unit   *vectorUnit // nil: portable Go
	steps  []step      // all layers but the last
	head   headKernel
}

// Build makes a network of its layers. params has an entry for each layer of
// arch, an empty one for a pool, and is kept: the caller must not change it
// afterwards. The error is ErrInvalid with the reason.
func Build(arch Arch, params []Params, meta Meta) (*Network, error) {
	if err := arch.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := meta.validate(arch.Classes()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(params) != len(arch.Layers) {
		return nil, fmt.Errorf("%w: parameters of %d layers for %d layers", ErrInvalid, len(params), len(arch.Layers))
	}
	n := &Network{arch: arch.clone(), shapes: arch.Shapes(), params: slices.Clone(params), meta: meta.clone()}
	for i, l := range arch.Layers {
		if err := params[i].validate(l, n.shapes[i]); err != nil {
			return nil, fmt.Errorf("%w: layer %d (%s): %w", ErrInvalid, i, l.Kind, err)
		}
	}
	n.prepare(fastestUnit())
	return n, nil
}

// validate checks m for a network of so many classes.
func (m Meta) validate(classes int) error {
	if classes < 2 || len(m.Classes) != classes {
		return fmt.Errorf("%d class names for %d classes, need at least 2 and as many names", len(m.Classes), classes)
	}
	if m.Threshold > One {
		return fmt.Errorf("threshold %d, must be at most %d", m.Threshold, One)
	}
	return nil
}

func (m Meta) clone() Meta {
	m.Classes = slices.Clone(m.Classes)
	m.Provenance.Figures = maps.Clone(m.Provenance.Figures)
	return m
}

func (a Arch) clone() Arch {
	a.Layers = slices.Clone(a.Layers)
	return a
}

// WithMeta returns the same network with another Meta. The error is ErrInvalid
// with the reason.
func (n *Network) WithMeta(meta Meta) (*Network, error) { return Build(n.arch, n.params, meta) }

// Arch returns the architecture.
func (n *Network) Arch() Arch { return n.arch.clone() }

// Meta returns what the model file says beside the weights.
func (n *Network) Meta() Meta { return n.meta.clone() }

// Params returns the parameters of layer i. They are the network's own and must
// not be changed.
func (n *Network) Params(i int) Params { return n.params[i] }

// Threshold returns the scan score, in 1/65536, from which on a map shows a
// scan.
func (n *Network) Threshold() uint32 { return n.meta.Threshold }

// CheckFeaturizer returns ErrMismatch unless the network was trained on the maps
// of the featurizer with the fingerprint want.
func (n *Network) CheckFeaturizer(want string) error {
	if n.meta.Featurizer != want {
		return fmt.Errorf("%w (model: %q, program: %q)", ErrMismatch, n.meta.Featurizer, want)
	}
	return nil
}

// MultiplyAdds returns the number of multiply-adds of one inference, padding
// included, as if no input were 0.
func (n *Network) MultiplyAdds() int64 {
	var sum int64
	for i := range n.arch.Layers {
		sum += n.layerMultiplyAdds(i)
	}
	return sum
}

// layerMultiplyAdds returns the multiply-adds of layer i.
func (n *Network) layerMultiplyAdds(i int) int64 {
	out := n.shapes[i+1]
	return int64(n.arch.Layers[i].fanIn(n.shapes[i])) * int64(out.Size())
}
