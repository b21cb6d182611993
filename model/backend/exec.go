package backend

import (
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// executable runs the steps of a computation one after another. Buffers that
// steps hand to each other live in slots, and are given back to simplego after
// the last step that reads them.
type executable struct {
	inner    backends.Backend
	names    []string // of the inputs, which have the first slots
	inputs   []*value
	outputs  []*value
	steps    []step
	slots    int
	lastStep []int // by slot

	mu sync.Mutex // kernels have scratch memory
}

var _ backends.Executable = (*executable)(nil)

// Finalize implements backends.Executable.
func (e *executable) Finalize() {
	for _, s := range e.steps {
		if s.stretch != nil {
			s.stretch.Finalize()
		}
	}
	e.steps = nil
}

// Inputs implements backends.Executable.
func (e *executable) Inputs() (names []string, inputShapes []shapes.Shape) {
	return e.names, valueShapes(e.inputs)
}

// Outputs implements backends.Executable.
func (e *executable) Outputs() []shapes.Shape { return valueShapes(e.outputs) }

func valueShapes(values []*value) []shapes.Shape {
	s := make([]shapes.Shape, len(values))
	for i, v := range values {
		s[i] = v.shape
	}
	return s
}

// run is the state of one execution.
type run struct {
	*executable
	buffers []backends.Buffer // by slot
	owned   []bool            // by slot: ours to overwrite or give back
}

// Execute implements backends.Executable.
func (e *executable) Execute(inputs []backends.Buffer, donate []bool, _ backends.DeviceNum) ([]backends.Buffer, error) {
	if len(inputs) != len(e.inputs) {
		return nil, fmt.Errorf("%d inputs, want %d", len(inputs), len(e.inputs))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &run{executable: e, buffers: make([]backends.Buffer, e.slots), owned: make([]bool, e.slots)}
	for i, buffer := range inputs {
		shape, err := e.inner.BufferShape(buffer)
		if err != nil {
			return nil, err
		}
		if !shape.Equal(e.inputs[i].shape) {
			return nil, fmt.Errorf("input %q has shape %s, want %s", e.names[i], shape, e.inputs[i].shape)
		}
		r.buffers[i] = buffer
		r.owned[i] = len(donate) > 0 && donate[i]
	}
	for i := range e.steps {
		if err := r.step(i); err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
	}
	return r.results()
}

// step executes one step and lets go of what no later one needs.
func (r *run) step(i int) error {
	s := &r.steps[i]
	if s.kernel != nil {
		if err := r.runKernel(s); err != nil {
			return err
		}
	} else if err := r.runStretch(i, s); err != nil {
		return err
	}
	for _, slot := range s.in {
		if r.lastStep[slot] == i && r.owned[slot] {
			r.owned[slot] = false
			if err := r.inner.BufferFinalize(r.buffers[slot]); err != nil {
				return err
			}
		}
	}
	return nil
}

// runStretch executes a simplego computation. It donates the buffers that are
// read for the last time.
func (r *run) runStretch(i int, s *step) error {
	in := make([]backends.Buffer, len(s.in))
	donate := make([]bool, len(s.in))
	for j, slot := range s.in {
		in[j] = r.buffers[slot]
		if r.owned[slot] && r.lastStep[slot] == i {
			donate[j] = true
			r.owned[slot] = false
		}
	}
	out, err := s.stretch.Execute(in, donate, 0)
	if err != nil {
		return err
	}
	for j, slot := range s.out {
		r.buffers[slot] = out[j]
		r.owned[slot] = true
	}
	return nil
}

// runKernel executes a kernel on the buffers' memory.
func (r *run) runKernel(s *step) error {
	in := make([][]float32, len(s.in))
	for j, slot := range s.in {
		flat, err := r.inner.BufferData(r.buffers[slot])
		if err != nil {
			return err
		}
		in[j] = flat.([]float32)
	}
	buffer, flat, err := r.inner.NewSharedBuffer(0, s.kernel.shape)
	if err != nil {
		return err
	}
	s.kernel.rec.kernel.run(flat.([]float32), in)
	r.buffers[s.out[0]] = buffer
	r.owned[s.out[0]] = true
	return nil
}

// results returns the outputs. What belongs to the caller, or is output twice,
// is copied.
func (r *run) results() ([]backends.Buffer, error) {
	out := make([]backends.Buffer, len(r.outputs))
	for i, v := range r.outputs {
		buffer := r.buffers[v.slot]
		if !r.owned[v.slot] {
			flat, err := r.inner.BufferData(buffer)
			if err != nil {
				return nil, err
			}
			if buffer, err = r.inner.BufferFromFlatData(0, flat, v.shape); err != nil {
				return nil, err
			}
		}
		r.owned[v.slot] = false
		out[i] = buffer
	}
	return out, nil
}
