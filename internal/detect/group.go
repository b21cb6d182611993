package detect

import (
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
)

// bar is what contacts of a source must come to for a look to be worth the
// network's time, by the source's scope.
//
// Groups collect what many have to do with each other only by chance, so that
// the bar is higher: a failure now and then of each of many hosts draws a line
// as well. Everyone on the Internet is scanned by someone all the time, by one
// probe here and one there, so that what all sources try is looked at in short
// windows only, in which this background does not add up.
type bar struct {
	doubtful int // contacts that were not productive
	members  int // sources of a group that doubtful contacts come from, and that are not known to scan
	windows  int // that are looked at, the shortest first
}

var bars = [...]bar{
	featurize.Host:   {doubtful: minDoubtful, windows: len(featurize.Windows)},
	featurize.Prefix: {doubtful: 8, members: 4, windows: len(featurize.Windows)},
	featurize.Target: {doubtful: 20, members: 6, windows: 2},
}

// crowd is how many hosts of one prefix may have incidents of their own at
// once. With a further one, the prefix is what scans.
const crowd = 8

// spreads reports whether a group's window holds enough that is none of its
// members' own scans.
func (e *Engine) spreads(group uint32, window int, b *bar) bool {
	doubtful := 0
	members := e.members[:0]
	e.tracker.Each(group, e.tracker.Now()-featurize.Windows[window], func(c *featurize.Contact) bool {
		id, source := e.tracker.Member(c)
		if c.Expired() || c.Productive() || e.incidents[source] != nil {
			return true
		}
		doubtful++
		if len(members) < b.members && !slices.Contains(members, id) {
			members = append(members, id)
		}
		return doubtful < b.doubtful || len(members) < b.members
	})
	e.members = members
	return doubtful >= b.doubtful && len(members) >= b.members
}

// crowded returns the group of a host's prefix where that has incidents
// enough, or 0.
func (e *Engine) crowded(source uint32) uint32 {
	group := e.tracker.PrefixOf(source)
	if group == 0 {
		return 0
	}
	if in := e.incidents[group]; in != nil && in.crowd {
		return group
	}
	hosts := 0
	for other := range e.incidents {
		if e.tracker.PrefixOf(other) == group {
			hosts++
		}
	}
	if hosts < crowd {
		return 0
	}
	return group
}

// join makes a host's scan a part of its prefix's, and reports whether it is.
func (e *Engine) join(source uint32, window int, score uint32) bool {
	if e.tracker.Source(source).Scope != featurize.Host {
		return false
	}
	group := e.crowded(source)
	if group == 0 {
		return false
	}
	in := e.incidents[group]
	if in == nil {
		in = e.flag(group, window, score)
	}
	in.crowd = true
	in.latest = e.tracker.Now()
	return true
}

// maxMembers is how many of a group's sources an Event lists.
const maxMembers = 5

// roll is who the sources of a group's contacts are.
type roll struct {
	ids   map[uint32]struct{}
	known []capture.Addr
}

func (r *roll) add(t *featurize.Tracker, c *featurize.Contact) {
	id, source := t.Member(c)
	if _, ok := r.ids[id]; ok {
		return
	}
	if r.ids == nil {
		r.ids = map[uint32]struct{}{}
	}
	r.ids[id] = struct{}{}
	if source != 0 && len(r.known) < maxMembers {
		r.known = append(r.known, t.Source(source).Addr)
	}
}
