package detect_test

import (
	"bytes"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/flood"
)

// verdicts replays a capture file with the built-in model, and returns how
// long it took.
func verdicts(tb testing.TB, file []byte) (time.Duration, detect.Stats) {
	tb.Helper()
	network, judge := builtIn(tb)
	src, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		tb.Fatal(err)
	}
	engine, err := detect.NewEngine(detect.Config{
		Memory:    detect.DefaultMemory,
		Key:       featurize.DefaultKey,
		Secret:    featurize.Key{A: 0x452821e638d01377, B: 0xbe5466cf34e90c6c},
		Threshold: network.Threshold(),
	}, judge, func(*detect.Event) {})
	if err != nil {
		tb.Fatal(err)
	}
	start := time.Now()
	if err := detect.Replay(engine, src, nil); err != nil {
		tb.Fatal(err)
	}
	return time.Since(start), engine.Stats()
}

// BenchmarkAttack reads captures of attacks, on one core. The metric "ordinary" is the
// rate of packets as a multiple of that of ordinary traffic, measured in turn
// with each reading.
func BenchmarkAttack(b *testing.B) {
	ordinary, packets := trafficMix(b)
	for i := range flood.Attacks {
		attack := &flood.Attacks[i]
		b.Run(attack.Name, func(b *testing.B) {
			var file bytes.Buffer
			if err := attack.Write(&file); err != nil {
				b.Fatal(err)
			}
			var attacked, usual time.Duration
			var n, usualPackets uint64
			for b.Loop() {
				took, stats := verdicts(b, file.Bytes())
				attacked += took
				n += stats.Packets
				for usualPackets < n { // about as many, so that a machine that slows down slows both
					took, _ := verdicts(b, ordinary)
					usual += took
					usualPackets += uint64(packets)
				}
			}
			rate := float64(n) / attacked.Seconds()
			b.ReportMetric(rate, "packets/s")
			b.ReportMetric(rate/(float64(usualPackets)/usual.Seconds()), "ordinary")
		})
	}
}
