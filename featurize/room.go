package featurize

// leastShare is the number of contacts from which a source can be asked to
// give some up: a scan shows in so many.
const leastShare = 8

// makeRoom forgets at least one contact, so that a source can have another.
// Sources on probation go first, whole. Where there is none, who has more than
// half of what sources have on average pays with its own oldest contact, and
// for who has less the longest idle source does. So a crowd of busy sources
// does not push out one another as a whole, over and over, nor those
// that are slower. It reports false where nothing may be forgotten.
func (t *Tracker) makeRoom(source uint32) bool {
	victim := t.leastWorth(source)
	if victim == 0 {
		return false
	}
	if t.sources[victim].segment == protected {
		share := uint32(max(leastShare, (len(t.contacts)-1)/t.held/2))
		if t.sources[source].Count >= share {
			victim = source
		}
		if t.sources[victim].Count >= share {
			t.evictOldest(victim)
			return true
		}
	}
	t.evict(victim)
	return true
}

// evictOldest forgets the contact that a source has not tried for longest.
func (t *Tracker) evictOldest(source uint32) {
	s := &t.sources[source]
	t.dropContact(s.contacts.tail)
	if !s.Scope.Group() {
		t.counters.EvictedContacts++
	}
}
