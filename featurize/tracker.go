package featurize

import (
	"fmt"
	"time"

	"edgescan/capture"
)

// Timeout is how long a contact waits for an answer before it counts as
// silent: longer than nearly all round trips, shorter than patience.
const Timeout = int64(2 * time.Second)

// freshAfter is how long after its latest attempt a contact that is tried
// again starts afresh: who scans the same targets once more is seen again.
const freshAfter = int64(10 * time.Minute)

// maxReorder is how far back packets may be out of order. A larger step back
// means that the capture's clock was set or that another capture follows.
const maxReorder = int64(time.Second)

// lastTime is where the clock stops, in the year 2116: times that no capture
// has, or a clock that was set back and forth too often, get there.
const lastTime = int64(1) << 62

// touchEvery is how often a busy source or contact is moved to the front of
// its list.
const touchEvery = int64(time.Second)

// streamDatagrams is the number of datagrams one way without an answer from
// which a UDP contact is a stream (RTP, syslog, a tunnel) seen from one side:
// no scanner sends one port that many.
const streamDatagrams = 8

// promoteAt is the number of contacts from which a source is worth keeping
// over sources that only passed by, such as a flood's spoofed addresses.
const promoteAt = 3

// hostBits is the length of a host's prefix, IPv4 or IPv6.
const hostBits = 128

// Config says how large a Tracker is.
type Config struct {
	Memory int64 // bytes for all its tables; at least MinMemory
	Key    Key

	// Secret keys the buckets in which contacts and sources are looked up;
	// the zero Secret is Key. What is found does not depend on it, only how
	// long it takes: who knows it can make all addresses fall into one bucket.
	// So it is drawn at random wherever the input is not trusted, with a fixed
	// Key too.
	Secret Key

	PerSource int64 // bytes that the Observer keeps for each source number, taken from Memory
}

// ApartFunc says whether a contact is to be kept apart from what else its source
// does: in a source of scope Apart that has the same address.
type ApartFunc func(src, dst capture.Addr, proto capture.Proto, port uint16) Separation

// Separation is where a contact belongs.
type Separation uint8

const (
	Together Separation = iota // with what else its source does
	Beside                     // apart, and in groups as any other
	Alone                      // apart, and in no group
)

// MinMemory is the least size of a Tracker's tables in bytes.
const MinMemory = 1 << 20

// Observer is told what happens to contacts while packets are added. It may
// read the Tracker, but not change it; the contact is valid during the call.
type Observer interface {
	// Opened: a new contact.
	Opened(t *Tracker, source uint32, c *Contact)
	// Settled: the contact's outcome changed from before.
	Settled(t *Tracker, source uint32, c *Contact, before Outcome)
	// Forgotten: the source was evicted, its number will be given to another.
	Forgotten(t *Tracker, source uint32)
}

// Counters tells what a Tracker has seen and lost since it was made. Groups and
// what they hold are not counted.
type Counters struct {
	Packets         uint64
	Contacts        uint64 // new ones
	Sources         uint64 // new ones
	EvictedSources  uint64 // forgotten for want of memory
	EvictedContacts uint64
	ClockSteps      uint64 // times that packet time stepped back by more than a second
}

// Source is what a Tracker keeps of one source: a host, or a group.
type Source struct {
	Addr     capture.Addr // of a group the prefix
	hashNext uint32       // a link of chains, or the next free one
	Scope    Scope
	bits     uint8 // of Addr that count, 128 for a host
	segment  uint8
	touched  int64
	contacts list // latest attempt first
	order    link
	Count    uint32 // contacts held
}

// The segments of the sources' order of eviction, those first whose members
// are least worth keeping. A newcomer is on probation until it has promoteAt
// contacts.
const (
	probation = iota
	grouped   // all groups
	protected
	segments
)

