package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
	"edgescan/flow"
	"edgescan/flow/netflow"
)

// flowMemory is what flow records need on their way to the engine: a Joiner's
// 2 MiB, templates, and what is read ahead of each log.
const flowMemory = 5 << 20

// maxTold is of how many exporters the log tells: anybody can claim to be one.
const maxTold = 64

// flowInput is where flow records become packets. The watcher's mu guards it.
type flowInput struct {
	log     zerolog.Logger
	player  *flow.Player
	decoder *netflow.Decoder    // nil for logs
	told    map[netip.Addr]bool // exporters that the log told of: whether they sample

	logs    []*flow.Stats // of each, as of its latest record
	sockets []*netflow.ListenStats
	warned  time.Time
	seen    flowFigures // as of then
}

// flowFigures are what was counted of flows.
type flowFigures struct {
	logs    flow.Stats
	sockets netflow.ListenStats
	decoded netflow.Stats
	joined  flow.JoinStats
}

// newFlowInput begins to take flow records.
func (w *watcher) newFlowInput() *flowInput {
	in := &flowInput{log: w.log, told: map[netip.Addr]bool{}}
	in.player = flow.NewPlayer(flow.DefaultHeld, w.give)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flows = in
	return in
}

// figures counts what came so far.
func (in *flowInput) figures() (f flowFigures) {
	for _, s := range in.logs {
		f.logs.Records += s.Records
		f.logs.Malformed += s.Malformed
	}
	for _, s := range in.sockets {
		f.sockets.Datagrams += s.Datagrams
		f.sockets.Refused += s.Refused
		f.sockets.Dropped += s.Dropped
	}
	if in.decoder != nil {
		f.decoded = in.decoder.Stats()
	}
	f.joined = in.player.Stats()
	return f
}

