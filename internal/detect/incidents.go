package detect

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"edgescan/capture"
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

// incident is a source that is scanning.
type incident struct {
	id       uint64
	first    int64 // the first contact counted, Tracker's clock
	latest   int64 // the latest contact
	reported int64 // the latest event
	window   int
	score    uint32
	contacts int  // opened since first
	told     int  // contacts at the latest event
	crowd    bool // the source is a prefix, too many hosts of which scan to name each
	outcomes [featurize.Answered + 1]int
	hosts    distinct
	ports    distinct
}

// opened counts a contact of an incident under way.
func (in *incident) opened(now int64, c *featurize.Contact) {
	in.latest = now
	in.contacts++
	in.outcomes[c.Outcome]++
	in.hosts.add(c.Dst[:])
	if hasPorts(c) {
		in.ports.add([]byte{byte(c.Proto), byte(c.Port >> 8), byte(c.Port)})
	}
}

// hasPorts reports whether the contact's port is one.
func hasPorts(c *featurize.Contact) bool {
	return c.Proto == capture.ProtoTCP || c.Proto == capture.ProtoUDP
}

// flag starts an incident.
func (e *Engine) flag(source uint32, window int, score uint32) *incident {
	now := e.tracker.Now()
	since := now - featurize.Windows[window]
	in := &incident{first: now, latest: now, window: window, score: score}
	e.tracker.Each(source, since, func(c *featurize.Contact) bool {
		if !c.Expired() {
			in.first = min(in.first, max(c.First, since))
			in.opened(now, c)
		}
		return true
	})
	in.id = incidentID(e.tracker.Source(source), e.tracker.CaptureTime(in.first))
	e.incidents[source] = in
	e.started++
	e.report(source, in, Start)
	return in
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

// checkIncidents sends the updates that are due and ends what is idle. Order
// is that of source numbers, so that the same packets give the same lines.
func (e *Engine) checkIncidents(now int64) {
	if len(e.incidents) == 0 {
		return
	}
	for _, source := range e.openIncidents() {
		in := e.incidents[source]
		switch {
		case now-in.latest > in.patience():
			e.end(source, in)
		case now-in.reported >= e.interval && in.contacts > in.told:
			e.report(source, in, Update)
		}
	}
}

// patience is how long an incident goes on without a new contact: half of the
// window that showed it. Where that is hours, the scan's own pace tells sooner
// that it is over.
func (in *incident) patience() int64 {
	p := max(minIdle, featurize.Windows[in.window]/2)
	if p <= slowIdle {
		return p
	}
	return min(p, max(slowIdle, slowGaps*(in.latest-in.first)/int64(in.contacts)))
}

func (e *Engine) openIncidents() []uint32 {
	sources := make([]uint32, 0, len(e.incidents))
	for s := range e.incidents {
		sources = append(sources, s)
	}
	slices.Sort(sources)
	return sources
}

func (e *Engine) endAll() {
	for _, source := range e.openIncidents() {
		e.end(source, e.incidents[source])
	}
}

// end reports the totals. What the source did up to now is not looked at
// again: only new contacts can start another incident.
func (e *Engine) end(source uint32, in *incident) {
	e.report(source, in, End)
	delete(e.incidents, source)
	e.watches[source] = watch{due: e.watches[source].due}
}

// report emits an Event. Hosts and ports are exact while the Tracker remembers
// all contacts of the incident, and estimates after that.
func (e *Engine) report(source uint32, in *incident, state State) {
	now := e.tracker.Now()
	s := e.tracker.Source(source)
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
		Contacts:  in.contacts,
		Answered:  in.outcomes[featurize.Answered],
		Refused:   in.outcomes[featurize.Refused],
		Silent:    in.outcomes[featurize.Silent] + in.outcomes[featurize.Pending],
		Odd:       in.outcomes[featurize.Odd],
	}
	tally := newTally(in.reported)
	e.tracker.Each(source, in.first, func(c *featurize.Contact) bool {
		if !c.Expired() {
			tally.add(c)
			if s.Scope != featurize.Host && !c.Productive() {
				tally.roll.add(e.tracker, c)
			}
		}
		return true
	})
	tally.fill(&ev)
	if tally.contacts < in.contacts {
		ev.Hosts, ev.Ports = max(ev.Hosts, in.hosts.count()), max(ev.Ports, in.ports.count())
	}
	in.reported, in.told = now, in.contacts
	e.emit(&ev)
}

// tally sums up the contacts that the Tracker remembers.
type tally struct {
	contacts int
	all      Shape
	doubtful Shape // those that are not productive
	news     Shape // of them, those since the latest event
	since    int64
	roll     roll
	protos   map[capture.Proto]int
	ports    map[uint16]int
	example  capture.Addr
}

func newTally(since int64) *tally {
	return &tally{since: since, protos: map[capture.Proto]int{}, ports: map[uint16]int{}}
}

func (t *tally) add(c *featurize.Contact) {
	t.contacts++
	t.protos[c.Proto]++
	t.all.Add(c)
	if hasPorts(c) {
		t.ports[c.Port]++
	}
	if !c.Productive() {
		t.doubtful.Add(c)
		if c.First > t.since {
			t.news.Add(c)
		}
		t.example = c.Dst
	}
}

func (t *tally) fill(ev *Event) {
	ev.Hosts, ev.Ports = t.all.size()
	ev.Sources, ev.Members = len(t.roll.ids), t.roll.known
	ev.Kind = t.doubtful.Kind()
	if ev.State == Update && t.news.Contacts() >= minDoubtful {
		ev.Kind = t.news.Kind()
	}
	ev.Example = t.example
	ev.Protocols = byCount(t.protos)
	ev.TopPorts = byCount(t.ports)
	ev.TopPorts = ev.TopPorts[:min(len(ev.TopPorts), maxTopPorts)]
}

// byCount returns the keys, the most frequent first, equals in order.
func byCount[K cmp.Ordered](m map[K]int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
	return keys
}
