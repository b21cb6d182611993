package detect

import (
	"slices"
	"time"

	"edgescan/featurize"
)

// bar is what contacts of a source must come to for a look to be worth the
// network's time.
//
// Groups collect what many have to do with each other only by chance, so that
// the bar is higher: a failure now and then of each of many hosts draws a line
// as well. And everyone on the Internet is scanned by someone all the time, by
// one probe here and one there. What all sources try is therefore looked at in
// short windows only, in which this background does not add up, and it must
// stand out from the background: that of a network, which is much denser than
// that of one host, is to be known first.
type bar struct {
	doubtful int   // contacts that were not productive
	members  int   // sources of a group that they come from, and that have no incident
	windows  int   // that are looked at, the shortest first
	surges   bool  // the window must hold more than the time before it
	history  int64 // how long that time must be
}

var (
	hostBar    = bar{doubtful: minDoubtful, windows: len(featurize.Windows)}
	prefixBar  = bar{doubtful: 12, members: 8, windows: len(featurize.Windows)}
	targetBar  = bar{doubtful: 20, members: 6, windows: 2, surges: true}
	networkBar = bar{doubtful: 20, members: 6, windows: 2, surges: true, history: int64(10 * time.Minute)}
)

// surge is by how much more often than before something must be tried to stand
// out.
const surge = 4

// How many addresses of one prefix may have incidents of their own at once.
// With a further one, the prefix is what scans. One IPv6 host has as many
// addresses as it likes; of IPv4 a network must be lost to its hosts first, each
// of which is worth a name.
const (
	crowd4 = 32
	crowd6 = 8
)

func barOf(s *featurize.Source) *bar {
	switch {
	case s.Scope == featurize.Prefix:
		return &prefixBar
	case !s.Scope.Group():
		return &hostBar
	case s.Prefix().IsSingleIP():
		return &targetBar
	}
	return &networkBar
}

// stands reports whether a group's window holds enough that is not known to be
// part of another incident, and more of it than before.
func (e *Engine) stands(group uint32, window int, b *bar) bool {
	now := e.tracker.Now()
	since := now - featurize.Windows[window]
	within, before, oldest := 0, 0, since
	members := e.members[:0]
	e.tracker.Each(group, now-int64(time.Hour), func(c *featurize.Contact) bool {
		if c.Expired() || c.Productive() {
			return true
		}
		if c.Last < since {
			before++
			oldest = c.Last
			return b.surges
		}
		id, source := e.tracker.Member(c)
		if e.named(group, c, source) {
			return true
		}
		within++
		if len(members) < b.members && !slices.Contains(members, id) {
			members = append(members, id)
		}
		return true
	})
	e.members = members
	if within < b.doubtful || len(members) < b.members || since-oldest < b.history {
		return false
	}
	return !b.surges || int64(within)*(since-oldest) >= surge*int64(before)*featurize.Windows[window]
}

// named reports whether a group's contact, that source tried last, counts for
// another incident.
func (e *Engine) named(group uint32, c *featurize.Contact, source uint32) bool {
	if e.pool.incidents[0].next == 0 {
		return false // there is none
	}
	if e.watches[source].incident != 0 {
		return true
	}
	for _, g := range e.tracker.Groups(c, source) {
		if g != group && e.watches[g].incident != 0 {
			return true
		}
	}
	return false
}

// crowded returns the group of a host's prefix where that has incidents
// enough, or 0.
func (e *Engine) crowded(source uint32) uint32 {
	group := e.tracker.PrefixOf(source)
	if group == 0 {
		return 0
	}
	w, crowd := &e.watches[group], uint32(crowd6)
	if e.tracker.Source(source).Addr.Is4() {
		crowd = crowd4
	}
	if w.hosts < crowd && (w.incident == 0 || !e.pool.incidents[w.incident].crowd) {
		return 0
	}
	return group
}

// join makes a host's scan a part of its prefix's, and reports whether it is.
func (e *Engine) join(source uint32, window int, score uint32) bool {
	group := e.crowded(source)
	if group == 0 {
		return false
	}
	i := e.watches[group].incident
	if i == 0 {
		i = e.flag(group, window, score)
	}
	in := &e.pool.incidents[i]
	in.crowd = true
	in.latest = e.tracker.Now()
	e.pool.touch(i)
	w := &e.watches[source]
	*w = watch{since: in.latest + 1, due: w.due} // told; what it does next is looked at anew
	return true
}

// maxMembers is how many of a group's sources an Event lists.
const maxMembers = 5