// Tracker turns packets into contacts. It is not safe for concurrent use.
type Tracker struct {
	key      Key
	secret   Key
	observer Observer
	apart    ApartFunc // nil: nothing
	partial  bool      // the packet that is taken is
	now      int64     // never goes back
	offset   int64     // now = packet time + offset

	contacts    []Contact // 0 is unused
	freeContact uint32
	contactsBy  chains
	waiting     list // newest at the head

	sources      []Source // 0 is unused
	freeSource   uint32
	sourcesBy    chains
	order        [segments]list
	held         int // sources in use
	aparts       int // of them, those of scope Apart
	maxPerSource uint32
	pinned       uint32 // a source that is not to be evicted now

	groups        int // held
	groupContacts int // held by them
	gates         []gate
	shareSecond   uint32
	shares        int // contacts that groups were offered in that second

	active   []activeSlot
	ghosts   ghosts
	counters Counters
}

// activeSlot remembers that a host sent a datagram of its own accord from a
// port, so that what comes to that port is an answer. One slot a hash; a
// collision overwrites.
type activeSlot struct {
	tag     uint32
	seconds uint32
}

// NewTracker returns an empty Tracker within cfg.Memory bytes. It fails where
// that is below MinMemory.
func NewTracker(cfg Config, observer Observer) (*Tracker, error) {
	if cfg.Memory < MinMemory {
		return nil, fmt.Errorf("memory for contacts: %d bytes, need at least %d", cfg.Memory, int64(MinMemory))
	}
	const (
		perBucket = 4
		perGhost  = 2
		perGate   = 4
	)
	// Half a source for each contact: a flood of spoofed addresses has one
	// contact each, everyone else several.
	units := cfg.Memory * 28 / 32 / (2*(Footprint[Contact]()+perBucket) + Footprint[Source]() + perBucket + cfg.PerSource)
	t := newTables(cfg.Key, observer, sizes{
		units:  units,
		active: floorPow2(cfg.Memory / 16 / Footprint[activeSlot]()),
		ghosts: floorPow2(cfg.Memory / 32 / perGhost),
		gates:  floorPow2(cfg.Memory / 64 / perGate),
	})
	if cfg.Secret != (Key{}) {
		t.secret = cfg.Secret
	}
	t.maxPerSource = uint32(max(256, min(4096, len(t.contacts)/8)))
	return t, nil
}

// sizes are those of a Tracker's tables: units sources and twice as many
// contacts; of the others powers of two.
type sizes struct{ units, active, ghosts, gates int64 }

// newTables returns a Tracker whose maxPerSource is left to set.
func newTables(key Key, observer Observer, n sizes) *Tracker {
	t := &Tracker{
		key:      key,
		secret:   key,
		observer: observer,
		now:      -1 << 62,
		contacts: make([]Contact, 2*n.units+1),
		sources:  make([]Source, n.units+1),
		active:   make([]activeSlot, n.active),
		gates:    make([]gate, n.gates),
		ghosts:   make(ghosts, n.ghosts),
	}
	t.contactsBy = newChains(len(t.contacts), floorPow2(2*n.units))
	t.sourcesBy = newChains(len(t.sources), floorPow2(n.units))
	for i := len(t.contacts) - 1; i > 0; i-- {
		t.contacts[i].hashNext, t.freeContact = t.freeContact, uint32(i)
	}
	for i := len(t.sources) - 1; i > 0; i-- {
		t.sources[i].hashNext, t.freeSource = t.freeSource, uint32(i)
	}
	return t
}

func floorPow2(n int64) int64 {
	p := int64(1)
	for p*2 <= n {
		p *= 2
	}
	return p
}

// SetApart says from now on which contacts are kept apart, nil: none. What is
// known stays where it is, and is answered there.
func (t *Tracker) SetApart(f ApartFunc) { t.apart = f }

// Sources returns the number of source numbers: valid ones are 1 to
// Sources()-1.
func (t *Tracker) Sources() int { return len(t.sources) }

