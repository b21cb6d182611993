package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
	"edgescan/internal/detect"
	"edgescan/internal/pipeline"
)

// stopGrace is how long a source may take to notice that it should stop. Only
// a read of standard input that nobody feeds takes longer, and is left.
const stopGrace = time.Second

// watcher brings the frames of sources to one engine.
type watcher struct {
	log     zerolog.Logger
	workers int              // goroutines for a file
	delay   time.Duration    // how late packets may come into a folder that is followed
	only    capture.Bytecode // what of files to look at; nil: everything

	mu      sync.Mutex // guards all below
	engine  *detect.Engine
	stopped bool
	latest  int64 // of several rings: time of the latest packet, or when one was last idle
	sources []capture.Source
	reasons [capture.NumReasons]uint64
	until   instant // of files: when to stop
	words   *worded // what the engine's events go through; may be nil
	counts  alertCounts
	lost    func() uint64 // alerts that some receiver will not get; may be nil
	waiting func() int    // alerts that wait for theirs; may be nil

	flows      *flowInput // nil where packets come
	interfaces []*interfaceLog
	pulse      pulse
}

// read reads files in the order of time. A file that fails does not keep the
// others from being read; all failures are returned.
func (w *watcher) read(ctx context.Context, files []string) error {
	src := capture.NewMerge(files)
	w.sources = append(w.sources, src)
	err := pumpAll(ctx, []*capture.Merge{src}, w.pumpFiles)
	if err != nil && src.Stats().Frames == 0 {
		w.sources = nil // nothing to sum up
	}
	return err
}

// follow reads what is in a folder, and goes on with what comes, until ctx ends.
// Files that fail are reported as they do.
func (w *watcher) follow(ctx context.Context, folder string) error {
	src, err := capture.Follow(folder, func(err error) { w.log.Warn().Err(err).Msg("not all was read") })
	if err != nil {
		return err
	}
	w.sources = append(w.sources, src)
	w.log.Info().Str("folder", folder).Msg("following")
	return pumpAll(ctx, []*capture.Follower{src}, w.pumpFolder)
}

// watch watches interfaces until ctx ends or all of them fail, which to go
// down or to be removed is not. It calls opened when they are open and nothing
// has been read from them.
func (w *watcher) watch(ctx context.Context, f *runFlags, opened func() error) error {
	interfaces, err := openLive(f)
	if err != nil {
		return err
	}
	for _, rings := range interfaces {
		for _, ring := range rings {
			w.sources = append(w.sources, ring)
		}
	}
	if err := opened(); err != nil {
		return err
	}
	if link := interfaces[0][0].Link(); f.filter.given && link != capture.LinkTypeEthernet { // for which tcpdump -i makes another
		w.log.Info().Stringer("packets", link).Msg("the filter has to be made for these, with -y")
	}
	line := w.log.Info().Strs("interfaces", f.interfaces)
	if f.rings > 1 {
		line.Int("rings", f.rings)
	}
	line.Msg("watching")
	return pumpAll(ctx, interfaces, func(ctx context.Context, rings []*capture.Live) error {
		err := w.pumpRings(ctx, rings)
		if err != nil && len(interfaces) > 1 { // else the program ends with it
			w.log.Error().Err(err).Msg("interface no longer watched")
		}
		return err
	})
}

