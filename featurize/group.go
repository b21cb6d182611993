package featurize

import (
	"encoding/binary"
	"net/netip"

	"edgescan/capture"
)

// Scope says whom a Source stands for.
//
// A scan that is spread over many sources, each of which does too little to be
// judged by itself, shows in none of them. So their contacts are kept a second
// time in groups, which are sources of their own: what the hosts of one prefix
// try is what a scanner tries that takes a new address for each probe, and
// what all sources try on one host or network is a scan that is distributed
// over them. A group holds each (destination, protocol, port) once, whoever
// tried it, and answered counts for all: many clients of a server are one
// contact, which was answered.
type Scope uint8

const (
	Host   Scope = iota // one address
	Prefix              // the hosts of a prefix
	Target              // everyone who tries a host, or the hosts of a prefix
	Apart               // one address: of its contacts those that an ApartFunc keeps apart
)

// Group reports whether a Source of this scope stands for many.
func (s Scope) Group() bool { return s == Prefix || s == Target }

// groupings are the groups that a contact may belong to: by its source or its
// destination, with the length of the prefix in an IPv4 address as IPv6 maps it
// (RFC 4291, 2.5.5.2) and in an IPv6 one; 0 is none.
var groupings = [...]struct {
	scope Scope
	len4  uint8
	len6  uint8
}{
	{Prefix, 96 + 24, 64},
	{Prefix, 0, 48},
	{Target, 128, 128},
	{Target, 96 + 24, 64},
}

// groupContacts is how many of a source's contacts its groups get: who has
// more is judged by itself.
const groupContacts = 6

// groupRate is how many contacts a second groups get at most. It is enough for
// every scan, and a flood of spoofed sources costs no more.
const groupRate = 1000

// groupShare is which part of the tables groups may fill.
const groupShare = 8

// gate remembers of a group that does not exist yet who asked for it: a group
// needs two. One slot a hash; a collision overwrites.
type gate struct{ group, member uint16 }

// Prefix returns the addresses that a source or, of a Target, a destination may
// have.
func (s *Source) Prefix() netip.Prefix {
	bits := int(s.bits)
	if s.Addr.Is4() {
		bits -= 96
	}
	return netip.PrefixFrom(s.Addr.Netip(), bits)
}

// Member returns a number that tells the sources apart that tried the contacts
// of a group: that of the one who tried this contact last. It is also the
// source's number, while it is remembered.
func (t *Tracker) Member(c *Contact) (id, source uint32) {
	if s := &t.sources[c.risn]; !s.Scope.Group() && memberID(t.key.addr(&s.Addr)) == c.isn {
		return c.isn, c.risn
	}
	return c.isn, 0
}

// Groups returns the groups, as far as there are any, that a source trying a
// contact's destination belongs to: that of the longest prefix first.
func (t *Tracker) Groups(c *Contact, source uint32) (groups [len(groupings)]uint32) {
	of := Contact{Dst: c.Dst, source: source}
	for k := range groupings {
		groups[k] = t.findGroup(k, &of)
	}
	return groups
}

// PrefixOf returns the group of a host's prefix, the longest that groups are
// made of, or 0 where there is none.
func (t *Tracker) PrefixOf(source uint32) uint32 {
	if t.sources[source].Scope != Host {
		return 0
	}
	return t.findGroup(0, &Contact{source: source})
}

// memberID makes a member's number of the hash of its address.
func memberID(hash uint64) uint32 { return uint32(hash >> 20) }

// share puts a new contact into its groups, unless its source is judged by
// itself. Neighbours are asked for by hosts and routers of one network only, so
// that ARP has no groups.
func (t *Tracker) share(i uint32) {
	c := &t.contacts[i]
	source := c.source
	s := &t.sources[source]
	if s.Scope == Apart && (t.apart == nil || t.apart(s.Addr, c.Dst, c.Proto, c.Port) == Alone) {
		return
	}
	if s.Scope.Group() || s.Count > groupContacts || c.Proto == capture.ProtoARP || !t.admit() {
		return
	}
	t.pinned = source // the groups' memory is not to be taken from it
	for k := range groupings {
		t.shareWith(k, i)
	}
	t.pinned = 0
}

// admit counts a contact for groups, and reports whether they may have it.
func (t *Tracker) admit() bool {
	if now := t.seconds(); now != t.shareSecond {
		t.shareSecond, t.shares = now, 0
	}
	t.shares++
	return t.shares <= groupRate
}