// EachActive calls f with the number of each host that tried something within a time,
// nanoseconds. It takes as long as they are many.
func (t *Tracker) EachActive(within int64, f func(source uint32)) {
	for _, segment := range []int{probation, protected} { // of which groups are none
		for i := t.order[segment].head; i != 0; i = t.sources[i].order.next { // the latest first
			s := &t.sources[i]
			if t.now-s.touched >= within+touchEvery {
				break
			}
			if s.Scope == Host {
				f(i)
			}
		}
	}
}

// Find returns the number of the host of an address, 0 where none is known.
func (t *Tracker) Find(a capture.Addr) uint32 { return t.findSource(&a) }

// MaxPerSource returns how many contacts a source can have.
func (t *Tracker) MaxPerSource() int { return int(t.maxPerSource) }

// Source returns a source by its number.
func (t *Tracker) Source(source uint32) *Source { return &t.sources[source] }

// Counters returns what was counted so far.
func (t *Tracker) Counters() Counters { return t.counters }

// Now returns the Tracker's clock: the latest packet time, made never to step
// back.
func (t *Tracker) Now() int64 { return t.now }

// CaptureTime returns the capture's own time for a time on the Tracker's clock.
func (t *Tracker) CaptureTime(now int64) int64 { return now - t.offset }

// Each calls f for the contacts of a source that were attempted at or after
// since, latest first, until f returns false.
func (t *Tracker) Each(source uint32, since int64, f func(*Contact) bool) {
	for i := t.sources[source].contacts.head; i != 0; i = t.contacts[i].bySource.next {
		c := &t.contacts[i]
		if c.Last < since || !f(c) {
			return
		}
	}
}

// Advance moves the clock to the packet time at, without a packet, and settles
// what has waited too long.
func (t *Tracker) Advance(at int64) {
	at = min(max(at, 0), lastTime)
	v := lastTime
	if at < lastTime-t.offset {
		v = at + t.offset
	}
	if v < t.now {
		if back := t.now - v; back > maxReorder {
			t.offset += back
			t.counters.ClockSteps++
		}
		return
	}
	t.now = v
	if i := t.waiting.tail; i != 0 && t.contacts[i].First+Timeout <= v {
		t.expire()
	}
}

// expire settles what has waited until now.
func (t *Tracker) expire() {
	for i := t.waiting.tail; i != 0 && t.contacts[i].First+Timeout <= t.now; i = t.waiting.tail {
		c := &t.contacts[i]
		switch {
		case c.Outcome != Pending:
			t.stopWaiting(i)
		case c.marks&(markMid|markEmpty) != 0:
			t.settle(i, Odd)
		default:
			t.settle(i, Silent)
		}
	}
}

// Add takes one packet.
func (t *Tracker) Add(p *capture.Packet) {
	t.Advance(p.Time)
	t.Take(p)
}

// Take takes one packet, to whose time the clock has been moved by Advance.
func (t *Tracker) Take(p *capture.Packet) {
	t.counters.Packets++
	t.partial = p.Partial
	if p.Fragment == capture.FragmentLater || p.Src == p.Dst || p.Src.IsUnspecified() || p.Src.IsGroup() || p.Dst.IsUnspecified() {
		return
	}
	switch p.Proto {
	case capture.ProtoTCP:
		t.addTCP(p)
	case capture.ProtoUDP:
		t.addUDP(p)
	case capture.ProtoICMP:
		t.addICMP(p)
	case capture.ProtoICMPv6:
		t.addICMPv6(p)
	case capture.ProtoARP:
		t.addARP(p)
	}
}

// end is one end of a packet: an address with what is found out about it once.
type end struct {
	addr   *capture.Addr
	hash   uint64 // keyed by the secret
	source uint32 // the host's number, 0 where it has none
	known  bool   // source was looked up
}

// endOf returns an address as an end.
func (t *Tracker) endOf(a *capture.Addr) end { return end{addr: a, hash: t.secret.addr(a)} }

// ends returns a packet's ends.
func (t *Tracker) ends(p *capture.Packet) (src, dst end) { return t.endOf(&p.Src), t.endOf(&p.Dst) }