// pumpAll pumps all sources until they end or ctx does, and returns the
// errors of those that failed.
func pumpAll[S any](ctx context.Context, sources []S, pump func(context.Context, S) error) error {
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

// pumpFiles brings the packets of files to the engine.
func (w *watcher) pumpFiles(ctx context.Context, src *capture.Merge) error {
	defer src.Close()
	err := pipeline.Run(ctx, src, w.only, w.workers, w.add)
	if late := src.Late(); late > 0 {
		w.log.Warn().Int("files", late).Msg("too many files overlap in time: some were read late")
	}
	return errors.Join(src.Err(), err)
}

// add gives a batch to the engine.
func (w *watcher) add(b *pipeline.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.take(b)
}

// take does that for whoever holds mu.
func (w *watcher) take(b *pipeline.Batch) {
	for reason, n := range b.Reasons {
		w.reasons[reason] += n
	}
	if w.stopped {
		return
	}
	for i := range b.Packets {
		w.give(&b.Packets[i])
	}
}

// give gives a packet to the engine, of files up to the time at which they are to be
// looked at.
func (w *watcher) give(p *capture.Packet) {
	if w.until.reached(p.Time) {
		w.stopped = true
	}
	if !w.stopped {
		w.engine.Add(p)
	}
}

// hooks are what goes on beside an interface's packets: the clock moves while
// none come, and the log tells what becomes of the interface.
func (w *watcher) hooks(src *capture.Live, report *interfaceLog) pumpHooks {
	ring := ringLog{to: report}
	report.link.Store(uint32(src.State()))
	return pumpHooks{
		loop: w.pulse.loop(src.Name()),
		idle: func(*capture.Frame) {
			now := time.Now()
			w.advance(now)
			ring.drops(now.UnixNano(), src.Stats)
		},
		changed: func() { report.state(src.State()) },
		came: func(frame *capture.Frame, packet *capture.Packet) {
			ring.drops(frame.Time, src.Stats)
			src.Decoded(packet)
		},
	}
}

// pumpFolder brings what is written to a folder to the engine.
func (w *watcher) pumpFolder(ctx context.Context, src *capture.Follower) error {
	quiet := quietClock{delay: w.delay}
	return w.pump(ctx, src, capture.Decoder{Only: w.only}, pumpHooks{
		loop: w.pulse.loop("the folder"),
		idle: func(frame *capture.Frame) {
			quiet.came(frame.Time)
			if now, ok := quiet.now(); ok {
				w.advance(time.Unix(0, now))
			}
		},
	})
}

// quietClock moves time on where nothing comes from files that other programs
// write. It goes on from what came last, not with the system's clock: that may
// differ from the one of the packets, or these may be of last week. And it stays
// behind, since programs write whole buffers: nothing is to find itself in the
// past.
type quietClock struct {
	delay  time.Duration
	latest int64 // time of what came last
	since  time.Time
}

// came notes the time of what came last.
func (c *quietClock) came(latest int64) {
	if latest != c.latest {
		c.latest, c.since = latest, time.Now()
	}
}

// now returns the time that it may be, and whether it has gone on.
func (c *quietClock) now() (now int64, ok bool) {
	quiet := time.Since(c.since) - c.delay
	return c.latest + int64(quiet), c.latest > 0 && quiet > 0
}

// pumpHooks are what pump calls beside the engine.
type pumpHooks struct {
	loop    *loop                                 // counts the turns; may be nil
	idle    func(*capture.Frame)                  // with the latest frame, when there is none for a while
	changed func()                                // where an interface has changed; nil for what is none
	came    func(*capture.Frame, *capture.Packet) // with each frame and what it was decoded to; may be nil
}

// instead does what is to be done where there is no frame, and reports whether
// err is a reason for that and no failure.
func (h *pumpHooks) instead(err error, frame *capture.Frame) bool {
	switch {
	case errors.Is(err, capture.ErrTimeout):
		h.idle(frame)
	case errors.Is(err, capture.ErrLinkState):
		h.changed()
	default:
		return false
	}
	return true
}

// pump brings the packets of a source that does not end to the engine, one by
// one: none may wait for others.
func (w *watcher) pump(ctx context.Context, src capture.Source, decoder capture.Decoder, hooks pumpHooks) error {
	defer src.Close()
	var frame capture.Frame
	var packet capture.Packet
	for ctx.Err() == nil {
		hooks.loop.turn()
		if err := src.Next(&frame); err != nil {
			if hooks.instead(err, &frame) {
				continue
			}
			return err
		}
		reason := decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet)
		if hooks.came != nil {
			hooks.came(&frame, &packet)
		}
		w.mu.Lock()
		w.reasons[reason]++
		switch {
		case w.stopped:
		case reason == capture.ReasonOK:
			w.engine.Add(&packet)
		case reason == capture.ReasonFiltered: // nothing else may come for hours, and incidents have to end
			w.engine.Advance(frame.Time)
		}
		w.mu.Unlock()
	}
	return nil
}

func (w *watcher) advance(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latest = now.UnixNano()
	if !w.stopped {
		w.engine.Advance(now.UnixNano())
	}
}

// finish ends the incidents and logs the summary, if there is anything to sum
// up.
func (w *watcher) finish(started time.Time, sinks *delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
	w.words.close(w.engine.Tracker().CaptureTime(w.engine.Tracker().Now()))
	sinks.finish()
	if len(w.sources) == 0 && w.flows == nil {
		return // nothing could be read: the error says it all
	}
	stats := w.engine.Stats()
	summary := w.log.Info()
	if w.flows != nil {
		w.flows.summary(summary)
	} else {
		w.packetSummary(summary)
	}
	summary.
		Uint64("sources", stats.Sources).
		Uint64("contacts", stats.Contacts).
		Uint64("incidents", stats.Incidents).
		Uint64("allowed", stats.Allowed).
		Uint64("looks", stats.Looks).
		Uint64("forgotten_sources", stats.EvictedSources).
		Uint64("forgotten_contacts", stats.EvictedContacts).
		Uint64("incidents_cut_short", stats.Cut).
		Uint64("undelivered_alerts", sinks.Undelivered()).
		Str("peak_memory", peakMemory().text()).
		Stringer("took", time.Since(started).Round(time.Millisecond)).
		Msg("summary")
}

// end ends the incidents, for whoever holds mu.
func (w *watcher) end() {
	if w.flows != nil {
		w.flows.player.Flush()
	}
	w.stopped = true
	w.engine.Close()
}

// packetSummary adds what became of packets to the summary.
func (w *watcher) packetSummary(line *zerolog.Event) {
	total := w.total()
	undecoded := zerolog.Dict()
	w.eachUndecoded(func(r capture.Reason, n uint64) { undecoded.Uint64(r.String(), n) })
	line.Uint64("packets", total.Frames)
	if w.only != nil {
		line.Uint64("filtered_out", w.reasons[capture.ReasonFiltered])
	}
	line.Uint64("drops", total.Dropped).Uint64("bulk_udp_flows", total.Shed).Dict("not_decoded", undecoded)
}

// total adds up what the sources count.
func (w *watcher) total() (total capture.Stats) {
	for _, s := range w.sources {
		stats := s.Stats()
		total.Frames += stats.Frames
		total.Dropped += stats.Dropped
		total.Shed += stats.Shed
	}
	return total
}

// eachUndecoded calls f for each reason why packets were not decoded.
func (w *watcher) eachUndecoded(f func(r capture.Reason, n uint64)) {
	for r := capture.ReasonOK + 1; r < capture.NumReasons; r++ {
		if n := w.reasons[r]; n > 0 && r != capture.ReasonFiltered {
			f(r, n)
		}
	}
}
