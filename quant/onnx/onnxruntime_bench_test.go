//go:build onnxruntime

package onnx

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"edgescan/quant"
)

// BenchmarkShipped times one map of synthetic traffic through the shipped network
// on one thread: by quant, and by onnxruntime 1 and 16 maps at a time. What
// calling onnxruntime from JavaScript costs is that of a model that does nothing.
func BenchmarkShipped(b *testing.B) {
	n, err := quant.Default()
	if err != nil {
		b.Fatal(err)
	}
	traffic, err := trafficMaps()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("quant", func(b *testing.B) {
		scratch, logits := n.NewScratch(), make([]int32, n.Arch().Classes())
		for i := 0; b.Loop(); i++ {
			if err := n.Run(logits, traffic[i%len(traffic)], scratch); err != nil {
				b.Fatal(err)
			}
		}
	})
	models := map[string][]byte{
		"onnxruntime-signed":   written(b, n, Signed),
		"onnxruntime-unsigned": written(b, n, Unsigned),
		"onnxruntime-nothing":  nothing(n.Arch()),
	}
	for _, name := range []string{"onnxruntime-signed", "onnxruntime-unsigned", "onnxruntime-nothing"} {
		for _, batch := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/batch=%d", name, batch), func(b *testing.B) {
				timeOnnxruntime(b, models[name], n.Arch(), traffic, batch)
			})
		}
	}
}

// leastTimed is how many maps are timed at least: a process of its own that
// starts up takes longer than few of them.
const leastTimed = 4096

// timeOnnxruntime reports the time that onnxruntime takes for a map.
func timeOnnxruntime(b *testing.B, model []byte, arch quant.Arch, maps [][]uint8, batch int) {
	maps = maps[:len(maps)/batch*batch]
	runs := max(b.N, leastTimed) / batch
	printed := onnxruntime(b, "time", write(b, "model.onnx", model), arch.Input.String(),
		write(b, "maps", slices.Concat(maps...)), strconv.Itoa(batch), strconv.Itoa(runs))
	ns, err := strconv.ParseFloat(printed, 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(ns/float64(runs*batch), "ns/op")
}

// nothing returns a model with the input and output of arch that gives constant
// logits.
func nothing(arch quant.Arch) []byte {
	var g graph
	g.node("Identity", outputName, []string{constant(&g, "logits0", make([]int32, arch.Classes()), 1, arch.Classes())})
	return encodeModel(g.encode(
		value(inputName, typeUint8, arch.Input.Height, arch.Input.Width, arch.Input.Channels),
		value(outputName, typeInt32, arch.Classes())), nil)
}