// find returns the contact of src with dst, or 0.
func (t *Tracker) find(src, dst *end, proto capture.Proto, port uint16) uint32 {
	if !src.known {
		src.source, src.known = t.findHashedSource(src.hash, src.addr, Host, hostBits), true
	}
	if t.aparts > 0 {
		return t.findLatest(src, dst, proto, port)
	}
	if src.source == 0 {
		return 0
	}
	return t.findHashed(t.secret.contactOf(src.source, dst.hash, proto, port), src.source, dst.addr, proto, port)
}

// findLatest is find where some contacts are kept apart: which it was when the
// contact was made is not known, for it was asked under other rules perhaps. Of
// two, the one that was tried last.
func (t *Tracker) findLatest(src, dst *end, proto capture.Proto, port uint16) (latest uint32) {
	for _, s := range [...]uint32{src.source, t.findScoped(src.addr, Apart, hostBits)} {
		if s == 0 {
			continue
		}
		if i := t.findOf(s, dst.addr, proto, port); i != 0 && (latest == 0 || t.contacts[i].Last > t.contacts[latest].Last) {
			latest = i
		}
	}
	return latest
}

// keepsApart reports whether a contact that is made now is kept apart.
func (t *Tracker) keepsApart(src, dst *end, proto capture.Proto, port uint16) bool {
	return t.apart != nil && t.apart(*src.addr, *dst.addr, proto, port) != Together
}

func (t *Tracker) findOf(source uint32, dst *capture.Addr, proto capture.Proto, port uint16) uint32 {
	return t.findHashed(t.secret.contact(source, dst, proto, port), source, dst, proto, port)
}

// findHashed is findOf where the hash is known.
func (t *Tracker) findHashed(h uint64, source uint32, dst *capture.Addr, proto capture.Proto, port uint16) uint32 {
	by := &t.contactsBy
	for link := by.first(h); link != 0; {
		i := link & by.index
		c := &t.contacts[i]
		if by.may(link, h) && c.source == source && c.Port == port && c.Proto == proto && c.Dst == *dst {
			return i
		}
		if link&by.more == 0 {
			break
		}
		link = c.hashNext
	}
	return 0
}

// attempt records that src tries dst now: it finds or makes the contact and
// reports whether it is new, as one is that starts afresh. A new contact has no
// outcome yet: the caller opens it with its first one. It came from a port, 0
// where the protocol has none.
func (t *Tracker) attempt(src, dst *end, proto capture.Proto, port, from uint16) (i uint32, fresh bool) {
	source := uint32(0)
	if t.keepsApart(src, dst, proto, port) {
		source = t.touchApart(src.addr)
	} else {
		source = t.touchSource(src)
	}
	i, fresh = t.attemptOf(source, dst, proto, port)
	t.contacts[i].SrcPort = from
	return i, fresh
}

// attemptOf is attempt for a source that is known. For a group i may be 0: it
// takes no memory from the source that it gets the contact from.
func (t *Tracker) attemptOf(s uint32, dst *end, proto capture.Proto, port uint16) (i uint32, fresh bool) {
	h := t.secret.contactOf(s, dst.hash, proto, port)
	if i = t.findHashed(h, s, dst.addr, proto, port); i != 0 {
		c := &t.contacts[i]
		if t.now-c.Last <= freshAfter {
			c.again()
			t.touchContact(i)
			return i, false
		}
		t.dropContact(i)
	}
	if t.sources[s].Count >= t.maxPerSource {
		t.evictOldest(s)
	}
	return t.newContact(h, s, dst.addr, proto, port), true
}

