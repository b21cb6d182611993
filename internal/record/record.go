// Package record keeps what became of each source of a capture, for whoever tells
// of it afterwards: the verdicts on it over time, its incidents, what the simple
// rules said, and what it looked like when most was seen.
//
// A Recorder stands around an engine: it is its Judge and its Observer, and takes
// its Events. What it keeps is bounded: of sources that are not named those with
// most contacts, of those that are the first.
package record

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
)

// Party is a source, or a group of them.
type Party struct {
	Scope  featurize.Scope
	Prefix netip.Prefix
}

// Host returns the party of one address.
func Host(a netip.Addr) Party { return Party{featurize.Host, netip.PrefixFrom(a, a.BitLen())} }

// partyOf returns a party. What is allowed of a host is the host's.
func partyOf(scope featurize.Scope, prefix netip.Prefix) Party {
	if scope == featurize.Apart {
		scope = featurize.Host
	}
	return Party{scope, prefix}
}

func (p Party) String() string {
	switch {
	case p.Scope == featurize.Target:
		return "many on " + p.Prefix.String()
	case p.Prefix.IsSingleIP():
		return p.Prefix.Addr().String()
	}
	return p.Prefix.String()
}

// Source is what is kept of one party.
type Source struct {
	Party
	Verdicts  []Verdict // one for each time it was looked at, in their order
	Incidents []Incident
	Rules     []int64 // for each of the Recorder's Rules the capture time at which it first named the source, 0 if it did not
	Best      View
}

// Verdict is how sure the network was that a source scans.
type Verdict struct {
	At    int64  // capture time
	Score uint32 // the highest of the windows looked at, 0 to detect.One
}

// Incident is one scan of a source, or what rules allow of it.
type Incident struct {
	First, Latest detect.Event // the same one until there is another
}

// View is one look at a source: of one with incidents at the largest of them, of
// others at the most contacts.
type View struct {
	At       int64  // capture time
	Window   int    // index in featurize.Windows
	Score    uint32 // of the map
	Map      featurize.Map
	Contacts []Contact // that the map shows, the latest first
}

// Drawable returns the contacts as package picture draws them.
func (v *View) Drawable() []picture.Contact {
	contacts := make([]picture.Contact, len(v.Contacts))
	for i, c := range v.Contacts {
		contacts[i] = c.Contact
	}
	return contacts
}

// Contact is one contact that a View shows.
type Contact struct {
	picture.Contact
	First int64 // capture time of the first attempt
}

func contactOf(c *featurize.Contact, first int64) Contact {
	return Contact{picture.ContactOf(c), first}
}

// Most of what a Recorder keeps.
const (
	maxNamed = 500 // sources with incidents
	maxOther = 200 // sources without
)

// Recorder keeps what an engine finds out. It is not safe for concurrent use.
type Recorder struct {
	judge     detect.Judge
	engine    *detect.Engine
	builder   *featurize.Builder
	wanted    Party
	observers []featurize.Observer
	rules     []string
	sources   map[Party]*Source
	named     int
	NotKept   int // incidents of sources of which nothing is kept
	Traffic   Traffic
}

// New returns a Recorder of what a Judge says. What it keeps of one party, if not
// the zero Party, is never let go of.
func New(judge detect.Judge, wanted Party) *Recorder {
	return &Recorder{judge: judge, builder: featurize.NewBuilder(featurize.DefaultLayout()), wanted: wanted, sources: map[Party]*Source{}}
}

// NewEngine returns the engine whose doings are recorded. Its Observer and its Tick are
// the Recorder's; emit, or what it gives events to, calls Event.
func (r *Recorder) NewEngine(cfg detect.Config, emit func(*detect.Event)) (engine *detect.Engine, err error) {
	cfg.Observer = r
	cfg.Tick = func(now int64) { r.Traffic.Count(now, r.engine.Stats().Packets) }
	r.engine, err = detect.NewEngine(cfg, r, emit)
	return r.engine, err
}

// AddRule adds a simple rule, which watch makes an observer of contacts that tells
// of the sources that it names, and when in capture time.
func (r *Recorder) AddRule(name string, watch func(named func(s *featurize.Source, at int64)) featurize.Observer) {
	i := len(r.rules)
	r.rules = append(r.rules, name)
	r.observers = append(r.observers, watch(func(s *featurize.Source, at int64) {
		if s.Scope != featurize.Host {
			return
		}
		if first := &r.source(Party{s.Scope, s.Prefix()}).Rules[i]; *first == 0 {
			*first = at
		}
	}))
}

// Rules returns the names of the simple rules.
func (r *Recorder) Rules() []string { return r.rules }

// source returns what is kept of a party, from now on if nothing was.
func (r *Recorder) source(p Party) *Source {
	s := r.sources[p]
	if s == nil {
		if len(r.sources)-r.named >= 2*maxOther {
			r.prune()
		}
		s = &Source{Party: p, Rules: make([]int64, len(r.rules))}
		r.sources[p] = s
	}
	return s
}

// prune lets go of the sources without incidents that have done least.
func (r *Recorder) prune() {
	for _, s := range r.Others()[maxOther:] {
		if s.Party != r.wanted {
			delete(r.sources, s.Party)
		}
	}
}

