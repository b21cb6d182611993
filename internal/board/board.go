// Package board keeps what somebody who watches a running program wants to see: the
// latest incidents and what they look like, and figures of the last minutes.
//
// Events and figures come in, changes since a revision go out, to any number of
// readers. A Board is bounded, and costs next to nothing while nobody reads.
package board

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
)

// ErrUnknown is the error for a key of which the Board has no incident, any more or at
// all.
var ErrUnknown = errors.New("there is no such incident, or it is not shown any more")

// Most of what a Board keeps.
const (
	maxIncidents = 200
	maxContacts  = 48 << 10 // of all incidents, which take 1 MiB
	maxDrawn     = 8 << 10  // of them for one: the latest
	maxGone      = 200
	maxSamples   = 300
)

// Memory is what a full Board takes, and what goes to those who read it, in bytes.
const Memory = 2 << 20

// Verdict is what an operator said of an incident.
type Verdict string

// An incident is open until somebody decides.
const (
	Open      Verdict = ""
	Dismissed Verdict = "dismissed"
	Allowed   Verdict = "allowed"
)

// Incident is one scan, or a summary of many, as a reader gets it.
type Incident struct {
	Key      string // names it for as long as the Board has it
	Event    detect.Event
	Ongoing  bool
	Verdict  Verdict
	Reason   string // of the verdict
	Picture  uint64 // changes when what Contacts returns does; 0: nothing is to be drawn
	revision uint64
	looked   uint64 // when it was taken last, in turns of the Board
	contacts []contact
}

// contact is what is kept of one, in few bytes.
type contact struct {
	host    capture.Addr
	port    uint16
	proto   capture.Proto
	channel uint8
}

// Sample is how much came within a while, and what was known at its end.
type Sample struct {
	At      int64 // system time, nanoseconds since 1970
	Packets uint64
	Drops   uint64
	Sources int // that tried something within the last minute
}

// sampled is a Sample in its place among changes.
type sampled struct {
	Sample
	revision uint64
}

// gone is an incident that is not shown any more.
type gone struct {
	key      string
	revision uint64
}

// Board is safe for concurrent use. Its zero value is empty.
type Board struct {
	mu        sync.Mutex
	revision  uint64
	changed   chan struct{} // closed at the next change; nil: nobody waits
	incidents []*Incident   // in the order in which they came
	samples   []sampled
	gone      []gone
	turn      uint64   // counts what is taken
	forgotten uint64   // what went up to this revision is not known any more
	rules     []string // that were made by readers
	ruled     uint64   // revision of rules
}

// Changes is what became of a Board since a revision.
type Changes struct {
	Revision  uint64
	Full      bool // all that there is, in place of what was known before
	Incidents []Incident
	Gone      []string // keys
	Samples   []Sample
	Rules     []string
	RulesNew  bool // Rules are as they are now, else nothing is said of them
}

// change counts a change and wakes who waits for one.
func (b *Board) change() uint64 {
	b.revision++
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return b.revision
}

// Since returns what changed since a revision, 0 for all that there is, and a channel
// that is closed at the next change.
func (b *Board) Since(revision uint64) (Changes, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := Changes{Revision: b.revision, Full: revision == 0 || revision < b.forgotten || revision > b.revision}
	if c.Full {
		revision = 0
	}
	for _, in := range b.incidents {
		if in.revision > revision {
			c.Incidents = append(c.Incidents, *in)
		}
	}
	for _, g := range b.gone {
		if !c.Full && g.revision > revision {
			c.Gone = append(c.Gone, g.key)
		}
	}
	for _, s := range b.samples {
		if s.revision > revision {
			c.Samples = append(c.Samples, s.Sample)
		}
	}
	if c.RulesNew = c.Full || b.ruled > revision; c.RulesNew {
		c.Rules = b.rules
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return c, b.changed
}

// Add takes figures.
func (b *Board) Add(s Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.samples) == maxSamples {
		b.samples = slices.Delete(b.samples, 0, 1)
	}
	b.samples = append(b.samples, sampled{s, b.change()})
}

// keyOf names an incident. A summary has no ID.
func keyOf(e *detect.Event) string {
	if e.State == detect.Summary {
		return fmt.Sprintf("s%016x", uint64(e.Time))
	}
	return fmt.Sprintf("%016x", e.ID)
}

