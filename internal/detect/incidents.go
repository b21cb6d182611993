package detect

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"edgescan/featurize"
)

// minIdle is the least time without a new contact after which an incident
// ends.
const minIdle = int64(2 * time.Minute)

// slowIdle is the same of a scan so slow that only a window of hours shows it,
// or slowGaps times its mean gap between contacts if that is longer.
const (
	slowIdle = int64(30 * time.Minute)
	slowGaps = 8
)

// maxTopPorts is how many ports an Event lists.
const maxTopPorts = 10

// sketchFrom is the number of contacts from which an incident has a sketch.
// Below, the Tracker remembers them all: no source is held to fewer.
const sketchFrom = 256

// incident is a source that is scanning.
type incident struct {
	id         uint64
	first      int64 // the first contact counted, Tracker's clock
	latest     int64 // the latest contact that is not productive, as far as is known
	reported   int64 // the latest event
	source     uint32
	prefix     uint32 // the group of a host that counts it, 0 for none
	prev, next uint32
	sketch     uint32 // its number, 0 for none
	window     int32
	score      uint32
	contacts   uint32 // opened since first
	told       uint32 // contacts at the latest event
	outcomes   [featurize.Answered + 1]int32
	crowd      bool   // the source is a prefix, too many hosts of which scan to name each
	silent     bool   // rules allow it
	judged     uint32 // contacts when it was found out what kind the latest are of a silent one
}

// opened counts a contact of an incident under way.
func (e *Engine) opened(i uint32, c *featurize.Contact) {
	in := &e.pool.incidents[i]
	in.contacts++
	in.outcomes[c.Outcome]++
	e.pool.touch(i)
	switch {
	case in.sketch != 0:
		e.pool.sketches[in.sketch-1].add(c)
	case in.contacts == sketchFrom:
		e.startSketch(in)
	}
}

// startSketch begins to count what the Tracker will forget, with what it still
// remembers. Where no sketch is left, the events tell what the Tracker knows.
func (e *Engine) startSketch(in *incident) {
	if in.sketch = e.pool.takeSketch(); in.sketch == 0 {
		return
	}
	s := &e.pool.sketches[in.sketch-1]
	e.tracker.Each(in.source, in.first, func(c *featurize.Contact) bool {
		if !c.Expired() {
			s.add(c)
		}
		return true
	})
}

func (s *sketch) add(c *featurize.Contact) {
	s.hosts.add(c.Dst[:])
	if c.Proto.HasPorts() {
		s.ports.add([]byte{byte(c.Proto), byte(c.Port >> 8), byte(c.Port)})
	}
}

// flag starts an incident and returns its number. Where there are as many as
// memory allows, the one that has been quiet for longest ends for it.
func (e *Engine) flag(source uint32, window int, score uint32) uint32 {
	i := e.pool.take()
	if i == 0 {
		e.cut++
		e.end(e.pool.incidents[0].prev)
		i = e.pool.take()
	}
	e.watches[source].incident = i
	in := &e.pool.incidents[i]
	now := e.tracker.Now()
	since := max(e.watches[source].since, now-featurize.Windows[window])
	in.source, in.window, in.score = source, int32(window), score
	in.first, in.latest = now, now
	e.tracker.Each(source, since, func(c *featurize.Contact) bool {
		if !c.Expired() {
			in.first = min(in.first, max(c.First, since))
			in.contacts++
			in.outcomes[c.Outcome]++
		}
		return true
	})
	if in.contacts >= sketchFrom {
		e.startSketch(in)
	}
	if in.prefix = e.tracker.PrefixOf(source); in.prefix != 0 {
		e.watches[in.prefix].hosts++
	}
	in.id = incidentID(e.tracker.Source(source), e.tracker.CaptureTime(in.first))
	if in.silent = e.tracker.Source(source).Scope == featurize.Apart && e.pardoned(in); in.silent {
		e.allowed++
	} else {
		e.started++
	}
	e.report(in, Start)
	return i
}

// incidentID derives an identity that a second run over the same packets
// gives again.
func incidentID(s *featurize.Source, first int64) uint64 {
	h := fnv.New64a()
	h.Write(binary.BigEndian.AppendUint64(s.Addr[:], uint64(first)))
	if s.Scope != featurize.Host {
		h.Write([]byte{byte(s.Scope), byte(s.Prefix().Bits())})
	}
	return h.Sum64()
}

// checkIncidents sends the updates that are due and ends what is idle.
func (e *Engine) checkIncidents(now int64) {
	e.ready = e.ready[:0]
	for i := e.pool.incidents[0].next; i != 0; i = e.pool.incidents[i].next {
		if in := &e.pool.incidents[i]; in.idle(now) || now-in.reported >= e.interval {
			e.ready = append(e.ready, i)
		}
	}
	e.sortBySource(e.ready)
	for _, i := range e.ready {
		in := &e.pool.incidents[i]
		e.refresh(in)
		if in.idle(now) {
			e.end(i)
			continue
		}
		e.reconsider(i)
		if now-in.reported >= e.interval && in.latest > in.reported && in.contacts > in.told {
			e.report(in, Update)
		}
	}
}

// refresh finds out when the scan was last seen to go on. What else the source
// does, such as browsing, does not prolong an incident.
func (e *Engine) refresh(in *incident) {
	e.tracker.Each(in.source, in.latest+1, func(c *featurize.Contact) bool {
		if !c.Productive() && !c.Expired() {
			in.latest = max(in.latest, c.Last)
		}
		return true
	})
}