// Judge implements detect.Judge.
func (r *Recorder) Judge(l *detect.Look) uint32 {
	score := r.judge.Judge(l)
	s := r.source(partyOf(l.Scope, l.Prefix()))
	if last := len(s.Verdicts) - 1; last >= 0 && s.Verdicts[last].At == l.Time {
		s.Verdicts[last].Score = max(s.Verdicts[last].Score, score)
	} else {
		s.Verdicts = append(s.Verdicts, Verdict{l.Time, score})
	}
	if len(s.Incidents) == 0 && l.Summary.Contacts >= len(s.Best.Contacts) {
		s.Best = see(r.builder, l)
		s.Best.Score = score
	}
	return score
}

// See keeps what a look shows, but for its score.
func See(l *detect.Look) View { return see(featurize.NewBuilder(featurize.DefaultLayout()), l) }

// see is See with a builder for looks without a map.
func see(b *featurize.Builder, l *detect.Look) View {
	v := View{At: l.Time, Window: l.Window}
	if l.Map != nil {
		v.Map = *l.Map
	} else {
		l.Draw(b, v.Map[:])
	}
	l.Each(func(c *featurize.Contact, first int64) {
		v.Contacts = append(v.Contacts, contactOf(c, first))
	})
	return v
}

// judged is see of a look that nobody has judged.
func (r *Recorder) judged(l *detect.Look) View {
	v := see(r.builder, l)
	v.Score = r.judge.Judge(&detect.Look{Map: &v.Map})
	return v
}

// Captions returns a title and a note for the picture of an incident, of whom it is called.
func Captions(who string, e *detect.Event) (title, note string) {
	return fmt.Sprintf("%s  %s scan, %d contacts", who, e.Kind, e.Contacts), "since " + time.Unix(0, e.FirstSeen).UTC().Format(time.DateTime) + " UTC"
}

// Event takes an event of the engine while it is emitted.
func (r *Recorder) Event(e *detect.Event) {
	p := partyOf(e.Scope, e.Prefix)
	if s := r.sources[p]; r.named >= maxNamed && (s == nil || len(s.Incidents) == 0) {
		if e.State == detect.Start {
			r.NotKept++
		}
		return
	}
	s := r.source(p)
	if view := r.judged(r.engine.Evidence()); len(s.Incidents) == 0 || len(view.Contacts) >= len(s.Best.Contacts) {
		s.Best = view
	}
	if last := len(s.Incidents) - 1; last >= 0 && s.Incidents[last].First.ID == e.ID {
		s.Incidents[last].Latest = e.Clone()
		return
	}
	if len(s.Incidents) == 0 {
		r.named++
	}
	s.Incidents = append(s.Incidents, Incident{e.Clone(), e.Clone()})
}

// Opened implements featurize.Observer.
func (r *Recorder) Opened(t *featurize.Tracker, source uint32, c *featurize.Contact) {
	for _, o := range r.observers {
		o.Opened(t, source, c)
	}
}

// Settled implements featurize.Observer.
func (r *Recorder) Settled(t *featurize.Tracker, source uint32, c *featurize.Contact, before featurize.Outcome) {
	for _, o := range r.observers {
		o.Settled(t, source, c, before)
	}
}

// Forgotten implements featurize.Observer.
func (r *Recorder) Forgotten(t *featurize.Tracker, source uint32) {
	for _, o := range r.observers {
		o.Forgotten(t, source)
	}
}

// Peek replaces the View of a party by what the engine knows of it now, before it is
// closed: that in the window of which the Judge is most certain that it shows a scan.
func (r *Recorder) Peek(p Party) {
	for window := range featurize.Windows {
		r.engine.Peek(window, func(l *detect.Look) {
			if (Party{l.Scope, l.Prefix()}) != p {
				return
			}
			s := r.source(p)
			if view := r.judged(l); view.Score > s.Best.Score || window == 0 {
				s.Best = view
			}
		})
	}
}

// Finish takes from the engine, when it is closed, the hosts that were never looked at,
// as they stand: ordinary ones, whose contacts do not come to nothing.
func (r *Recorder) Finish() {
	r.engine.Peek(len(featurize.Windows)-1, func(l *detect.Look) {
		if p := (Party{l.Scope, l.Prefix()}); l.Scope == featurize.Host && r.sources[p] == nil {
			r.source(p).Best = see(r.builder, l)
		}
	})
}

// Find returns what is kept of a party, nil if nothing is.
func (r *Recorder) Find(p Party) *Source { return r.sources[p] }

// Named returns the sources with incidents, in the order of the first of each.
func (r *Recorder) Named() []*Source {
	return r.sorted(func(s *Source) bool { return len(s.Incidents) > 0 }, func(a, b *Source) int {
		return cmp.Compare(a.Incidents[0].First.FirstSeen, b.Incidents[0].First.FirstSeen)
	})
}

// Others returns the sources without, those with most contacts first.
func (r *Recorder) Others() []*Source {
	return r.sorted(func(s *Source) bool { return len(s.Incidents) == 0 }, func(a, b *Source) int {
		return cmp.Compare(len(b.Best.Contacts), len(a.Best.Contacts))
	})
}

func (r *Recorder) sorted(which func(*Source) bool, order func(a, b *Source) int) (list []*Source) {
	for _, s := range r.sources {
		if which(s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *Source) int {
		return cmp.Or(order(a, b), a.Prefix.Compare(b.Prefix), cmp.Compare(a.Scope, b.Scope))
	})
	return list
}
