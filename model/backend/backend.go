// Package backend lets ordinary GoMLX models with convolutions and pools train
// in pure Go.
//
// GoMLX's pure-Go backend, simplego, has neither the operations that the
// gradients of Convolve and MaxPool are made of (Reverse, SelectAndScatterMax,
// convolutions with transposed axes at a usable speed) nor fast matrix
// products. This backend keeps simplego for everything else: it cuts a
// computation at those operations, compiles the stretches between them with
// simplego, and runs the operations themselves with its own kernels, in place
// on simplego's buffers. A model sees a backends.Backend like any other and
// needs no change to run on another one.
//
// What comes out depends on nothing but the computation and its inputs: kernels
// add in one fixed order, the vector kernels in the same as the plain ones, so
// that the bits do not depend on the processor's extensions. simplego runs its
// operations one after another ("ops_sequential"), because its parallel mode
// can deadlock.
//
// It must never start goroutines or keep state between executions other than
// scratch memory.
package backend

import (
	"fmt"
	"maps"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/simplego"
)

// Backend is simplego with own kernels for convolutions, pools and matrix
// products. Buffers are simplego's.
type Backend struct {
	backends.Backend
}

// New returns a new Backend.
func New() (*Backend, error) {
	inner, err := simplego.New("ops_sequential")
	if err != nil {
		return nil, fmt.Errorf("simplego: %w", err)
	}
	return &Backend{inner}, nil
}

// Name implements backends.Backend.
func (b *Backend) Name() string { return "simplego with convolution kernels" }

// String implements backends.Backend.
func (b *Backend) String() string { return "simplego+conv" }

// Description implements backends.Backend.
func (b *Backend) Description() string {
	return "pure-Go backend that can train convolutional networks"
}

// Capabilities implements backends.Backend: simplego's and the kernels' own.
func (b *Backend) Capabilities() backends.Capabilities {
	c := b.Backend.Capabilities()
	c.Operations = maps.Clone(c.Operations)
	c.Operations[backends.OpTypeReverse] = true
	c.Operations[backends.OpTypeSelectAndScatterMax] = true
	return c
}

// Builder implements backends.Backend.
func (b *Backend) Builder(name string) backends.Builder {
	return newBuilder(b.Backend, name)
}