// idle reports whether an incident is over: half of the window that showed it
// went by without another contact. Where that is hours, the scan's own pace
// tells sooner.
func (in *incident) idle(now int64) bool {
	patience := max(minIdle, featurize.Windows[in.window]/2)
	if patience > slowIdle {
		patience = min(patience, max(slowIdle, slowGaps*(in.latest-in.first)/int64(in.contacts)))
	}
	return now-in.latest > patience
}

// sortBySource puts incidents in the order of source numbers, in which their
// events are sent.
func (e *Engine) sortBySource(incidents []uint32) {
	slices.SortFunc(incidents, func(a, b uint32) int {
		return cmp.Compare(e.pool.incidents[a].source, e.pool.incidents[b].source)
	})
}

func (e *Engine) endAll() {
	e.ready = e.ready[:0]
	for i := e.pool.incidents[0].next; i != 0; i = e.pool.incidents[i].next {
		e.ready = append(e.ready, i)
	}
	e.sortBySource(e.ready)
	for _, i := range e.ready {
		e.end(i)
	}
}

// end reports the totals. What the source did up to now is not looked at
// again: only new contacts can start another incident.
func (e *Engine) end(i uint32) {
	in := &e.pool.incidents[i]
	e.reconsider(i)
	e.report(in, End)
	if in.prefix != 0 && in.prefix == e.tracker.PrefixOf(in.source) {
		if w := &e.watches[in.prefix]; w.hosts > 0 {
			w.hosts--
		}
	}
	w := &e.watches[in.source]
	*w = watch{since: e.tracker.Now() + 1, due: w.due, hosts: w.hosts}
	e.pool.give(i)
}

// report emits an Event.
func (e *Engine) report(in *incident, state State) {
	ev := e.describe(in, state)
	in.reported, in.told = e.tracker.Now(), in.contacts
	e.show(in, &ev, e.emit)
}

// show gives an event to f, which Evidence then is about.
func (e *Engine) show(in *incident, ev *Event, f func(*Event)) {
	e.reporting = in
	f(ev)
	e.reporting = nil
}

// Describe gives f an Update of the incident of an ID, if it is under way, as it stands
// and without that it counts as told. Evidence goes with it. The Event belongs to the
// Engine as those that it emits do.
func (e *Engine) Describe(id uint64, f func(*Event)) {
	for i := e.pool.incidents[0].next; i != 0; i = e.pool.incidents[i].next {
		if in := &e.pool.incidents[i]; in.id == id {
			ev := e.describe(in, Update)
			e.show(in, &ev, f)
			return
		}
	}
}

// describe returns an Event. Hosts and ports are exact while the Tracker remembers
// all contacts of the incident, and estimates after that.
func (e *Engine) describe(in *incident, state State) Event {
	e.refresh(in)
	now := e.tracker.Now()
	s := e.tracker.Source(in.source)
	ev := Event{
		ID:        in.id,
		State:     state,
		Scope:     s.Scope,
		Source:    s.Addr,
		Prefix:    s.Prefix(),
		Score:     float64(in.score*10000/One) / 10000,
		Time:      e.tracker.CaptureTime(now),
		FirstSeen: e.tracker.CaptureTime(in.first),
		LastSeen:  e.tracker.CaptureTime(in.latest),
		Window:    featurize.Windows[in.window],
		Contacts:  int(in.contacts),
		Answered:  int(in.outcomes[featurize.Answered]),
		Refused:   int(in.outcomes[featurize.Refused]),
		Silent:    int(in.outcomes[featurize.Silent] + in.outcomes[featurize.Pending]),
		Odd:       int(in.outcomes[featurize.Odd]),
	}
	if s.Scope == featurize.Apart {
		ev.Scope = featurize.Host
	}
	if in.silent {
		ev.Allowed = e.reason(in)
	}
	t := e.tally
	t.reset(in.reported)
	var h headings
	e.tracker.Each(in.source, in.first, func(c *featurize.Contact) bool {
		if !c.Expired() {
			from := s.Addr
			if s.Scope.Group() {
				from = t.addMember(e.tracker, c)
			}
			t.add(c, from)
			if e.policy.Inside != nil && !c.Productive() {
				h.add(e, s, c)
			}
		}
		return true
	})
	t.fill(&ev)
	if e.policy.Inside != nil {
		ev.Direction = h.main()
	}
	if in.sketch != 0 && t.contacts < int(in.contacts) {
		sketch := &e.pool.sketches[in.sketch-1]
		ev.Hosts, ev.Ports = max(ev.Hosts, sketch.hosts.count()), max(ev.Ports, sketch.ports.count())
	}
	return ev
}

// Evidence returns a look at the source of the Event that is being emitted, or given by
// Describe, in the shortest window that holds its incident, for what the Tracker
// remembers of it.
// Its Map is nil: Draw draws it. It is valid until emit returns, and there is none
// outside of it: then its Source has done nothing.
func (e *Engine) Evidence() *Look {
	in := e.reporting
	if in == nil {
		return &Look{tracker: e.tracker}
	}
	window := 0
	for window < len(featurize.Windows)-1 && featurize.Windows[window] < e.tracker.Now()-in.first {
		window++
	}
	return e.lookAt(in.source, window, in.first)
}
