// Package pipeline brings the packets of a capture file to the one goroutine
// that keeps state about them. Reading, unpacking and decoding need no state
// beyond the file's: they run ahead on a goroutine of their own. Frames go in,
// batches of Packets come out, in the order of the file.
//
// How many goroutines there are changes how long a file takes and nothing else:
// the packets, their order, the counts of what was not decoded and the error at
// the end are the same. That is why the state stays in one place, under one
// bound on its memory, and is not shared out over the cores.
package pipeline

import (
	"context"
	"errors"
	"io"

	"edgescan/capture"
)

// The ring between the two goroutines: some 450 KiB. A batch is large enough
// that waking the other goroutine costs little per packet, and small enough to
// stay in a core's second-level cache together with the tables in use.
const (
	batchPackets = 512
	ringBatches  = 8
)

// Source is a capture.Source that says when it may have to wait for more, as
// capture.File does.
type Source interface {
	capture.Source
	BeforeRead(call func())
}

// Batch is what a run of successive frames gave.
type Batch struct {
	Packets []capture.Packet           // those that could be decoded, in the order of capture
	Reasons [capture.NumReasons]uint64 // all frames, by how far decoding got
}

func newBatch() *Batch { return &Batch{Packets: make([]capture.Packet, 0, batchPackets)} }

func (b *Batch) reset() {
	b.Packets = b.Packets[:0]
	b.Reasons = [capture.NumReasons]uint64{}
}

// Run reads src to its end and calls take, on the caller's goroutine, with
// batch after batch. A batch belongs to take during the call only. Of frames that
// only does not accept (see capture.Decoder) there is the count alone. With one
// worker everything happens on the caller's goroutine; with more, reading and
// decoding run ahead on a second one, by no more than a fixed number of packets.
// More than two are as two: state and verdicts, or unpacking, take longest, and
// each is one stream.
//
// No batch waits to be filled while src waits for input: what was read from
// a pipe is taken before the next read of the pipe.
//
// Run returns nil at the end of the file and otherwise the error of src, once
// all that was read before it has been taken. When ctx ends, Run stops reading,
// has taken what was read, and returns nil. It returns only when its goroutine
// has ended, which a read of src that never returns can delay for ever. It does
// not close src.
func Run(ctx context.Context, src Source, only capture.Bytecode, workers int, take func(*Batch)) error {
	if workers <= 1 {
		return gather(ctx, src, only, newBatch(), func(b *Batch) *Batch {
			take(b)
			b.reset()
			return b
		})
	}
	full := make(chan *Batch, ringBatches)
	free := make(chan *Batch, ringBatches)
	for range ringBatches {
		free <- newBatch()
	}
	result := make(chan error, 1)
	go func() {
		defer close(full)
		result <- gather(ctx, src, only, <-free, func(b *Batch) *Batch {
			full <- b
			return <-free
		})
	}()
	for b := range full {
		take(b)
		b.reset()
		free <- b
	}
	return <-result
}

// gather fills batches until src or ctx ends. It gives away each of them and
// gets an empty one back.
func gather(ctx context.Context, src Source, only capture.Bytecode, b *Batch, give func(*Batch) *Batch) error {
	decoder := capture.Decoder{Only: only}
	flush := func() {
		if decoder.Counts == [capture.NumReasons]uint64{} {
			return
		}
		b.Reasons, decoder.Counts = decoder.Counts, b.Reasons
		b = give(b)
	}
	defer flush()
	src.BeforeRead(flush)
	defer src.BeforeRead(nil)
	var frame capture.Frame
	for ctx.Err() == nil {
		for range batchPackets {
			if err := src.Next(&frame); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			n := len(b.Packets)
			if n == batchPackets {
				flush()
				n = 0
			}
			b.Packets = b.Packets[:n+1]
			if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &b.Packets[n]) != capture.ReasonOK {
				b.Packets = b.Packets[:n]
			}
		}
	}
	return nil
}
