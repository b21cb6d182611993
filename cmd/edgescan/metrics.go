package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"edgescan/capture"
	"edgescan/internal/detect"
	"edgescan/internal/httpd"
	"edgescan/internal/metrics"
)

// monitor tells those who run the program how it does: metrics and health over
// HTTP, and the service manager. It is opened before the program gives up its
// privileges.
type monitor struct {
	listener net.Listener // nil: no metrics
	notify   *notifier
	started  time.Time
	memory   byteSize // that the program is to stay within
}

// openMonitor opens what the flag and the environment ask for.
func openMonitor(f *runFlags) (*monitor, error) {
	m := &monitor{started: time.Now(), memory: f.memory}
	var err error
	if m.notify, err = openNotifier(); err != nil {
		return nil, err
	}
	if f.metrics == "" {
		return m, nil
	}
	if !f.live() {
		return nil, usageError{errMetricsOfFiles}
	}
	m.listener, err = listen("--metrics", f.metrics)
	return m, err
}

// listen opens the address that a flag says.
func listen(flag, address string) (net.Listener, error) {
	l, err := httpd.Listen(address)
	if err == nil {
		return l, nil
	}
	err = fmt.Errorf("%s %s: %w", flag, address, err)
	if errors.Is(err, httpd.ErrAddress) {
		err = usageError{err}
	}
	return nil, err
}

// ready is called when everything is open and privileges are dropped. What it
// starts ends with ctx.
func (m *monitor) ready(ctx context.Context, w *watcher) {
	m.notify.tell("READY=1", "STATUS=watching")
	go m.notify.feed(ctx, &w.pulse, func() string { return w.figures().status() })
	if m.listener == nil {
		return
	}
	go httpd.Serve(ctx, m.listener, httpd.Pages(map[string]func(context.Context) httpd.Answer{
		"/metrics": func(context.Context) httpd.Answer {
			return httpd.Answer{Status: 200, Type: metrics.ContentType, Body: m.page(w.figures())}
		},
		"/healthz": func(ctx context.Context) httpd.Answer {
			if err := w.pulse.check(ctx, pulsePatience); err != nil {
				return httpd.Text(503, err.Error()+"\n")
			}
			return httpd.Text(200, "ok\n")
		},
	}))
	w.log.Info().Str("address", m.listener.Addr().String()).Msg("metrics and health")
}

// alertCounts counts what was told.
type alertCounts struct {
	started map[detect.Kind]uint64
	lines   map[detect.State]uint64
	failed  uint64 // that some sink did not take
	ongoing int
}

// happened counts an event that the engine gave, unless a rule allows it.
func (c *alertCounts) happened(e *detect.Event) {
	if e.Allowed != "" {
		return
	}
	if c.started == nil {
		c.started = map[detect.Kind]uint64{}
	}
	switch e.State {
	case detect.Start:
		c.started[e.Kind]++
		c.ongoing++
	case detect.End:
		c.ongoing--
	}
}

// told counts an event that went to the sinks.
func (c *alertCounts) told(e *detect.Event, err error) {
	if c.lines == nil {
		c.lines = map[detect.State]uint64{}
	}
	c.lines[e.State]++
	if err != nil {
		c.failed++
	}
}

// figures are a copy of what metrics tell.
type figures struct {
	engine     detect.Stats
	reasons    [capture.NumReasons]uint64
	started    [3]uint64 // by metricKinds
	lines      [4]uint64 // by metricStates
	failed     uint64
	lost       uint64 // alerts that some receiver will not get
	waiting    int    // alerts that wait for theirs
	ongoing    int
	interfaces []interfaceFigures
	flows      *flowFigures // nil where packets come
}

type interfaceFigures struct {
	name          string
	up            bool
	frames, drops uint64
	shed          uint64
}

// The kinds and states in the order in which metrics have them.
var (
	metricKinds  = [...]detect.Kind{detect.Vertical, detect.Horizontal, detect.Block}
	metricStates = [...]detect.State{detect.Start, detect.Update, detect.End, detect.Summary}
)

// figures copies what is known; packets wait for no longer than that takes.
func (w *watcher) figures() figures {
	w.mu.Lock()
	f := figures{engine: w.engine.Stats(), reasons: w.reasons, failed: w.counts.failed, ongoing: w.counts.ongoing}
	for i, k := range metricKinds {
		f.started[i] = w.counts.started[k]
	}
	for i, s := range metricStates {
		f.lines[i] = w.counts.lines[s]
	}
	if w.lost != nil {
		f.lost = w.lost()
	}
	if w.waiting != nil {
		f.waiting = w.waiting()
	}
	interfaces := w.interfaces
	if w.flows != nil {
		of := w.flows.figures()
		f.flows = &of
	}
	w.mu.Unlock()
	for _, l := range interfaces {
		f.interfaces = append(f.interfaces, interfaceFigures{
			name: l.name, up: capture.LinkState(l.link.Load()) != capture.LinkDown && capture.LinkState(l.link.Load()) != capture.LinkUnreadable,
			frames: l.frames.Load(), drops: l.drops.Load(), shed: l.shed.Load(),
		})
	}
	return f
}