// readFlows reads flow logs in the order of time.
func (w *watcher) readFlows(ctx context.Context, f *inputFlags) error {
	paths, err := f.logs()
	if err != nil {
		return usageError{err}
	}
	src := flow.NewMerge(paths)
	in := w.newFlowInput()
	err = pumpAll(ctx, []*flow.Merge{src}, func(ctx context.Context, src *flow.Merge) error {
		defer src.Close()
		err := w.pumpFlows(ctx, src, nil)
		if late := src.Late(); late > 0 {
			w.log.Warn().Int("files", late).Msg("too many files overlap in time: some were read late")
		}
		return errors.Join(src.Err(), err)
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && in.figures().logs.Records == 0 {
		w.flows = nil // nothing to sum up
	}
	return err
}

// followFlows reads flow logs that grow, each on a goroutine of its own.
func (w *watcher) followFlows(ctx context.Context, f *inputFlags) error {
	paths, err := f.logs()
	if err != nil {
		return usageError{err}
	}
	var logs []*flow.Reader
	for _, path := range paths {
		log, err := flow.Follow(path)
		if err != nil {
			closeEach(logs)
			return err
		}
		logs = append(logs, log)
	}
	w.newFlowInput()
	w.log.Info().Strs("logs", paths).Msg("following")
	return pumpAll(ctx, logs, func(ctx context.Context, log *flow.Reader) error {
		defer log.Close()
		return w.pumpFlows(ctx, log, w.pulse.loop("a flow log"))
	})
}

// flowSource is where records come from.
type flowSource interface {
	Next(r *flow.Record) error
	Stats() flow.Stats
}

// pumpFlows brings the records of logs to the engine. While nothing comes the clock
// goes on as that of packets in a folder does.
func (w *watcher) pumpFlows(ctx context.Context, src flowSource, turns *loop) error {
	quiet := quietClock{delay: w.delay}
	var counted flow.Stats
	w.mu.Lock()
	w.flows.logs = append(w.flows.logs, &counted)
	w.mu.Unlock()
	var r flow.Record
	for ctx.Err() == nil {
		turns.turn()
		err := src.Next(&r)
		switch {
		case err == nil:
			quiet.came(r.Time)
			w.addFlow(&r, src.Stats(), &counted)
		case errors.Is(err, io.EOF):
			w.addFlow(nil, src.Stats(), &counted)
			return nil
		case errors.Is(err, capture.ErrTimeout):
			if now, ok := quiet.now(); ok {
				w.advanceFlows(now)
			}
		default:
			return err
		}
	}
	return nil
}

// addFlow takes a record, if there is one, and what its log has counted.
func (w *watcher) addFlow(r *flow.Record, stats flow.Stats, counted *flow.Stats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*counted = stats
	if r != nil && !w.stopped {
		w.flows.player.Add(r)
	}
}

// advanceFlows moves the clock on to now, nanoseconds since 1970, where no record
// does. The engine's stays behind: what a Joiner holds is still to come.
func (w *watcher) advanceFlows(now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.flows.player.Advance(now)
		w.engine.Advance(now - 2*flow.Hold)
	}
}

// listen receives flows until ctx ends. It calls opened when the sockets are open.
func (w *watcher) listen(ctx context.Context, f *runFlags, opened func() error) error {
	senders, err := f.senders()
	if err != nil {
		return usageError{err}
	}
	var sockets []*netflow.Listener
	for _, addr := range f.listen {
		s, err := netflow.Listen(addr, senders)
		if err != nil {
			closeEach(sockets)
			return err
		}
		sockets = append(sockets, s)
	}
	in := w.newFlowInput()
	in.decoder = netflow.NewDecoder(netflow.DefaultMemory)
	if err := opened(); err != nil {
		closeEach(sockets)
		return err
	}
	for _, s := range sockets {
		w.log.Info().Stringer("address", s.Addr()).Msg("receiving flows")
		if senders == nil && !s.Addr().Addr().IsLoopback() {
			w.log.Warn().Stringer("address", s.Addr()).Msg("whoever reaches this address can tell of flows that never were: name the exporters, see --exporter")
		}
	}
	return pumpAll(ctx, sockets, w.pumpSocket)
}

// pumpSocket brings the flows that come to a socket to the engine.
func (w *watcher) pumpSocket(ctx context.Context, l *netflow.Listener) error {
	defer l.Close()
	turns := w.pulse.loop("flows at " + l.Addr().String())
	var counted netflow.ListenStats
	w.mu.Lock()
	w.flows.sockets = append(w.flows.sockets, &counted)
	w.mu.Unlock()
	var d netflow.Datagram
	for ctx.Err() == nil {
		turns.turn()
		switch err := l.Next(&d); {
		case err == nil:
			w.receive(&d, l.Stats(), &counted)
		case errors.Is(err, capture.ErrTimeout):
			w.advanceFlows(time.Now().UnixNano())
			w.mu.Lock()
			counted = l.Stats()
			w.flows.warn(time.Now())
			w.mu.Unlock()
		default:
			return err
		}
	}
	return nil
}

// receive takes a datagram, and what its socket has counted.
func (w *watcher) receive(d *netflow.Datagram, stats netflow.ListenStats, counted *netflow.ListenStats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*counted = stats
	if w.stopped {
		return
	}
	in := w.flows
	var sampling uint32
	err := in.decoder.Decode(d.Exporter, d.Time, d.Data, func(r *flow.Record) {
		sampling = max(sampling, r.Sampling)
		in.player.Add(r)
	}, w.engine.Add)
	if err == nil {
		in.heard(d.Exporter, sampling)
	}
	in.warn(time.Unix(0, d.Time))
}

// heard tells once that an exporter sends something, and once that it samples.
func (in *flowInput) heard(exporter netip.Addr, sampling uint32) {
	sampled, known := in.told[exporter]
	if !known {
		if len(in.told) >= maxTold {
			return
		}
		in.told[exporter] = false
		in.log.Info().Stringer("exporter", exporter).Msg("flows come")
	}
	if sampling > 1 && !sampled {
		in.told[exporter] = true
		in.log.Warn().Stringer("exporter", exporter).Uint32("one_packet_in", sampling).
			Msg("it samples packets: that a host did not answer cannot be known, and short scans are not seen")
	}
}

// warn tells what was lost, if it was not told within the minute.
func (in *flowInput) warn(now time.Time) {
	if now.Sub(in.warned) < warnInterval {
		return
	}
	in.warned = now
	f, was := in.figures(), in.seen
	in.seen = f
	tell := func(count, before uint64, message string) {
		if count > before {
			in.log.Warn().Uint64("count", count-before).Msg(message)
		}
	}
	tell(f.decoded.Lost, was.decoded.Lost, "datagrams of exporters, or flows, never came")
	tell(f.sockets.Dropped, was.sockets.Dropped, "datagrams were lost, they come faster than they can be read")
	tell(f.decoded.Malformed, was.decoded.Malformed, "datagrams could not be read")
	tell(f.decoded.Evicted, was.decoded.Evicted, "templates or exporters were forgotten for want of room")
	tell(f.sockets.Refused, was.sockets.Refused, "datagrams of other exporters than --exporter names were left out")
	tell(f.decoded.NoTemplate, was.decoded.NoTemplate, "sets of flows came before the template that tells how to read them")
}

// summary adds what was counted to the summary.
func (in *flowInput) summary(line *zerolog.Event) {
	f := in.figures()
	if in.decoder == nil {
		line.Uint64("flows", f.logs.Records).Uint64("malformed", f.logs.Malformed)
	} else {
		line.Uint64("datagrams", f.sockets.Datagrams).
			Uint64("refused", f.sockets.Refused).
			Uint64("drops", f.sockets.Dropped).
			Uint64("malformed", f.decoded.Malformed).
			Uint64("lost", f.decoded.Lost).
			Uint64("no_template", f.decoded.NoTemplate).
			Uint64("forgotten_templates", f.decoded.Evicted).
			Uint64("ignored", f.decoded.Ignored).
			Uint64("flows", f.decoded.Records).
			Uint64("sampled_packets", f.decoded.Packets)
	}
	line.Uint64("joined", f.joined.Joined).Uint64("not_waited_for", f.joined.Early)
}

// metrics tells the counts.
func (f *flowFigures) metrics(counter func(name, help string, value uint64)) {
	counter("edgescan_flows_total", "Flow records that were read.", f.logs.Records+f.decoded.Records)
	counter("edgescan_flows_joined_total", "Of these, those that were the other half of a connection.", f.joined.Joined)
	counter("edgescan_flow_malformed_total", "Lines of logs, and datagrams, that could not be read.", f.logs.Malformed+f.decoded.Malformed)
	counter("edgescan_flow_datagrams_total", "Datagrams that came from exporters.", f.sockets.Datagrams)
	counter("edgescan_flow_refused_total", "Datagrams that came from others than --exporter names.", f.sockets.Refused)
	counter("edgescan_flow_drops_total", "Datagrams that were lost because they came faster than they could be read.", f.sockets.Dropped)
	counter("edgescan_flow_lost_total", "Datagrams, or with NetFlow v5 and IPFIX flows, that exporters have numbered and that never came.", f.decoded.Lost)
	counter("edgescan_flow_no_template_total", "Sets of flows that came before the template that tells how to read them.", f.decoded.NoTemplate)
	counter("edgescan_flow_forgotten_total", "Exporters and templates that were forgotten, or not taken, for want of memory.", f.decoded.Evicted)
	counter("edgescan_flow_sampled_packets_total", "Packets that sFlow has sampled.", f.decoded.Packets)
}
