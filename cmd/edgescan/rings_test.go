package main

import (
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/pipeline"
)

// TestLateRing has one of two rings read seconds late: the engine's clock must go
// on as the packets' does, and still notice a clock that is put back.
func TestLateRing(t *testing.T) {
	judge, threshold, err := openModel("", false)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := detect.NewEngine(detect.Config{Memory: detect.MinMemory, Key: featurize.DefaultKey, Threshold: threshold}, judge, func(*detect.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{engine: engine}
	bring := func(at time.Time) {
		w.addShare(&pipeline.Batch{Packets: []capture.Packet{{Time: at.UnixNano()}}})
	}
	start := time.Now().Add(-time.Minute)
	for i := range 1000 {
		at := start.Add(time.Duration(i) * 10 * time.Millisecond)
		bring(at)
		bring(at.Add(-3 * time.Second))
	}
	w.advance(time.Now()) // as a third ring does that is idle
	bring(start.Add(20 * time.Second))
	if n := engine.Stats().ClockSteps; n != 0 {
		t.Errorf("the clock was put back %d times", n)
	}
	if now := engine.Tracker().CaptureTime(engine.Tracker().Now()); now > time.Now().UnixNano() {
		t.Errorf("the engine's clock is %v ahead", time.Duration(now-time.Now().UnixNano()))
	}
	bring(time.Now().Add(time.Hour))
	for range 10 {
		bring(time.Now())
	}
	if n := engine.Stats().ClockSteps; n != 1 {
		t.Errorf("the clock was put back %d times, want once", n)
	}
}
