package detect

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/quant"
)

const (
	// firstLook is the number of changes (contacts opened or failed) within a
	// window at which a source is looked at for the first time.
	firstLook = 5
	// minDoubtful is the least number of contacts in a window that were not
	// productive for a look to be worth the network's time.
	minDoubtful = 5
	// growth is how much the changes must grow until the next look, in
	// quarters.
	growth = 5
)

// Look is one look at one source in one window. It belongs to the Engine and
// is valid during the call.
type Look struct {
	Source  capture.Addr
	Scope   featurize.Scope // whom Source stands for; of a Target it is the destination
	Time    int64           // capture time
	Window  int             // index in featurize.Windows
	Map     *featurize.Map
	Summary featurize.Summary

	tracker *featurize.Tracker
	number  uint32 // of the source
	since   int64  // contacts from then on, Tracker's clock
}

// Prefix returns what Source stands for.
func (l *Look) Prefix() netip.Prefix { return l.tracker.Source(l.number).Prefix() }

// Each gives f the contacts that the map was drawn of, the latest first, and the
// capture time of the first attempt of each. What it shows of a twin is left out.
func (l *Look) Each(f func(c *featurize.Contact, first int64)) {
	t := l.tracker
	t.Each(l.number, max(l.since, t.Now()-featurize.Windows[l.Window]), func(c *featurize.Contact) bool {
		f(c, t.CaptureTime(c.First))
		return true
	})
}

// Draw draws the same contacts in another layout, as featurize.Builder says.
func (l *Look) Draw(b *featurize.Builder, m []uint8) {
	b.Draw(m, l.tracker, l.number, l.Window, l.since)
}

// Judge says how sure it is that a map shows a scan: 0 to One.
type Judge interface {
	Judge(*Look) uint32
}

// One is a score of certainty, as in quant.
const One = quant.One

// Config is what an Engine needs to know.
type Config struct {
	Memory         int64              // bytes for all that the Engine keeps; at least MinMemory
	Key            featurize.Key      // see featurize.Config
	Secret         featurize.Key      // see featurize.Config
	Threshold      uint32             // a score from which a source is scanning
	UpdateInterval time.Duration      // between updates of one incident; 0: DefaultUpdateInterval
	Observer       featurize.Observer // is told of hosts' contacts as well; may be nil
	Policy         Policy             // see SetPolicy
	Tick           func(now int64)    // is called once a second of capture time; may be nil
}

// DefaultUpdateInterval is the time between updates of one incident.
const DefaultUpdateInterval = 10 * time.Minute

// Default and least memory of an Engine in bytes.
const (
	DefaultMemory = 20 << 20
	MinMemory     = 4 << 20
)

// The parts of an Engine's memory that are not its Tracker's and its watches':
// one in so many for incidents, and for what a report needs, which is 82 bytes
// for each contact that a source can have: at most an eighth of all contacts,
// of more than 72 bytes each.
const (
	incidentShare = 8
	tallyShare    = 16
)

// perDue is what a source's place on the list of those to be looked at takes.
const perDue = 4

// Engine turns packets into events. It is not safe for concurrent use.
type Engine struct {
	tracker   *featurize.Tracker
	builder   *featurize.Builder
	judge     Judge
	emit      func(*Event)
	observer  featurize.Observer
	reporting *incident // whose Event is being emitted
	tick      func(now int64)
	threshold uint32
	policy    Policy
	raised    bool // it has thresholds
	interval  int64

	watches   []watch // by source number
	due       []uint32
	pool      pool
	ready     []uint32 // scratch of checkIncidents
	tally     *tally
	nextCheck int64
	picture   featurize.Map
	members   []uint32 // scratch
	looks     uint64
	started   uint64
	allowed   uint64
	cut       uint64
}

// watch is what is kept of a source to know when to look at it.
type watch struct {
	windows  [len(featurize.Windows)]growthMeter
	since    int64  // what happened before has been told
	incident uint32 // under way, 0 for none
	hosts    uint32 // of a prefix: how many of its hosts have one
	due      bool
}

// growthMeter counts changes in one window.
type growthMeter struct {
	since   int64 // when the count began
	changes uint32
	next    uint32 // the count at which to look
}

