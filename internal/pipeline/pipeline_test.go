package pipeline_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/internal/pipeline"
	"edgescan/internal/synth"
)

// fileHeader is the length of a pcap file's header, bytes.
const fileHeader = 24

// sceneFile returns a capture of some tens of thousands of packets, in which
// every hundredth frame cannot be decoded.
func sceneFile(tb testing.TB) []byte {
	tb.Helper()
	scene := synth.Generate(7, synth.Options{})
	var b bytes.Buffer
	if err := scene.WritePcap(&b); err != nil {
		tb.Fatal(err)
	}
	file := b.Bytes()
	file = append(file, bytes.Repeat(file[fileHeader:], 9)...)
	for at, n := fileHeader, 0; at < len(file); n++ {
		if n%100 == 99 {
			copy(file[at+16+12:], "\x88\xcc") // LLDP
		}
		at += 16 + int(binary.LittleEndian.Uint32(file[at+8:]))
	}
	return file
}

// outcome is all that a run shows.
type outcome struct {
	packets []capture.Packet
	reasons [capture.NumReasons]uint64
	err     string
}

func run(tb testing.TB, file []byte, workers int) (o outcome) {
	tb.Helper()
	src, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		tb.Fatal(err)
	}
	err = pipeline.Run(context.Background(), src, nil, workers, func(b *pipeline.Batch) {
		o.packets = append(o.packets, b.Packets...)
		for r, n := range b.Reasons {
			o.reasons[r] += n
		}
	})
	o.err = fmt.Sprint(err)
	return o
}

// plain is the loop that a Run must be equal to.
func plain(tb testing.TB, file []byte) (o outcome) {
	tb.Helper()
	src, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		tb.Fatal(err)
	}
	var decoder capture.Decoder
	var frame capture.Frame
	var packet capture.Packet
	for {
		if err = src.Next(&frame); err != nil {
			break
		}
		if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet) == capture.ReasonOK {
			o.packets = append(o.packets, packet)
		}
	}
	if err == io.EOF {
		err = nil
	}
	o.reasons, o.err = decoder.Counts, fmt.Sprint(err)
	return o
}

func TestAnyNumberOfWorkersGivesTheSame(t *testing.T) {
	whole := sceneFile(t)
	damaged := bytes.Clone(whole)
	at := fileHeader
	for range 5000 {
		at += 16 + int(binary.LittleEndian.Uint32(damaged[at+8:]))
	}
	binary.LittleEndian.PutUint32(damaged[at+8:], 1<<30)
	for name, file := range map[string][]byte{
		"whole":    whole,
		"cut off":  whole[:len(whole)-5],
		"damaged":  damaged,
		"no frame": whole[:fileHeader],
	} {
		want := plain(t, file)
		for _, workers := range []int{1, 2, 4, 8} {
			got := run(t, file, workers)
			if !slices.Equal(got.packets, want.packets) {
				t.Errorf("%s, %d workers: %d packets, want %d, or others", name, workers, len(got.packets), len(want.packets))
			}
			if got.reasons != want.reasons || got.err != want.err {
				t.Errorf("%s, %d workers: %v, %s; want %v, %s", name, workers, got.reasons, got.err, want.reasons, want.err)
			}
		}
	}
}

// TestNothingWaitsForAFullBatch writes single packets into a pipe, each after
// the one before has been taken.
func TestNothingWaitsForAFullBatch(t *testing.T) {
	file := sceneFile(t)
	for _, workers := range []int{1, 2} {
		r, w := io.Pipe()
		taken := make(chan int)
		finished := make(chan error)
		go func() {
			src, err := capture.NewReader(r)
			if err == nil {
				err = pipeline.Run(context.Background(), src, nil, workers, func(b *pipeline.Batch) { taken <- len(b.Packets) })
			}
			finished <- err
		}()
		if _, err := w.Write(file[:fileHeader]); err != nil {
			t.Fatal(err)
		}
		at := fileHeader
		for range 20 {
			end := at + 16 + int(binary.LittleEndian.Uint32(file[at+8:]))
			if _, err := w.Write(file[at:end]); err != nil {
				t.Fatal(err)
			}
			if n := <-taken; n != 1 {
				t.Fatalf("%d workers: %d packets taken, want the one that was written", workers, n)
			}
			at = end
		}
		w.Close()
		if err := <-finished; err != nil {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
}

// TestCancelled stops in the middle: what was read has been taken, and no
// goroutine stays.
func TestCancelled(t *testing.T) {
	file := sceneFile(t)
	before := runtime.NumGoroutine()
	for _, workers := range []int{1, 2, 8} {
		src, err := capture.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var frames uint64
		err = pipeline.Run(ctx, src, nil, workers, func(b *pipeline.Batch) {
			cancel()
			for _, n := range b.Reasons {
				frames += n
			}
		})
		if err != nil {
			t.Errorf("%d workers: %v", workers, err)
		}
		if frames != src.Stats().Frames || frames > 10_000 {
			t.Errorf("%d workers: %d frames taken of %d read", workers, frames, src.Stats().Frames)
		}
	}
	for range 100 { // a goroutine that has sent its last value takes a moment to end
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, were %d", runtime.NumGoroutine(), before)
}

// endless is a Source of one frame again and again.
type endless struct {
	frame  capture.Frame
	left   int
	before func()
}

func (e *endless) Next(f *capture.Frame) error {
	if e.left == 0 {
		return io.EOF
	}
	e.left--
	if e.left%1000 == 0 && e.before != nil {
		e.before()
	}
	*f = e.frame
	return nil
}

func (e *endless) BeforeRead(call func()) { e.before = call }
func (e *endless) Stats() capture.Stats   { return capture.Stats{} }
func (e *endless) Close() error           { return nil }

func TestNothingIsAllocatedPerPacket(t *testing.T) {
	src, err := capture.NewReader(bytes.NewReader(sceneFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	e := &endless{}
	if err := src.Next(&e.frame); err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 2} {
		allocs := func(packets int) float64 {
			return testing.AllocsPerRun(5, func() {
				e.left = packets
				if err := pipeline.Run(context.Background(), e, nil, workers, func(*pipeline.Batch) {}); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			})
		}
		// The runtime's own notes on waiting goroutines come and go by the handful.
		if few, many := allocs(1000), allocs(200_000); many > few+20 {
			t.Errorf("%d workers: %.0f allocations for 1000 packets, %.0f for 200 000", workers, few, many)
		}
	}
}