// shareWith puts a new contact into one of its groups.
func (t *Tracker) shareWith(k int, i uint32) {
	c := &t.contacts[i]
	member := memberID(t.key.addr(&t.sources[c.source].Addr))
	group, ok := t.groupOf(k, c)
	if !ok {
		return
	}
	h := t.secret.scoped(&group.Addr, group.Scope, group.bits)
	g := t.findHashedSource(h, &group.Addr, group.Scope, group.bits)
	if g == 0 {
		if !t.wanted(&group, member) {
			return
		}
		if t.groups >= t.groupBound(len(t.sources)) {
			t.evict(t.order[grouped].tail)
		}
		if g = t.newSource(h, group); g == 0 {
			return
		}
	} else {
		t.touch(g)
	}
	c.marks |= markShared
	dst := t.endOf(&c.Dst)
	j, fresh := t.attemptOf(g, &dst, c.Proto, c.Port)
	if j == 0 {
		return
	}
	own := &t.contacts[j]
	own.isn, own.risn, own.SrcPort = member, c.source, c.SrcPort
	if fresh {
		own.marks |= c.marks & (markData | markMid | markEmpty)
		t.open(j, c.Outcome)
	} else {
		own.marks |= c.marks & markData
		t.settle(j, c.Outcome)
	}
}

// groupBound is how much of a table groups may fill: one part in groupShare.
func (t *Tracker) groupBound(table int) int { return max(2, table/groupShare) }

// boundGroups makes room for one more contact of a group where groups have as
// many as they may.
func (t *Tracker) boundGroups(g uint32) {
	for t.groupContacts >= t.groupBound(len(t.contacts)) {
		if victim := t.order[grouped].tail; victim != g {
			t.evict(victim)
		} else {
			t.evictOldest(g)
		}
	}
}

// wanted reports whether another source than member wanted the group before.
func (t *Tracker) wanted(group *Source, member uint32) bool {
	h := t.key.scoped(&group.Addr, group.Scope, group.bits)
	g := &t.gates[h>>16&uint64(len(t.gates)-1)]
	if g.group == uint16(h) && g.member != uint16(member) {
		return true
	}
	*g = gate{uint16(h), uint16(member)}
	return false
}

// groupOf returns one of the groups of a contact, as a Source that is not
// kept, and false where there is none.
func (t *Tracker) groupOf(k int, c *Contact) (Source, bool) {
	kind := &groupings[k]
	g := Source{Scope: kind.scope, Addr: c.Dst}
	if kind.scope == Prefix {
		if g.Addr = t.sources[c.source].Addr; embedsIPv4(&g.Addr) {
			return g, false
		}
	}
	if g.bits = kind.len6; g.Addr.Is4() {
		g.bits = kind.len4
	}
	mask(&g.Addr, g.bits)
	return g, g.bits > 0
}

// embedsIPv4 reports whether a prefix says nothing of an address because the
// whole IPv4 Internet lies in it: NAT64 (RFC 6052, RFC 8215) and Teredo (RFC
// 4380).
func embedsIPv4(a *capture.Addr) bool {
	switch binary.BigEndian.Uint32(a[:4]) {
	case 0x0064ff9b, 0x20010000:
		return true
	}
	return false
}

// mask clears what follows an address's prefix.
func mask(a *capture.Addr, bits uint8) {
	clear(a[bits/8:]) // all prefixes end with a byte
}

// findGroup returns the number of one of a contact's groups, or 0.
func (t *Tracker) findGroup(k int, c *Contact) uint32 {
	group, ok := t.groupOf(k, c)
	if !ok {
		return 0
	}
	return t.findScoped(&group.Addr, group.Scope, group.bits)
}

// inGroup returns the contact that one of a contact's groups has of it, or 0.
func (t *Tracker) inGroup(k int, c *Contact) uint32 {
	g := t.findGroup(k, c)
	if g == 0 {
		return 0
	}
	return t.findOf(g, &c.Dst, c.Proto, c.Port)
}

// settleGroups tells the groups of an outcome.
func (t *Tracker) settleGroups(c *Contact) {
	if c.marks&markShared == 0 {
		return
	}
	for k := range groupings {
		if j := t.inGroup(k, c); j != 0 {
			t.contacts[j].marks |= c.marks & (markData | markExpired)
			t.settle(j, c.Outcome)
		}
	}
}

// mark marks a contact, in its groups as well.
func (t *Tracker) mark(c *Contact, m marks) {
	if c.marks&m == m {
		return
	}
	c.marks |= m
	if c.marks&markShared == 0 {
		return
	}
	for k := range groupings {
		if j := t.inGroup(k, c); j != 0 {
			t.contacts[j].marks |= m
		}
	}
}
