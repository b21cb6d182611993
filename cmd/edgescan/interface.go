package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
)

// How often drops are looked for, and how often a warning tells of them.
const (
	dropInterval = time.Second
	warnInterval = time.Minute
)

// interfaceLog tells what becomes of one interface, which may be watched for
// months: what happens is told once, what goes on once a minute.
type interfaceLog struct {
	log  zerolog.Logger
	name string

	// For metrics, as of the latest look.
	link                atomic.Uint32 // a capture.LinkState
	frames, drops, shed atomic.Uint64

	mu      sync.Mutex // guards all below: an interface's rings are read at the same time
	dropped uint64     // by all rings
	told    uint64     // drops that a warning has told
	warned  time.Time  // when
}

func (w *watcher) newInterfaceLog(name string) *interfaceLog {
	l := &interfaceLog{log: w.log.With().Str("interface", name).Logger(), name: name}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interfaces = append(w.interfaces, l)
	return l
}

// state tells of a change.
func (l *interfaceLog) state(s capture.LinkState) {
	l.link.Store(uint32(s))
	switch s {
	case capture.LinkUp:
		l.log.Info().Msg("interface is back")
	case capture.LinkDown:
		l.log.Warn().Msg("interface is down or gone, waiting for it")
	case capture.LinkRenamed:
		l.log.Warn().Msg("interface has another name, watching it still")
	case capture.LinkUnreadable:
		l.log.Error().Msg("interface is of another kind now, whose frames cannot be read or do not suit the filter, waiting for it to change")
	}
}

// lost counts drops of a ring, and tells of them if that was not done within the
// minute.
func (l *interfaceLog) lost(drops uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped += drops
	if l.dropped == l.told || !l.warned.IsZero() && time.Since(l.warned) < warnInterval {
		return
	}
	l.log.Warn().Uint64("drops", l.dropped-l.told).Msg("packets were lost, they come faster than they can be read")
	l.told, l.warned = l.dropped, time.Now()
}

// ringLog looks after one ring of an interface.
type ringLog struct {
	to      *interfaceLog
	checked int64         // nanoseconds since 1970, when drops were last looked for
	seen    capture.Stats // as of then
}

// drops looks for drops if it is time to: now is that of the packet or of the
// clock, between which a second is no matter. Asking the kernel this often also
// keeps its 32-bit counters from wrapping unseen.
func (r *ringLog) drops(now int64, stats func() capture.Stats) {
	if d := time.Duration(now - r.checked); d < dropInterval && d > -dropInterval {
		return
	}
	r.checked = now
	total, before := stats(), r.seen
	r.seen = total
	r.to.frames.Add(total.Frames - before.Frames)
	r.to.drops.Add(total.Dropped - before.Dropped)
	r.to.shed.Add(total.Shed - before.Shed)
	r.to.lost(total.Dropped - before.Dropped)
}
