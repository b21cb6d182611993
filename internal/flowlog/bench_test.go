package flowlog

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/flow"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
	"edgescan/quant"
)

// day is between the scenes of a long log, nanoseconds.
const day = int64(24 * 3600e9)

// longLog makes one log of many scenes, one behind the other.
func longLog(tb testing.TB, format string, scenes int) []byte {
	tb.Helper()
	log, err := New(format)
	if err != nil {
		tb.Fatal(err)
	}
	shift, last := int64(0), int64(0)
	for seed := range scenes {
		first := true
		packets(synth.Generate(uint64(seed), synth.Options{MaxFrames: 20000}), func(p *capture.Packet) {
			if first {
				shift, first = last+day-p.Time, false
			}
			p.Time += shift
			last = max(last, p.Time)
			log.Add(p)
		})
	}
	var b bytes.Buffer
	if _, err := log.WriteTo(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkLogToVerdict reads logs of 300 scenes as `edgescan run --flows` does.
func BenchmarkLogToVerdict(b *testing.B) {
	network, err := quant.DefaultFlows()
	if err != nil {
		b.Fatal(err)
	}
	for _, format := range Names() {
		log := longLog(b, format, 300)
		b.Run(format, func(b *testing.B) {
			records, incidents := uint64(0), uint64(0)
			for b.Loop() {
				judge, err := detect.NewNetwork(network)
				if err != nil {
					b.Fatal(err)
				}
				engine, err := detect.NewEngine(detect.Config{
					Memory: detect.DefaultMemory, Key: featurize.DefaultKey, Threshold: network.Threshold(),
				}, judge, func(*detect.Event) {})
				if err != nil {
					b.Fatal(err)
				}
				player := flow.NewPlayer(flow.DefaultHeld, engine.Add)
				reader := flow.NewReader(bytes.NewReader(log), format)
				var r flow.Record
				for err = reader.Next(&r); err == nil; err = reader.Next(&r) {
					player.Add(&r)
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				player.Flush()
				engine.Close()
				records += reader.Stats().Records
				incidents = engine.Stats().Incidents
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(incidents), "incidents")
			b.ReportMetric(0, "ns/op")
		})
	}
}
