package main

import (
	"context"
	"io"
	"time"

	"edgescan/capture"
	"edgescan/internal/pipeline"
)

// ringBatch is how many packets a ring brings to the engine at once, if so many
// are at hand: several rings wait for the same lock.
const ringBatch = 64

// maxLag is how far a ring's packets may be behind those of the others. It is
// less than what the tracker takes for a clock that was put back.
const maxLag = 500 * time.Millisecond

// openLive opens the interfaces, which share the memory of the ring: for each
// one or more rings. On an error it closes those that it opened.
func openLive(f *runFlags) ([][]*capture.Live, error) {
	var interfaces [][]*capture.Live
	for _, name := range f.interfaces {
		rings, err := capture.OpenRings(capture.LiveConfig{
			Interface:      name,
			RingBytes:      int(f.eachRing()),
			Promiscuous:    f.promiscuous,
			IgnoreOutgoing: f.incoming,
			Only:           f.filter.program,
		}, f.rings)
		if err != nil {
			closeAll(interfaces)
			return nil, err
		}
		interfaces = append(interfaces, rings)
	}
	if f.filter.given {
		if err := checkLinks(interfaces); err != nil {
			closeAll(interfaces)
			return nil, err
		}
	}
	return interfaces, nil
}

func closeAll(interfaces [][]*capture.Live) {
	for _, rings := range interfaces {
		closeEach(rings)
	}
}

// closeEach closes what was opened where something else could not be.
func closeEach[C io.Closer](opened []C) {
	for _, c := range opened {
		c.Close()
	}
}

// pumpRings brings the packets of an interface's rings to the engine, each on a
// goroutine of its own. If one fails all of them end: without a share of the
// packets, what is seen of the others is misread.
func (w *watcher) pumpRings(ctx context.Context, rings []*capture.Live) error {
	report := w.newInterfaceLog(rings[0].Name())
	if len(rings) == 1 {
		return w.pump(ctx, rings[0], capture.Decoder{}, w.hooks(rings[0], report))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return pumpAll(ctx, rings, func(ctx context.Context, src *capture.Live) error {
		err := w.pumpRing(ctx, src, w.hooks(src, report))
		if err != nil {
			stop()
		}
		return err
	})
}

// pumpRing does as pump does with one ring of several. A packet waits for no
// other, but what is at hand together is brought together.
func (w *watcher) pumpRing(ctx context.Context, src *capture.Live, hooks pumpHooks) error {
	defer src.Close()
	var decoder capture.Decoder
	var frame capture.Frame
	batch := pipeline.Batch{Packets: make([]capture.Packet, 0, ringBatch)}
	bring := func() {
		w.addShare(&batch)
		batch = pipeline.Batch{Packets: batch.Packets[:0]}
	}
	for ctx.Err() == nil {
		hooks.loop.turn()
		if err := src.Next(&frame); err != nil {
			bring()
			if hooks.instead(err, &frame) {
				continue
			}
			return err
		}
		n := len(batch.Packets)
		packet := &batch.Packets[:n+1][n]
		reason := decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, packet)
		hooks.came(&frame, packet)
		batch.Reasons[reason]++
		if reason == capture.ReasonOK {
			batch.Packets = batch.Packets[:n+1]
		}
		if src.Buffered() == 0 || len(batch.Packets) == ringBatch {
			bring()
		}
	}
	bring()
	return nil
}

// addShare gives the engine a batch of one ring of several.
//
// A ring that is read late, because its share is the largest, has packets that
// are older than what others have brought. By more than a second, and the engine
// would think that the clock was put back, again with every packet, and its own
// would run ahead. So they count as at most maxLag old, unless the latest
// packet is of the future, which says that the clock was put back indeed.
func (w *watcher) addShare(b *pipeline.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range b.Packets {
		p := &b.Packets[i]
		if oldest := w.latest - int64(maxLag); p.Time < oldest && w.latest <= time.Now().UnixNano() {
			p.Time = oldest
			continue
		} else if p.Time < oldest {
			w.latest = p.Time
		}
		w.latest = max(w.latest, p.Time)
	}
	w.take(b)
}
