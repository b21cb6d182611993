package model

import (
	"math/rand"
	"os"
	"runtime/pprof"
	"testing"

	. "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/train/losses"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers"

	"edgescan/model/backend"
	"edgescan/quant"
)

func TestProto(t *testing.T) {
	if f := os.Getenv("PROF"); f != "" {
		w, _ := os.Create(f)
		pprof.StartCPUProfile(w)
		defer pprof.StopCPUProfile()
	}
	r := testing.Benchmark(func(b *testing.B) { proto(b) })
	t.Log(r, 64/(float64(r.NsPerOp())/1e9), "examples/s")
}

func proto(b *testing.B) {
	be, err := backend.New()
	if err != nil {
		b.Fatal(err)
	}
	arch := quant.Arch{Input: quant.Shape{Height: 32, Width: 48, Channels: 8}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 8}, {Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 16}, {Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Conv, Height: 3, Width: 3, Out: 32}, {Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 64}, {Kind: quant.Dense, Out: 4}}}
	ctx := context.New()
	ctx.SetRNGStateFromSeed(1)
	opt := optimizers.Adam().Done()
	exec := context.MustNewExec(be, ctx, func(ctx *context.Context, x, y *Node) *Node {
		f := forward{ctx: ctx, arch: arch}
		ctx.SetTraining(x.Graph(), true)
		loss := ReduceAllMean(losses.SparseCategoricalCrossEntropyLogits([]*Node{y}, []*Node{f.logits(x)}))
		opt.UpdateGraph(ctx, x.Graph(), loss)
		return loss
	})
	maps := make([]uint8, 64*32*48*8)
	labels := make([]int32, 64)
	rng := rand.New(rand.NewSource(1))
	for i := range maps {
		if rng.Intn(20) == 0 {
			maps[i] = uint8(rng.Intn(16))
		}
	}
	for i := range labels {
		labels[i] = int32(rng.Intn(4))
	}
	var loss float32
	step := func() {
		x := tensors.FromFlatDataAndDimensions(maps, 64, 32, 48, 8)
		y := tensors.FromFlatDataAndDimensions(labels, 64, 1)
		loss = tensors.ToScalar[float32](exec.MustExec1(x, y))
	}
	step()
	b.ResetTimer()
	for b.Loop() {
		step()
	}
	b.Log(loss)
}