// Take takes an event of an engine and, where it is about a source, the evidence that
// goes with it. What rules allow is taken only where it was shown before.
func (b *Board) Take(e *detect.Event, evidence *detect.Look) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := keyOf(e)
	in := b.find(key)
	if b.turn++; in != nil {
		in.looked = b.turn
	}
	switch {
	case in != nil && e.State == detect.Update && in.Event.Contacts == e.Contacts && in.Event.LastSeen == e.LastSeen && in.Event.Silent == e.Silent:
		return // nothing new to see
	case in == nil && e.Allowed != "":
		return
	case in == nil:
		in = &Incident{Key: key}
		b.incidents = append(b.incidents, in)
	}
	called, drawn := in.Event.Name, in.Event.Picture
	in.Event = e.Clone()
	if e.Name == "" { // an Engine leaves both empty
		in.Event.Name = called
	}
	if e.Picture == "" {
		in.Event.Picture = drawn
	}
	in.Ongoing = e.State == detect.Start || e.State == detect.Update
	in.revision = b.change()
	if e.State != detect.Summary {
		in.see(evidence)
	}
	b.bound(in)
}

// see keeps what a look shows. When a scan has ended, its source may do other things and
// what it did be forgotten: then what was seen before tells more.
func (in *Incident) see(l *detect.Look) {
	var contacts []contact
	if in.Ongoing {
		contacts = in.contacts[:0]
	}
	l.Each(func(c *featurize.Contact, _ int64) {
		if len(contacts) < maxDrawn {
			contacts = append(contacts, contact{c.Dst, c.Port, c.Proto, uint8(c.Channel())})
		}
	})
	if !in.Ongoing {
		if len(contacts) < len(in.contacts) {
			contacts = in.contacts
		}
		contacts = slices.Clip(slices.Clone(contacts))
	}
	if in.contacts = contacts; len(contacts) > 0 {
		in.Picture = in.revision
	}
}

// bound forgets what is too much, but for the latest: contacts of incidents that were
// closed or are the oldest, then whole ones.
func (b *Board) bound(latest *Incident) {
	for len(b.incidents) > maxIncidents {
		i := b.least(func(in *Incident) bool { return in != latest })
		b.gone = append(b.gone, gone{b.incidents[i].Key, b.change()})
		b.incidents = slices.Delete(b.incidents, i, i+1)
	}
	for len(b.gone) > maxGone {
		b.forgotten = b.gone[0].revision
		b.gone = slices.Delete(b.gone, 0, 1)
	}
	total := 0
	for _, in := range b.incidents {
		total += cap(in.contacts)
	}
	for total > maxContacts {
		in := b.incidents[b.least(func(in *Incident) bool { return in != latest && in.contacts != nil })]
		total -= cap(in.contacts)
		in.contacts, in.Picture, in.revision = nil, 0, b.change()
	}
}

// least returns the incident that is worth least of some, of which there is one: closed
// before ended before ongoing, the oldest of equal ones.
func (b *Board) least(of func(*Incident) bool) int {
	worth := func(in *Incident) int {
		switch {
		case in.Verdict != Open:
			return 0
		case !in.Ongoing:
			return 1
		}
		return 2
	}
	best := -1
	for i, in := range b.incidents {
		if of(in) && (best < 0 || worth(in) < worth(b.incidents[best])) {
			best = i
		}
	}
	return best
}

func (b *Board) find(key string) *Incident {
	for _, in := range b.incidents {
		if in.Key == key {
			return in
		}
	}
	return nil
}

// Find returns an incident.
func (b *Board) Find(key string) (Incident, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.find(key)
	if in == nil {
		return Incident{}, ErrUnknown
	}
	return *in, nil
}

// Decide sets what an operator says of an incident, and why.
func (b *Board) Decide(key string, v Verdict, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.find(key)
	if in == nil {
		return ErrUnknown
	}
	in.Verdict, in.Reason, in.revision = v, reason, b.change()
	return nil
}

// Ongoing returns the IDs of the incidents that go on, those first that were not taken
// for longest.
func (b *Board) Ongoing() []uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []*Incident
	for _, in := range b.incidents {
		if in.Ongoing {
			list = append(list, in)
		}
	}
	slices.SortStableFunc(list, func(x, y *Incident) int { return cmp.Compare(x.looked, y.looked) })
	ids := make([]uint64, len(list))
	for i, in := range list {
		ids[i] = in.Event.ID
	}
	return ids
}

// Contacts returns what an incident's source touched, the latest first.
func (b *Board) Contacts(key string) ([]picture.Contact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.find(key)
	if in == nil {
		return nil, ErrUnknown
	}
	drawn := make([]picture.Contact, len(in.contacts))
	for i, c := range in.contacts {
		drawn[i] = picture.Contact{Host: c.host.Netip(), Proto: c.proto, Port: c.port, Channel: int(c.channel)}
	}
	return drawn, nil
}

// SetRules sets the rules that readers made.
func (b *Board) SetRules(rules []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules = rules
	b.ruled = b.change()
}
