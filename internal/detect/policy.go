package detect

import (
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
)

// Policy says what of the traffic is of no interest. It holds no state that an
// Engine changes, so that it can be replaced while packets come. The zero
// Policy allows nothing, knows no directions, and takes Config.Threshold for all.
type Policy struct {
	// Allows says what a contact made at a packet time is allowed to be a
	// part of. nil allows nothing.
	Allows func(src, dst capture.Addr, proto capture.Proto, port uint16, at int64) Allowance

	// Inside reports whether an address belongs to the network that is
	// protected. nil: no event has a direction.
	Inside func(capture.Addr) bool

	// Thresholds are scores from which a scan in a direction is named. They
	// raise Config.Threshold and never lower it; more than One is never.
	Thresholds [directions]uint32
}

// Allowance is what a contact is allowed to be a part of: scans of these kinds.
// The zero Allowance is none.
type Allowance struct {
	Kinds  KindSet
	Reason string // the operator's, for what is allowed
}

// KindSet is a set of kinds.
type KindSet uint8

// AnyKind is the set of all kinds.
const AnyKind KindSet = 1<<len(kinds) - 1

var kinds = [...]Kind{Vertical, Horizontal, Block}

// SetOf returns the set of one kind, the empty set of what is none.
func SetOf(k Kind) KindSet {
	for i, known := range kinds {
		if k == known {
			return 1 << i
		}
	}
	return 0
}

// Has reports whether a kind is in the set.
func (s KindSet) Has(k Kind) bool { return s&SetOf(k) != 0 }

// Direction says from where a scan comes and where it goes, seen from the
// network that is protected.
type Direction uint8

// The directions, in the order in which they decide where contacts go equally
// often in several.
const (
	Undirected Direction = iota // nobody said what inside is
	Internal                    // from inside to inside
	Outbound                    // from inside to outside
	Inbound                     // from outside to inside
	Transit                     // from outside to outside
	directions
)

var directionNames = [directions]string{"", "internal", "outbound", "inbound", "transit"}

// String returns the direction's name in lower case, as EVE writes it; nothing
// for Undirected.
func (d Direction) String() string { return directionNames[d] }

// ParseDirection returns the direction of a name, Undirected where it is none.
func ParseDirection(name string) Direction {
	return Direction(max(0, slices.Index(directionNames[:], name)))
}

// SetPolicy replaces the Policy. Incidents under way go on as what they are,
// named or silent, until they end. What was allowed and no longer is counts from
// its next contact on.
func (e *Engine) SetPolicy(p Policy) {
	e.policy = p
	e.raised = p.Inside != nil && p.Thresholds != [directions]uint32{}
	if p.Allows == nil {
		e.tracker.SetApart(nil)
		return
	}
	e.tracker.SetApart(func(src, dst capture.Addr, proto capture.Proto, port uint16) featurize.Separation {
		switch e.policy.Allows(src, dst, proto, port, e.tracker.CaptureTime(e.tracker.Now())).Kinds {
		case 0:
			return featurize.Together
		case AnyKind:
			return featurize.Alone
		}
		return featurize.Beside // what is spread over many sources is a scan of another kind
	})
}

// headings counts contacts by direction.
type headings [directions]int

// add counts a contact of a source: of a group from whoever tried it last, and
// from the outside where that one is forgotten.
func (h *headings) add(e *Engine, s *featurize.Source, c *featurize.Contact) {
	src := s.Addr
	if s.Scope.Group() {
		if _, member := e.tracker.Member(c); member != 0 {
			src = e.tracker.Source(member).Addr
		} else if s.Scope == featurize.Target {
			src = capture.Addr{}
		}
	}
	h[directionOf(e.policy.Inside(src), e.policy.Inside(c.Dst))]++
}

func directionOf(from, to bool) Direction {
	switch {
	case from && to:
		return Internal
	case from:
		return Outbound
	case to:
		return Inbound
	}
	return Transit
}

// main returns the direction of most contacts.
func (h *headings) main() Direction {
	most := Internal
	for d := Internal; d < directions; d++ {
		if h[d] > h[most] {
			most = d
		}
	}
	return most
}

// limit returns the score from which a source is named by what it did since
// then: the least of the directions in which it did enough to be judged, so
// that contacts in one do not hide those in another.
func (e *Engine) limit(source uint32, since int64) uint32 {
	if !e.raised {
		return e.threshold
	}
	var h headings
	s := e.tracker.Source(source)
	e.tracker.Each(source, since, func(c *featurize.Contact) bool {
		if !c.Expired() && !c.Productive() {
			h.add(e, s, c)
		}
		return true
	})
	least := e.policy.Thresholds[h.main()]
	for d, n := range h {
		if n >= minDoubtful {
			least = min(least, e.policy.Thresholds[d])
		}
	}
	return max(e.threshold, least)
}

// minNews is the least number of contacts whose shape says that an incident
// has become another kind.
const minNews = 20

// pardoned reports whether all of an incident of a source that is kept apart
// is allowed. Contacts that may be a part of any kind need no judgement; the
// others are to have a shape that all of their rules allow, as a whole, and as
// far as they came since that was found out.
func (e *Engine) pardoned(in *incident) bool {
	t := e.tally
	t.reset(0)
	allowed := AnyKind
	news := in.contacts - in.judged
	e.eachDoubtful(in, func(c *featurize.Contact) bool {
		isNew := news > 0
		if isNew {
			news--
		}
		if a := e.allowance(in, c); a.Kinds != AnyKind && a.Kinds != 0 {
			allowed &= a.Kinds
			t.all.Add(c)
			if isNew {
				t.news.Add(c)
			}
		}
		return true
	})
	if t.news.Contacts() >= minNews {
		in.judged = in.contacts
		if !allowed.Has(t.news.Kind()) {
			return false
		}
	}
	return t.all.Contacts() == 0 || allowed.Has(t.all.Kind())
}

// reason returns why an incident is allowed: by the rule of its latest contact
// that has one.
func (e *Engine) reason(in *incident) string {
	reason := "a rule that applies no longer"
	e.eachDoubtful(in, func(c *featurize.Contact) bool {
		a := e.allowance(in, c)
		if a.Kinds != 0 {
			reason = a.Reason
		}
		return a.Kinds == 0
	})
	return reason
}

func (e *Engine) allowance(in *incident, c *featurize.Contact) Allowance {
	if e.policy.Allows == nil {
		return Allowance{}
	}
	src := e.tracker.Source(in.source).Addr
	return e.policy.Allows(src, c.Dst, c.Proto, c.Port, e.tracker.CaptureTime(c.Last))
}

// eachDoubtful calls f for the contacts of an incident that are not productive,
// latest first, until it returns false.
func (e *Engine) eachDoubtful(in *incident, f func(*featurize.Contact) bool) {
	e.tracker.Each(in.source, in.first, func(c *featurize.Contact) bool {
		return c.Expired() || c.Productive() || f(c)
	})
}

// reconsider names an incident that was silent, where it has become what no
// rule allows.
func (e *Engine) reconsider(i uint32) {
	if in := &e.pool.incidents[i]; in.silent && !e.pardoned(in) {
		in.silent = false
		e.started++
		e.report(in, Start)
	}
}
