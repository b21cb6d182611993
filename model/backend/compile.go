package backend

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/backends"
)

// step is one part of an execution: either a stretch compiled by simplego or
// one kernel. in and out are slots.
type step struct {
	in, out []int
	stretch backends.Executable
	kernel  *value // the output, whose record holds the kernel
}

// errSharding is returned for distributed computations.
var errSharding = errors.New("computations on several devices are not supported")

// Compile implements backends.Builder. It drops what no output needs, cuts the
// rest at the kernels and compiles the stretches between them.
func (b *Builder) Compile(outputs []backends.Op, shardings []*backends.ShardingSpec) (backends.Executable, error) {
	if len(shardings) != 0 {
		return nil, errSharding
	}
	outs, err := b.values(outputs...)
	if err != nil {
		return nil, err
	}
	b.markLive(outs)
	last := b.assignStages()
	e := &executable{inner: b.inner, names: b.names, inputs: b.inputs, outputs: outs, slots: b.assignSlots(outs)}
	for stage := 0; stage <= last; stage++ {
		e.addKernels(b.records, stage)
		if err := e.addStretch(b, stage); err != nil {
			return nil, fmt.Errorf("compile stretch %d of %q: %w", stage, b.name, err)
		}
	}
	e.setLifetimes()
	return e, nil
}

// markLive marks the records that the outputs depend on.
func (b *Builder) markLive(outs []*value) {
	for _, v := range outs {
		v.rec.live = true
	}
	for i := len(b.records) - 1; i >= 0; i-- {
		if rec := b.records[i]; rec.live {
			for _, v := range rec.in {
				v.rec.live = true
			}
		}
	}
}

// assignStages numbers the stretches: an operation belongs to the first one
// that has all its operands, and each kernel starts a new one. It returns the
// last number.
func (b *Builder) assignStages() int {
	last := 0
	for _, rec := range b.records {
		if !rec.live {
			continue
		}
		for _, v := range rec.in {
			rec.stage = max(rec.stage, v.rec.stage)
		}
		if rec.kernel != nil {
			rec.stage++
		}
		last = max(last, rec.stage)
	}
	return last
}

// assignSlots gives a slot to each value that is used outside the stretch that
// computes it, and returns the number of slots. The inputs have the first.
func (b *Builder) assignSlots(outs []*value) int {
	n := len(b.inputs)
	need := func(v *value) {
		if v.slot < 0 {
			v.slot = n
			n++
		}
	}
	for _, rec := range b.records {
		if !rec.live {
			continue
		}
		for _, v := range rec.in {
			inner := rec.kernel == nil && (v.rec.constant || v.rec.kernel == nil && v.rec.stage == rec.stage)
			if !inner {
				need(v)
			}
		}
	}
	for _, v := range outs {
		need(v)
	}
	return n
}

// addKernels appends the kernels that stretch stage is the first to use.
func (e *executable) addKernels(records []*record, stage int) {
	for _, rec := range records {
		if !rec.live || rec.kernel == nil || rec.stage != stage {
			continue
		}
		s := step{kernel: rec.out[0]}
		for _, v := range rec.in {
			s.in = append(s.in, v.slot)
		}
		if v := rec.out[0]; v.slot >= 0 {
			s.out = []int{v.slot}
			e.steps = append(e.steps, s)
		}
	}
}

// stretch builds one simplego computation.
type stretch struct {
	builder backends.Builder
	ops     map[*value]backends.Op
	step    step
}

// addStretch appends the simplego operations of one stage, if there are any
// whose results are used.
func (e *executable) addStretch(b *Builder, stage int) error {
	s := &stretch{builder: b.inner.Builder(fmt.Sprintf("%s.%d", b.name, stage)), ops: map[*value]backends.Op{}}
	var exports []backends.Op
	for _, rec := range b.records {
		if !rec.live || rec.emit == nil || rec.stage != stage || rec.constant && rec.out[0].slot < 0 {
			continue
		}
		if err := s.emit(rec); err != nil {
			return err
		}
		for _, v := range rec.out {
			if v.slot >= 0 {
				exports = append(exports, s.ops[v])
				s.step.out = append(s.step.out, v.slot)
			}
		}
	}
	if len(exports) == 0 {
		return nil
	}
	var err error
	if s.step.stretch, err = s.builder.Compile(exports, nil); err != nil {
		return err
	}
	e.steps = append(e.steps, s.step)
	return nil
}

// emit adds an operation to the stretch.
func (s *stretch) emit(rec *record) error {
	in := make([]backends.Op, len(rec.in))
	for i, v := range rec.in {
		op, err := s.operand(v)
		if err != nil {
			return err
		}
		in[i] = op
	}
	out, err := rec.emit(s.builder, in)
	if err != nil {
		return err
	}
	for i, v := range rec.out {
		s.ops[v] = out[i]
	}
	return nil
}

// operand returns the operation that stands for v in the stretch: one that is
// there already, a constant repeated, or a parameter for what was computed
// before.
func (s *stretch) operand(v *value) (backends.Op, error) {
	if op, ok := s.ops[v]; ok {
		return op, nil
	}
	if v.rec.constant {
		err := s.emit(v.rec)
		return s.ops[v], err
	}
	op, err := s.builder.Parameter(fmt.Sprintf("slot%d", v.slot), v.shape, nil)
	if err != nil {
		return nil, err
	}
	s.ops[v] = op
	s.step.in = append(s.step.in, v.slot)
	return op, nil
}

// setLifetimes finds the last step that reads each slot. What no step reads is
// freed at once (-1), and the outputs outlive all steps.
func (e *executable) setLifetimes() {
	e.lastStep = make([]int, e.slots)
	for i := range e.lastStep {
		e.lastStep[i] = -1
	}
	for i, s := range e.steps {
		for _, slot := range s.in {
			e.lastStep[slot] = i
		}
	}
	for _, v := range e.outputs {
		e.lastStep[v.slot] = len(e.steps)
	}
}
