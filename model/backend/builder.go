package backend

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/notimplemented"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// errForeignOp is returned when an operation is handed the output of another
// builder's operation.
var errForeignOp = errors.New("operand comes from another builder")

// emitFunc adds one operation to a simplego builder and returns its outputs.
type emitFunc func(b backends.Builder, in []backends.Op) ([]backends.Op, error)

// kernel is an operation that this package executes itself. run reads the
// operands and overwrites all of out, in the layouts that the operation was
// built for.
type kernel interface {
	run(out []float32, in [][]float32)
}

// record is one operation of the computation. Exactly one of emit, kernel and
// parameter (an input of the computation) says how its outputs come about.
type record struct {
	in        []*value
	out       []*value
	emit      emitFunc
	kernel    kernel
	parameter bool
	constant  bool // has no operands and is cheap: repeated wherever it is used

	live  bool
	stage int // the stretch that computes the outputs, or the first that can use a kernel's
}

// value is one output of a record; it is what GoMLX sees as a backends.Op.
type value struct {
	rec   *record
	index int // among rec.out
	shape shapes.Shape
	probe backends.Op // the same output in the builder that infers shapes

	slot int // where executions keep the buffer; -1 until it needs one
}

// Builder records a computation. Shapes are inferred, and errors found, by
// handing each operation to a simplego builder at once; the stretches that run
// are built in Compile, when it is known what they must hold.
type Builder struct {
	notimplemented.Builder

	inner   backends.Backend
	name    string
	probe   backends.Builder
	records []*record
	inputs  []*value
	names   []string // of the inputs
}

var _ backends.Builder = (*Builder)(nil)

func newBuilder(inner backends.Backend, name string) *Builder {
	b := &Builder{inner: inner, name: name, probe: inner.Builder(name)}
	b.Builder.ErrFn = func(op backends.OpType) error {
		return fmt.Errorf("operation %s: %w", op, notimplemented.NotImplementedError)
	}
	return b
}

// Name implements backends.Builder.
func (b *Builder) Name() string { return b.name }

// OpShape implements backends.Builder.
func (b *Builder) OpShape(op backends.Op) (shapes.Shape, error) {
	v, err := b.values(op)
	if err != nil {
		return shapes.Invalid(), err
	}
	return v[0].shape, nil
}

// values converts operands and refuses what is none of this package's.
func (b *Builder) values(ops ...backends.Op) ([]*value, error) {
	values := make([]*value, len(ops))
	for i, op := range ops {
		v, ok := op.(*value)
		if !ok {
			return nil, fmt.Errorf("operand %d of type %T: %w", i, op, errForeignOp)
		}
		values[i] = v
	}
	return values, nil
}

// add records an operation that simplego executes and returns its outputs.
func (b *Builder) add(rec *record, ops ...backends.Op) ([]*value, error) {
	in, err := b.values(ops...)
	if err != nil {
		return nil, err
	}
	probes := make([]backends.Op, len(in))
	for i, v := range in {
		probes[i] = v.probe
	}
	outs, err := rec.emit(b.probe, probes)
	if err != nil {
		return nil, err
	}
	rec.in = in
	for i, op := range outs {
		shape, err := b.probe.OpShape(op)
		if err != nil {
			return nil, err
		}
		rec.out = append(rec.out, &value{rec: rec, index: i, shape: shape, probe: op, slot: -1})
	}
	b.records = append(b.records, rec)
	return rec.out, nil
}

// emit records an operation with one output that simplego executes.
func (b *Builder) emit(f func(b backends.Builder, in []backends.Op) (backends.Op, error), ops ...backends.Op) (backends.Op, error) {
	out, err := b.add(&record{emit: single(f)}, ops...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// single makes an emitFunc of a function with one output.
func single(f func(b backends.Builder, in []backends.Op) (backends.Op, error)) emitFunc {
	return func(b backends.Builder, in []backends.Op) ([]backends.Op, error) {
		op, err := f(b, in)
		return []backends.Op{op}, err
	}
}

// kernel records an operation that this package executes: its output is
// float32 of the given dimensions.
func (b *Builder) kernel(k kernel, dims []int, in ...*value) (backends.Op, error) {
	rec := &record{kernel: k, in: in}
	shape := shapes.Make(dtypes.Float32, dims...)
	probe, err := b.probe.Parameter(fmt.Sprintf("kernel%d", len(b.records)), shape, nil)
	if err != nil {
		return nil, err
	}
	rec.out = []*value{{rec: rec, shape: shape, probe: probe, slot: -1}}
	b.records = append(b.records, rec)
	return rec.out[0], nil
}

// Parameter implements backends.Builder.
func (b *Builder) Parameter(name string, shape shapes.Shape, sharding *backends.ShardingSpec) (backends.Op, error) {
	probe, err := b.probe.Parameter(name, shape, sharding)
	if err != nil {
		return nil, err
	}
	rec := &record{parameter: true}
	v := &value{rec: rec, shape: shape, probe: probe, slot: len(b.inputs)}
	rec.out = []*value{v}
	b.records = append(b.records, rec)
	b.inputs = append(b.inputs, v)
	b.names = append(b.names, name)
	return v, nil
}

// Constant implements backends.Builder.
func (b *Builder) Constant(flat any, dims ...int) (backends.Op, error) {
	out, err := b.add(&record{
		constant: true,
		emit: single(func(b backends.Builder, _ []backends.Op) (backends.Op, error) {
			return b.Constant(flat, dims...)
		}),
	})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