// dropped returns how many packets of interfaces were lost.
func (f *figures) dropped() (n uint64) {
	for _, i := range f.interfaces {
		n += i.drops
	}
	return n
}

// status is a line for the service manager.
func (f figures) status() string {
	return fmt.Sprintf("%d packets, %d drops, %d sources, %d incidents, %d of them now", f.engine.Packets, f.dropped(), f.engine.Sources, f.engine.Incidents, f.ongoing)
}

// page writes the metrics. None is labelled by source: scanners would choose
// how many there are.
func (m *monitor) page(f figures) []byte {
	var t metrics.Text
	perInterface := func(name string, kind metrics.Kind, help string, value func(interfaceFigures) float64) {
		if len(f.interfaces) == 0 {
			return
		}
		t.Family(name, kind, help)
		for _, i := range f.interfaces {
			t.Sample(name, value(i), "interface", i.name)
		}
	}
	perInterface("edgescan_interface_up", metrics.Gauge, "Whether the interface is there, up and readable.", func(i interfaceFigures) float64 {
		if i.up {
			return 1
		}
		return 0
	})
	perInterface("edgescan_interface_packets_total", metrics.Counter, "Packets that passed the kernel's filter.", func(i interfaceFigures) float64 { return float64(i.frames) })
	perInterface("edgescan_interface_drops_total", metrics.Counter, "Of these, packets that were lost because they came faster than they could be read.", func(i interfaceFigures) float64 { return float64(i.drops) })
	perInterface("edgescan_interface_bulk_udp_flows_total", metrics.Counter, "Flows of UDP that were left in the kernel for a while.", func(i interfaceFigures) float64 { return float64(i.shed) })
	counter := func(name, help string, value uint64) { t.One(name, metrics.Counter, help, float64(value)) }
	if f.flows != nil {
		f.flows.metrics(counter)
	}
	counter("edgescan_packets_total", "Packets that were decoded.", f.engine.Packets)
	t.Family("edgescan_not_decoded_total", metrics.Counter, "Packets that were not decoded, by reason.")
	for r := capture.ReasonOK + 1; r < capture.NumReasons; r++ {
		t.Sample("edgescan_not_decoded_total", float64(f.reasons[r]), "reason", r.String())
	}
	counter("edgescan_contacts_total", "Contacts: a source that tries a destination, protocol and port.", f.engine.Contacts)
	counter("edgescan_sources_total", "Sources that were seen; one that was forgotten counts anew.", f.engine.Sources)
	counter("edgescan_forgotten_sources_total", "Sources that were forgotten for want of memory.", f.engine.EvictedSources)
	counter("edgescan_forgotten_contacts_total", "Contacts that were forgotten for want of memory.", f.engine.EvictedContacts)
	counter("edgescan_clock_steps_total", "Times that the packets' clock was put back.", f.engine.ClockSteps)
	counter("edgescan_looks_total", "Looks of the neural network at a source.", f.engine.Looks)
	t.Family("edgescan_incidents_total", metrics.Counter, "Scans that started, by kind.")
	for i, k := range metricKinds {
		t.Sample("edgescan_incidents_total", float64(f.started[i]), "kind", string(k))
	}
	t.One("edgescan_incidents_ongoing", metrics.Gauge, "Scans that go on.", float64(f.ongoing))
	counter("edgescan_incidents_allowed_total", "Scans that rules allow, of which no alert tells.", f.engine.Allowed)
	counter("edgescan_incidents_cut_short_total", "Scans that were told to end for want of memory, while they went on.", f.engine.Cut)
	t.Family("edgescan_alerts_total", metrics.Counter, "Alerts that were written, by state; a summary is about many scans.")
	for i, s := range metricStates {
		t.Sample("edgescan_alerts_total", float64(f.lines[i]), "state", string(s))
	}
	counter("edgescan_alerts_failed_total", "Alerts that some output did not take.", f.failed)
	t.One("edgescan_alerts_waiting", metrics.Gauge, "Alerts that wait for receivers, in memory and on disk; one for two receivers counts twice.", float64(f.waiting))
	counter("edgescan_alerts_undelivered_total", "Alerts that a receiver will never get: its queue was full, or its file or socket failed. One for two receivers counts twice.", f.lost)
	t.One("edgescan_memory_limit_bytes", metrics.Gauge, "Memory to stay within (--memory).", float64(m.memory))
	t.One("edgescan_memory_peak_bytes", metrics.Gauge, "Most memory that was ever resident.", float64(peakMemory()))
	t.One("process_resident_memory_bytes", metrics.Gauge, "Memory that is resident.", float64(residentMemory()))
	t.One("process_start_time_seconds", metrics.Gauge, "Start of the program, seconds since 1970.", float64(m.started.UnixMilli())/1000)
	version, revision := build()
	t.Family("edgescan_build_info", metrics.Gauge, "What this program is built of; always 1.")
	t.Sample("edgescan_build_info", 1, "version", version, "revision", revision, "goversion", runtime.Version(), "arch", runtime.GOARCH)
	return t.Bytes()
}

// residentMemory returns the memory that is resident now, bytes, or 0 where
// the system does not tell.
func residentMemory() int64 {
	statm, _ := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// build returns the version and the revision that the program was built from,
// as far as the build knew them.
func build() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return info.Main.Version, revision
}
