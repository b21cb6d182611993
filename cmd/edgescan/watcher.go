package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
	"edgescan/internal/alert"
	"edgescan/internal/detect"
	"edgescan/internal/pipeline"
)

// stopGrace is how long a source may take to notice that it should stop. Only
// a read of standard input that nobody feeds takes longer, and is left.
const stopGrace = time.Second

// watcher brings the frames of sources to one engine.
type watcher struct {
	log     zerolog.Logger
	workers int // goroutines for a file

	mu      sync.Mutex // guards all below
	engine  *detect.Engine
	stopped bool
	sources []capture.Source
	reasons [capture.NumReasons]uint64
}

// read reads files one after the other. A file that fails does not keep the
// others from being read; all failures are returned.
func (w *watcher) read(ctx context.Context, files []string) error {
	var errs []error
	for _, path := range files {
		if ctx.Err() != nil {
			break
		}
		src, err := capture.Open(path)
		if err == nil {
			w.sources = append(w.sources, src)
			err = pumpAll(ctx, []*capture.File{src}, w.pumpFile)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// watch watches interfaces until ctx ends or all of them fail. It calls opened
// when they are open and nothing has been read from them.
func (w *watcher) watch(ctx context.Context, interfaces []string, promiscuous bool, opened func() error) error {
	sources, err := openLive(interfaces, promiscuous)
	if err != nil {
		return err
	}
	w.sources = sources
	if err := opened(); err != nil {
		return err
	}
	w.log.Info().Strs("interfaces", interfaces).Msg("watching")
	return pumpAll(ctx, sources, w.pumpLive)
}

// pumpAll pumps all sources until they end or ctx does, and returns the
// errors of those that failed.
func pumpAll[S capture.Source](ctx context.Context, sources []S, pump func(context.Context, S) error) error {
	results := make(chan error, len(sources))
	for _, src := range sources {
		go func() { results <- pump(ctx, src) }()
	}
	var errs []error
	var grace <-chan time.Time
	done := ctx.Done()
	for range sources {
		select {
		case err := <-results:
			errs = append(errs, err)
			continue
		case <-done:
			done, grace = nil, time.After(stopGrace)
		}
		select {
		case err := <-results:
			errs = append(errs, err)
		case <-grace:
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

// pumpFile brings a file's packets to the engine.
func (w *watcher) pumpFile(ctx context.Context, src *capture.File) error {
	defer src.Close()
	return pipeline.Run(ctx, src, w.workers, w.add)
}

// add gives a batch to the engine.
func (w *watcher) add(b *pipeline.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for reason, n := range b.Reasons {
		w.reasons[reason] += n
	}
	if w.stopped {
		return
	}
	for i := range b.Packets {
		w.engine.Add(&b.Packets[i])
	}
}

// pumpLive brings an interface's packets to the engine, one by one: none may
// wait for others.
func (w *watcher) pumpLive(ctx context.Context, src capture.Source) error {
	defer src.Close()
	var decoder capture.Decoder
	var frame capture.Frame
	var packet capture.Packet
	for ctx.Err() == nil {
		err := src.Next(&frame)
		if errors.Is(err, capture.ErrTimeout) {
			w.advance(time.Now())
			continue
		}
		if err != nil {
			return err
		}
		reason := decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet)
		w.mu.Lock()
		w.reasons[reason]++
		if reason == capture.ReasonOK && !w.stopped {
			w.engine.Add(&packet)
		}
		w.mu.Unlock()
	}
	return nil
}

func (w *watcher) advance(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.engine.Advance(now.UnixNano())
	}
}

// finish ends the incidents and logs the summary, if there is anything to sum
// up.
func (w *watcher) finish(started time.Time, sinks *alert.Fan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.engine.Close()
	if len(w.sources) == 0 {
		return // nothing could be opened: the error says it all
	}
	var total capture.Stats
	for _, s := range w.sources {
		stats := s.Stats()
		total.Frames += stats.Frames
		total.Dropped += stats.Dropped
	}
	stats := w.engine.Stats()
	undecoded := zerolog.Dict()
	for r := capture.ReasonOK + 1; r < capture.NumReasons; r++ {
		if n := w.reasons[r]; n > 0 {
			undecoded.Uint64(r.String(), n)
		}
	}
	w.log.Info().
		Uint64("packets", total.Frames).
		Uint64("drops", total.Dropped).
		Uint64("sources", stats.Sources).
		Uint64("contacts", stats.Contacts).
		Uint64("incidents", stats.Incidents).
		Uint64("looks", stats.Looks).
		Uint64("forgotten_sources", stats.EvictedSources).
		Uint64("forgotten_contacts", stats.EvictedContacts).
		Uint64("incidents_cut_short", stats.Cut).
		Uint64("undelivered_alerts", sinks.Failed).
		Dict("not_decoded", undecoded).
		Str("peak_memory", peakMemory().text()).
		Stringer("took", time.Since(started).Round(time.Millisecond)).
		Msg("summary")
}