// NewEngine returns an Engine that has seen nothing. Events are given to emit,
// which must not keep them.
func NewEngine(cfg Config, judge Judge, emit func(*Event)) (*Engine, error) {
	if cfg.Memory < MinMemory {
		return nil, fmt.Errorf("memory: %d bytes, need at least %d", cfg.Memory, int64(MinMemory))
	}
	e := &Engine{
		builder:   featurize.NewBuilder(featurize.DefaultLayout()),
		judge:     judge,
		emit:      emit,
		observer:  cfg.Observer,
		tick:      cfg.Tick,
		threshold: cfg.Threshold,
		interval:  int64(cfg.UpdateInterval),
		pool:      newPool(cfg.Memory / incidentShare),
	}
	if e.interval <= 0 {
		e.interval = int64(DefaultUpdateInterval)
	}
	t, err := featurize.NewTracker(featurize.Config{
		Memory:    cfg.Memory - cfg.Memory/incidentShare - cfg.Memory/tallyShare,
		Key:       cfg.Key,
		Secret:    cfg.Secret,
		PerSource: featurize.Footprint[watch]() + perDue,
	}, e)
	if err != nil {
		return nil, err
	}
	e.tracker = t
	e.watches = make([]watch, t.Sources())
	e.due = make([]uint32, 0, t.Sources())
	e.ready = make([]uint32, 0, cap(e.pool.incidents))
	e.tally = newTally(t.MaxPerSource())
	e.SetPolicy(cfg.Policy)
	return e, nil
}

// Add takes one packet.
func (e *Engine) Add(p *capture.Packet) {
	e.tracker.Advance(p.Time)
	if e.tracker.Now() >= e.nextCheck {
		e.work() // an incident that is over ends before the packet can prolong it
	}
	e.tracker.Take(p)
	e.work()
}

// Advance moves the clock without a packet, so that silence is noticed and
// incidents end on a quiet network.
func (e *Engine) Advance(at int64) {
	e.tracker.Advance(at)
	e.work()
}

// Close settles what waits for an answer and ends all incidents. The Engine is
// of no use afterwards.
func (e *Engine) Close() {
	if e.tracker.Counters().Packets == 0 {
		return
	}
	e.Advance(e.tracker.CaptureTime(e.tracker.Now()) + featurize.Timeout)
	e.endAll()
}

// Tracker returns the Engine's tracker, for observers to read.
func (e *Engine) Tracker() *featurize.Tracker { return e.tracker }

// Stats tells what an Engine has done.
type Stats struct {
	featurize.Counters
	Looks     uint64 // maps judged
	Incidents uint64 // incidents started, without those that are allowed
	Allowed   uint64 // those
	Cut       uint64 // of all, those that ended for want of memory while they went on
}

// Stats returns what was done so far.
func (e *Engine) Stats() Stats {
	return Stats{e.tracker.Counters(), e.looks, e.started, e.allowed, e.cut}
}

// Opened implements featurize.Observer.
func (e *Engine) Opened(t *featurize.Tracker, source uint32, c *featurize.Contact) {
	if e.observer != nil && t.Source(source).Scope == featurize.Host {
		e.observer.Opened(t, source, c)
	}
	if i := e.watches[source].incident; i != 0 {
		e.opened(i, c)
	}
	e.changed(source)
}

// Settled implements featurize.Observer.
func (e *Engine) Settled(t *featurize.Tracker, source uint32, c *featurize.Contact, before featurize.Outcome) {
	if e.observer != nil && t.Source(source).Scope == featurize.Host {
		e.observer.Settled(t, source, c, before)
	}
	if i := e.watches[source].incident; i != 0 {
		if in := &e.pool.incidents[i]; c.First >= in.first {
			in.outcomes[before]--
			in.outcomes[c.Outcome]++
		}
	}
	if c.Failed() {
		e.changed(source)
	}
}

// Forgotten implements featurize.Observer. A source with an incident has
// contacts of late and is the last to be evicted; where it is, its incident
// ends.
func (e *Engine) Forgotten(t *featurize.Tracker, source uint32) {
	if e.observer != nil && t.Source(source).Scope == featurize.Host {
		e.observer.Forgotten(t, source)
	}
	if i := e.watches[source].incident; i != 0 {
		e.cut++
		e.end(i)
	}
	e.watches[source] = watch{due: e.watches[source].due}
}

// changed counts a change in every window and marks the source where one of
// them has grown enough.
func (e *Engine) changed(source uint32) {
	w := &e.watches[source]
	now := e.tracker.Now()
	for i := range w.windows {
		m := &w.windows[i]
		if now-m.since > featurize.Windows[i] {
			*m = growthMeter{since: now, changes: m.carry(now, featurize.Windows[i])}
			m.next = max(firstLook, nextLook(m.changes))
		}
		m.changes++
		if m.changes >= m.next && !w.due {
			w.due = true
			e.due = append(e.due, source)
		}
	}
}

