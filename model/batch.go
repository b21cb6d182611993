package model

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	"github.com/gomlx/gomlx/pkg/core/tensors"

	"edgescan/quant"
)

// batch is the room for one batch of examples. All batches of a run have the
// same size, so that one graph serves them; a last one that is not full is
// filled up with examples of weight 0.
type batch struct {
	size    int
	maps    *tensors.Tensor // uint8 [size, height, width, channels]
	labels  *tensors.Tensor // int32 [size, 1]
	weights *tensors.Tensor // float32 [size]
	order   []int           // room for a permutation of the rows
}

func newBatch(size int, shape quant.Shape) *batch {
	return &batch{
		size:    size,
		maps:    tensors.FromShape(shapes.Make(dtypes.Uint8, size, shape.Height, shape.Width, shape.Channels)),
		labels:  tensors.FromShape(shapes.Make(dtypes.Int32, size, 1)),
		weights: tensors.FromShape(shapes.Make(dtypes.Float32, size)),
		order:   make([]int, shape.Height),
	}
}

// fill loads the examples with the given indices, at most size of them. Weights
// are multiplied by those of the classes, if there are any, and scaled to add up
// to size, so that the mean of weight times loss is the weighted mean loss.
// permute, if not nil, returns the source of the order of an example's rows.
func (b *batch) fill(d *Dataset, indices []int, classWeights []float32, permute func(example int) *rand.Rand) {
	tensors.MustMutableFlatData(b.maps, func(maps []uint8) {
		cells := d.shape.Size()
		for n, i := range indices {
			d.expand(i, b.rows(i, permute), maps[n*cells:][:cells])
		}
		clear(maps[len(indices)*cells:])
	})
	tensors.MustMutableFlatData(b.labels, func(labels []int32) {
		for n, i := range indices {
			labels[n] = d.labels[i]
		}
		clear(labels[len(indices):])
	})
	tensors.MustMutableFlatData(b.weights, func(weights []float32) {
		sum := 0.0
		for n, i := range indices {
			weights[n] = d.weights[i]
			if classWeights != nil {
				weights[n] *= classWeights[d.labels[i]]
			}
			sum += float64(weights[n])
		}
		clear(weights[len(indices):])
		if sum > 0 {
			for n := range indices {
				weights[n] = float32(float64(weights[n]) * float64(b.size) / sum)
			}
		}
	})
}

// rows returns a random order of the rows of an example, or nil.
func (b *batch) rows(example int, permute func(example int) *rand.Rand) []int {
	if permute == nil {
		return nil
	}
	for i := range b.order {
		b.order[i] = i
	}
	permute(example).Shuffle(len(b.order), func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
	return b.order
}

// shuffled returns the numbers below n in the order of one epoch.
func shuffled(n int, seed int64, epoch int) []int {
	return rand.New(rand.NewPCG(uint64(seed), uint64(epoch))).Perm(n)
}

// rowSource returns the random source for the rows of an example in one epoch.
// The stream differs from that of shuffled by the bit at the top.
func rowSource(seed int64, epoch, example int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 1<<63|uint64(epoch)<<32|uint64(example)))
}