// newContact takes a contact of hash h from the pool, which is made room in
// where it is empty; 0 where that cannot be.
func (t *Tracker) newContact(h uint64, s uint32, dst *capture.Addr, proto capture.Proto, port uint16) uint32 {
	if t.sources[s].Scope.Group() {
		t.boundGroups(s)
	}
	for t.freeContact == 0 {
		if !t.makeRoom(s) {
			return 0
		}
	}
	i := t.freeContact
	c := &t.contacts[i]
	t.freeContact = c.hashNext
	*c = Contact{Dst: *dst, First: t.now, Last: t.now, source: s, Port: port, Attempts: 1, Proto: proto}
	t.contactsBy.pushFront(i, h, t.nextContact)
	src := &t.sources[s]
	src.contacts.pushFront(i, t.bySource)
	src.Count++
	if src.Count == promoteAt && src.segment == probation {
		t.order[probation].remove(s, t.byOrder)
		src.segment = protected
		t.order[protected].pushFront(s, t.byOrder)
	}
	if src.Scope.Group() {
		t.groupContacts++
	} else {
		t.counters.Contacts++
	}
	return i
}

// open announces a new contact with its first outcome; a pending one is
// queued to wait for its answer, unless that may come unseen: then it stays
// pending until one is seen.
func (t *Tracker) open(i uint32, outcome Outcome) {
	c := &t.contacts[i]
	c.Outcome = outcome
	if outcome == Pending && !t.partial {
		c.marks |= markWaiting
		t.waiting.pushFront(i, t.byWaiting)
	}
	t.observer.Opened(t, c.source, c)
	t.share(i)
}

// settle moves a contact's outcome forward, and never back.
func (t *Tracker) settle(i uint32, outcome Outcome) {
	c := &t.contacts[i]
	if outcome <= c.Outcome {
		return
	}
	before := c.Outcome
	c.Outcome = outcome
	t.stopWaiting(i)
	if t.followsTrace(c) {
		c.marks |= markExpired
	}
	t.observer.Settled(t, c.source, c, before)
	t.settleGroups(c)
}

func (t *Tracker) stopWaiting(i uint32) {
	if c := &t.contacts[i]; c.marks&markWaiting != 0 {
		c.marks &^= markWaiting
		t.waiting.remove(i, t.byWaiting)
	}
}

func (t *Tracker) touchContact(i uint32) {
	c := &t.contacts[i]
	if t.now-c.Last >= touchEvery {
		t.sources[c.source].contacts.toFront(i, t.bySource)
	}
	c.Last = t.now
}

// dropContact forgets a contact.
func (t *Tracker) dropContact(i uint32) {
	c := &t.contacts[i]
	t.stopWaiting(i)
	s := &t.sources[c.source]
	s.contacts.remove(i, t.bySource)
	s.Count--
	if s.Scope.Group() {
		t.groupContacts--
	}
	t.contactsBy.remove(i, t.secret.contact(c.source, &c.Dst, c.Proto, c.Port), t.nextContact)
	c.hashNext, t.freeContact = t.freeContact, i
}

func (t *Tracker) findSource(a *capture.Addr) uint32 { return t.findScoped(a, Host, hostBits) }

func (t *Tracker) findScoped(a *capture.Addr, scope Scope, bits uint8) uint32 {
	return t.findHashedSource(t.secret.scoped(a, scope, bits), a, scope, bits)
}

// findHashedSource is findScoped where the hash is known.
func (t *Tracker) findHashedSource(h uint64, a *capture.Addr, scope Scope, bits uint8) uint32 {
	by := &t.sourcesBy
	first := by.first(h)
	for link := first; link != 0; {
		i := link & by.index
		s := &t.sources[i]
		if by.may(link, h) && s.Addr == *a && s.Scope == scope && s.bits == bits {
			// Two that are busy do not take turns.
			if link != first && t.now-t.sources[first&by.index].touched >= touchEvery {
				by.toFront(i, h, t.nextSource)
			}
			return i
		}
		if link&by.more == 0 {
			break
		}
		link = s.hashNext
	}
	return 0
}

// touchSource finds or makes a host and keeps it from being evicted soon.
func (t *Tracker) touchSource(e *end) uint32 {
	i := e.source
	if !e.known {
		i = t.findHashedSource(e.hash, e.addr, Host, hostBits)
	}
	if i != 0 {
		t.touch(i)
		return i
	}
	return t.newSource(e.hash, Source{Addr: *e.addr, bits: hostBits})
}