// nextLook returns the number of changes that a number must grow to.
func nextLook(changes uint32) uint32 { return max(changes+1, changes*growth/4) }

// carry returns what counts on into a new window: half of the last one, if it
// was the last.
func (m *growthMeter) carry(now, window int64) uint32 {
	if now-m.since > 2*window {
		return 0
	}
	return m.changes / 2
}

// work looks at the sources that are due and, once a second of packet time,
// at the incidents. It is small enough to be inlined: after most packets there
// is nothing to do.
func (e *Engine) work() {
	if len(e.due) > 0 || e.tracker.Now() >= e.nextCheck {
		e.workDue()
	}
}

func (e *Engine) workDue() {
	for i := 0; i < len(e.due); i++ {
		source := e.due[i]
		if w := &e.watches[source]; w.due {
			w.due = false
			e.look(source, w)
		}
	}
	e.due = e.due[:0]
	if now := e.tracker.Now(); now >= e.nextCheck {
		e.nextCheck = now + int64(time.Second)
		e.checkIncidents(now)
		if e.tick != nil {
			e.tick(e.tracker.CaptureTime(now))
		}
	}
}

// look judges the source in every window that has grown enough. A window that
// shows no more than the next shorter one adds nothing, and a source that is
// known to scan needs no further look.
func (e *Engine) look(source uint32, w *watch) {
	if w.incident != 0 {
		e.reconsider(w.incident)
	}
	s := e.tracker.Source(source)
	b := barOf(s)
	survey := e.tracker.Survey(source, w.since)
	for i := range w.windows {
		m := &w.windows[i]
		if m.changes < m.next {
			continue
		}
		m.next = nextLook(m.changes)
		if w.incident != 0 || i >= b.windows {
			continue
		}
		sum := survey.Extend(e.tracker, i)
		if sum.Doubtful < b.doubtful || i > 0 && sum.Oldest >= e.tracker.Now()-featurize.Windows[i-1] {
			continue
		}
		if s.Scope.Group() && !e.stands(source, i, b) {
			continue
		}
		e.builder.Draw(e.picture[:], e.tracker, source, i, w.since)
		e.looks++
		look := e.lookAt(source, i, w.since)
		look.Map, look.Summary = &e.picture, sum
		if score := e.judge.Judge(look); score >= e.threshold && score >= e.limit(source, max(w.since, e.tracker.Now()-featurize.Windows[i])) {
			if !e.join(source, i, score) {
				e.flag(source, i, score)
			}
			return
		}
	}
}

// lookAt returns a look at a source without its map.
func (e *Engine) lookAt(source uint32, window int, since int64) *Look {
	s := e.tracker.Source(source)
	return &Look{
		Source:  s.Addr,
		Scope:   s.Scope,
		Time:    e.tracker.CaptureTime(e.tracker.Now()),
		Window:  window,
		tracker: e.tracker,
		number:  source,
		since:   since,
	}
}

// Busiest gives f a look without a map, in the longest window, at each of those hosts that
// have most contacts, the most first: n of those that tried something within a time,
// nanoseconds.
func (e *Engine) Busiest(n int, within int64, f func(*Look)) {
	var most []uint32
	count := func(source uint32) uint32 { return e.tracker.Source(source).Count }
	e.tracker.EachActive(within, func(source uint32) {
		if len(most) == n && count(source) <= count(most[n-1]) {
			return
		}
		at, _ := slices.BinarySearchFunc(most, source, func(a, b uint32) int { return cmp.Or(cmp.Compare(count(b), count(a)), -1) })
		most = slices.Insert(most, at, source)
		most = most[:min(len(most), n)]
	})
	for _, source := range most {
		f(e.lookAt(source, len(featurize.Windows)-1, 0))
	}
}

// Find gives f such a look at the host of an address, if it is known.
func (e *Engine) Find(a capture.Addr, f func(*Look)) {
	if source := e.tracker.Find(a); source != 0 {
		f(e.lookAt(source, len(featurize.Windows)-1, 0))
	}
}

// Peek gives f a look without a map at each source and group in a window, whatever
// came of it.
func (e *Engine) Peek(window int, f func(*Look)) {
	for i := 1; i < e.tracker.Sources(); i++ {
		if e.tracker.Source(uint32(i)).Count > 0 {
			f(e.lookAt(uint32(i), window, 0))
		}
	}
}
