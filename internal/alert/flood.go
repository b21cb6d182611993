package alert

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"edgescan/internal/detect"
)

// floodInterval is the time within which starts are counted, and between two
// summaries, of packet time.
const floodInterval = int64(time.Minute)

// Bounds of what is kept for a summary, whatever comes.
const (
	maxExamples   = 3
	maxFloodPorts = 1024 // that are counted
)

// Flood stands between an Engine and sinks. Of the incidents that start within
// a minute it passes on a number; those beyond are folded: of their starts,
// updates and ends there is one summary a minute, and nothing else. Events of
// all other incidents pass as they come, so that what was told to start is
// told to end.
//
// Time is the Events' own: the same Events give the same lines. It is not safe
// for concurrent use.
type Flood struct {
	limit int
	next  func(*detect.Event)

	began  int64 // the minute in which starts are counted
	starts int   // passed on in it

	folded map[uint64]struct{} // incidents without Events of their own that go on
	counts detect.Folded       // since the latest summary
	ports  map[uint16]int      // how many of the started tried them
	since  int64               // start of what is counted, 0 where there is nothing
}

// NewFlood returns a Flood that gives at most limit starts a minute to next, as
// well as the summaries. Next must not keep what it gets.
func NewFlood(limit int, next func(*detect.Event)) *Flood {
	return &Flood{limit: limit, next: next, folded: map[uint64]struct{}{}, ports: map[uint16]int{}}
}

// Take takes an Event of the Engine.
func (f *Flood) Take(e *detect.Event) {
	f.Advance(e.Time)
	_, known := f.folded[e.ID]
	switch {
	case e.State == detect.Start && !f.admit(e.Time):
		f.folded[e.ID] = struct{}{}
		f.start(e)
	case known && e.State == detect.End:
		delete(f.folded, e.ID)
		f.counts.Ended++
		f.counts.Contacts += e.Contacts
	case known:
		f.counts.Updated++
	default:
		f.next(e)
		return
	}
	if f.since == 0 {
		f.since = e.Time
	}
}

// Advance moves the clock, so that a summary comes when it is due.
func (f *Flood) Advance(now int64) {
	if f.since != 0 && (now-f.since >= floodInterval || now < f.since-floodInterval) {
		f.tell(now)
	}
}

// Close tells what has not been told.
func (f *Flood) Close(now int64) {
	if f.since != 0 {
		f.tell(now)
	}
}

// admit reports whether another incident may start with a line of its own.
func (f *Flood) admit(now int64) bool {
	if d := now - f.began; d >= floodInterval || d < 0 {
		f.began, f.starts = now, 0
	}
	f.starts++
	return f.starts <= f.limit
}

func (f *Flood) start(e *detect.Event) {
	c := &f.counts
	if c.Kinds == nil {
		c.Kinds = map[detect.Kind]int{}
	}
	c.Started++
	c.Kinds[e.Kind]++
	if len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, e.Source)
	}
	for _, p := range e.TopPorts {
		if _, known := f.ports[p]; known || len(f.ports) < maxFloodPorts {
			f.ports[p]++
		}
	}
}

// tell gives the summary away and begins another.
func (f *Flood) tell(now int64) {
	c := f.counts
	c.Ongoing, c.TopPorts = len(f.folded), f.topPorts()
	f.next(&detect.Event{State: detect.Summary, Time: now, FirstSeen: f.since, LastSeen: now, Folded: &c})
	f.counts, f.since = detect.Folded{}, 0
	clear(f.ports)
}

// topPorts returns the ports that most of the started tried, equals in order.
func (f *Flood) topPorts() []uint16 {
	ports := slices.SortedFunc(maps.Keys(f.ports), func(a, b uint16) int {
		return cmp.Or(cmp.Compare(f.ports[b], f.ports[a]), cmp.Compare(a, b))
	})
	return ports[:min(len(ports), maxPorts)]
}
