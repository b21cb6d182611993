package synth

import (
	"testing"
)

func BenchmarkGenerate(b *testing.B) {
	frames := 0
	for i := range b.N {
		frames += len(Generate(uint64(i), Options{}).Frames)
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
	b.ReportMetric(float64(frames)/float64(b.N), "frames/scene")
}

func TestEachBehaviour(t *testing.T) {
	for _, b := range Behaviours() {
		t.Run(b.Name, func(t *testing.T) {
			made, kinds := 0, map[string]int{}
			for seed := range uint64(60) {
				s := Generate(seed, Options{Only: []string{b.Name}, MaxFrames: 5000})
				for _, a := range s.Actors {
					kinds[a.Kind]++
				}
				if len(s.Frames) > 0 {
					made++
				}
			}
			t.Log(made, kinds)
			if made < 30 {
				t.Errorf("only %d of 60 scenes have frames", made)
			}
			if b.Scan == (kinds["benign"] > 0) {
				t.Errorf("kinds %v", kinds)
			}
		})
	}
}
