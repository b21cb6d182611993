package detect_test

import (
	"bytes"
	"fmt"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/pipeline"
	"edgescan/internal/synth"
	"edgescan/quant"
)

// trafficMix returns a capture file in memory: networks of all kinds, one
// after the other.
func trafficMix(tb testing.TB) (file []byte, packets int) {
	tb.Helper()
	var scene synth.Scene
	var last int64
	for seed := uint64(1); len(scene.Frames) < 500_000; seed++ {
		s := synth.Generate(seed, synth.Options{})
		shift := last - s.Frames[0].Time
		for _, f := range s.Frames {
			f.Time += shift
			scene.Frames = append(scene.Frames, f)
		}
		last = scene.Frames[len(scene.Frames)-1].Time
	}
	var b bytes.Buffer
	if err := scene.WritePcap(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes(), len(scene.Frames)
}

// BenchmarkFileToVerdict reads a capture file, decodes it, tracks contacts and
// judges maps with the built-in model.
func BenchmarkFileToVerdict(b *testing.B) {
	file, packets := trafficMix(b)
	network, judge := builtIn(b)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			var stats detect.Stats
			for b.Loop() {
				src, err := capture.NewReader(bytes.NewReader(file))
				if err != nil {
					b.Fatal(err)
				}
				engine, err := detect.NewEngine(detect.Config{
					Memory:    detect.DefaultMemory,
					Key:       featurize.DefaultKey,
					Threshold: network.Threshold(),
				}, judge, func(*detect.Event) {})
				if err != nil {
					b.Fatal(err)
				}
				err = pipeline.Run(b.Context(), src, nil, workers, func(batch *pipeline.Batch) {
					for i := range batch.Packets {
						engine.Add(&batch.Packets[i])
					}
				})
				if err != nil {
					b.Fatal(err)
				}
				engine.Close()
				stats = engine.Stats()
			}
			b.ReportMetric(float64(packets)*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64(stats.Looks)/float64(packets)*1e6, "looks/Mpacket")
		})
	}
}

// builtIn returns the shipped network and a Judge that runs it.
func builtIn(tb testing.TB) (*quant.Network, *detect.Network) {
	tb.Helper()
	network, err := quant.Default()
	if err != nil {
		tb.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		tb.Fatal(err)
	}
	return network, judge
}
