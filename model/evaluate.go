package model

import (
	"fmt"

	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"edgescan/model/backend"
	"edgescan/quant"
)

// evaluationBatch is the batch size outside of training.
const evaluationBatch = 64

// recovered turns a panic of GoMLX's into an error. Graphs are built by
// functions that panic on errors; every exported function that builds or runs
// one defers this.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("GoMLX: %v", r)
	}
}

// evaluator runs a network forward over a data set, batch by batch.
type evaluator struct {
	exec  *mlcontext.Exec
	batch *batch
}

// newEvaluator returns an evaluator for the variables in ctx. Its outputs are
// the logits and, if activations is set, those of every ReLU in order.
func newEvaluator(b *backend.Backend, ctx *mlcontext.Context, arch quant.Arch, activations bool) (*evaluator, error) {
	exec, err := mlcontext.NewExec(b, ctx, func(ctx *mlcontext.Context, maps *Node) []*Node {
		f := forward{ctx: ctx, arch: arch}
		var inner []*Node
		if activations {
			f.activations = &inner
		}
		return append([]*Node{f.logits(maps)}, inner...)
	})
	if err != nil {
		return nil, err
	}
	return &evaluator{exec, newBatch(evaluationBatch, arch.Input)}, nil
}

// each calls f for each batch of d with the indices of its examples, first to
// end (excluded), and the outputs. Outputs hold evaluationBatch rows, of which
// only the first end-first mean something.
func (e *evaluator) each(d *Dataset, f func(first, end int, outputs []*tensors.Tensor) error) error {
	indices := make([]int, e.batch.size)
	for first := 0; first < d.Len(); first += e.batch.size {
		end := min(first+e.batch.size, d.Len())
		for i := range end - first {
			indices[i] = first + i
		}
		e.batch.fill(d, indices[:end-first], nil, nil)
		outputs, err := e.exec.Exec(e.batch.maps)
		if err != nil {
			return err
		}
		if err := f(first, end, outputs); err != nil {
			return err
		}
		for _, output := range outputs {
			if err := output.FinalizeAll(); err != nil {
				return err
			}
		}
	}
	return nil
}

// logits returns the logits of all maps of d, [example][class].
func (e *evaluator) logits(d *Dataset, classes int) ([]float32, error) {
	all := make([]float32, 0, d.Len()*classes)
	err := e.each(d, func(first, end int, outputs []*tensors.Tensor) error {
		return tensors.ConstFlatData(outputs[0], func(flat []float32) {
			all = append(all, flat[:(end-first)*classes]...)
		})
	})
	return all, err
}

// variables puts the parameters of f into a new GoMLX context.
func (f *Float) variables() *mlcontext.Context {
	ctx := mlcontext.New()
	in := f.Arch.Shapes()
	for i, l := range f.Arch.Layers {
		if l.Kind == quant.MaxPool {
			continue
		}
		dims := []int{fanIn(l, in[i]), l.Out}
		if l.Kind == quant.Conv {
			dims = []int{l.Height, l.Width, in[i].Channels, l.Out}
		}
		scope := ctx.In(layerScope(i))
		scope.VariableWithValue(weightsName, tensors.FromFlatDataAndDimensions(f.Layers[i].Weights, dims...))
		scope.VariableWithValue(biasesName, tensors.FromFlatDataAndDimensions(f.Layers[i].Biases, l.Out))
	}
	return ctx
}

// floatOf returns the network whose variables are in ctx.
func floatOf(ctx *mlcontext.Context, arch quant.Arch) (*Float, error) {
	f := &Float{Arch: arch, Layers: make([]Weights, len(arch.Layers)), Temperature: 1}
	for i, l := range arch.Layers {
		if l.Kind == quant.MaxPool {
			continue
		}
		var err error
		if f.Layers[i].Weights, err = variableOf(ctx, i, weightsName); err != nil {
			return nil, err
		}
		if f.Layers[i].Biases, err = variableOf(ctx, i, biasesName); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// variableOf returns a copy of a variable of layer i.
func variableOf(ctx *mlcontext.Context, i int, name string) ([]float32, error) {
	v := ctx.GetVariableByScopeAndName(mlcontext.ScopeSeparator+layerScope(i), name)
	if v == nil {
		return nil, fmt.Errorf("layer %d has no variable %s", i, name)
	}
	value, err := v.Value()
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](value)
}

// Logits returns the logits of all maps of d, [example][class], divided by the
// temperature, in nats. It runs GoMLX.
func (f *Float) Logits(d *Dataset) (logits []float32, err error) {
	defer recovered(&err)
	if err := f.usable(d); err != nil {
		return nil, err
	}
	b, err := backend.New()
	if err != nil {
		return nil, err
	}
	e, err := newEvaluator(b, f.variables(), f.Arch, false)
	if err != nil {
		return nil, err
	}
	if logits, err = e.logits(d, f.Arch.Classes()); err != nil {
		return nil, err
	}
	for i := range logits {
		logits[i] /= float32(f.Temperature)
	}
	return logits, nil
}

// usable reports why f cannot run on d.
func (f *Float) usable(d *Dataset) error {
	if err := f.Validate(); err != nil {
		return fmt.Errorf("float network: %w", err)
	}
	return d.check(f.Arch)
}