// touchApart is touchSource for what is kept apart.
func (t *Tracker) touchApart(a *capture.Addr) uint32 {
	h := t.secret.scoped(a, Apart, hostBits)
	if i := t.findHashedSource(h, a, Apart, hostBits); i != 0 {
		t.touch(i)
		return i
	}
	return t.newSource(h, Source{Addr: *a, Scope: Apart, bits: hostBits})
}

// twin returns the source that holds the rest of a host's contacts, or 0.
func (t *Tracker) twin(source uint32) uint32 {
	s := &t.sources[source]
	switch {
	case t.aparts == 0:
		return 0
	case s.Scope == Host:
		return t.findScoped(&s.Addr, Apart, hostBits)
	case s.Scope == Apart:
		return t.findSource(&s.Addr)
	}
	return 0
}

func (t *Tracker) touch(i uint32) {
	if s := &t.sources[i]; t.now-s.touched >= touchEvery {
		s.touched = t.now
		t.order[s.segment].toFront(i, t.byOrder)
	}
}

// newSource takes a source of hash h from the pool, evicting another where it
// is empty; 0 where none is left but the pinned one.
func (t *Tracker) newSource(h uint64, s Source) uint32 {
	if t.freeSource == 0 {
		victim := t.leastWorth(0)
		if victim == 0 {
			return 0
		}
		t.evict(victim)
	}
	i := t.freeSource
	t.freeSource = t.sources[i].hashNext
	s.touched = t.now
	if s.Scope.Group() {
		s.segment = grouped
		t.groups++
	} else {
		if t.counters.EvictedSources > 0 && t.ghosts.take(t.key.ghost(&s.Addr)) {
			s.segment = protected
		}
		t.counters.Sources++
	}
	if s.Scope == Apart {
		t.aparts++
	}
	t.sources[i] = s
	t.sourcesBy.pushBack(i, h, t.nextSource)
	t.order[s.segment].pushFront(i, t.byOrder)
	t.held++
	return i
}

// leastWorth returns the source that is least worth keeping, but neither keep
// nor the pinned one: the longest idle of the first segment that has one. It
// returns 0 where there is none.
func (t *Tracker) leastWorth(keep uint32) uint32 {
	for segment := range t.order {
		victim := t.order[segment].tail
		for victim != 0 && (victim == keep || victim == t.pinned) {
			victim = t.sources[victim].order.prev
		}
		if victim != 0 {
			return victim
		}
	}
	return 0
}

// evict forgets a source.
func (t *Tracker) evict(victim uint32) {
	s := &t.sources[victim]
	t.observer.Forgotten(t, victim)
	if s.Scope.Group() {
		t.groups--
	} else {
		t.counters.EvictedSources++
		t.counters.EvictedContacts += uint64(s.Count)
	}
	if s.Scope == Apart {
		t.aparts--
	}
	for s.contacts.head != 0 {
		t.dropContact(s.contacts.head)
	}
	t.order[s.segment].remove(victim, t.byOrder)
	if s.segment == probation {
		t.ghosts.add(t.key.ghost(&s.Addr))
	}
	t.sourcesBy.remove(victim, t.secret.scoped(&s.Addr, s.Scope, s.bits), t.nextSource)
	s.hashNext, t.freeSource = t.freeSource, victim
	t.held--
}

func (t *Tracker) bySource(i uint32) *link  { return &t.contacts[i].bySource }
func (t *Tracker) byWaiting(i uint32) *link { return &t.contacts[i].waiting }
func (t *Tracker) byOrder(i uint32) *link   { return &t.sources[i].order }

func (t *Tracker) nextContact(i uint32) *uint32 { return &t.contacts[i].hashNext }
func (t *Tracker) nextSource(i uint32) *uint32  { return &t.sources[i].hashNext }
