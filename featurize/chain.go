package featurize

import "math/bits"

// chains find the members of a pool, which are indices above 0, by their
// hashes. Each bucket begins a chain of links through its members. A link does
// not only say which member comes next: it has what room is left for a tag, a
// part of the member's hash, and a bit that says whether another comes after
// it. Most of the members that are not looked for need not be read then, which
// takes longer than all the rest, and the last of a chain never.
//
// The order of a chain is the owner's affair. Contacts go to the front, where
// the packets that follow find them. Sources go to the back and move to the
// front when they are used again: those of a flood, which nobody looks for
// again, get there in the order in which they are forgotten, and that is at once
// then, too.
type chains struct {
	buckets []uint32
	index   uint32 // mask of a link's bits: the member
	more    uint32 // the bit: another follows it
	tag     uint32 // mask: part of its hash
}

// newChains returns empty chains for a pool of n members, the unused 0
// counted, and a power of two of buckets.
func newChains(n int, buckets int64) chains {
	c := chains{buckets: make([]uint32, buckets)}
	c.more = 1 << bits.Len(uint(n-1))
	c.index = c.more - 1
	c.tag = ^(c.index | c.more)
	return c
}

// first returns the first link of a hash's chain, 0 for none.
func (c *chains) first(h uint64) uint32 { return c.buckets[h&uint64(len(c.buckets)-1)] }

// may reports whether a link may be that of the member with a hash.
func (c *chains) may(link uint32, h uint64) bool { return (link^uint32(h>>32))&c.tag == 0 }

// pushFront puts member i first in its hash's chain.
func (c *chains) pushFront(i uint32, h uint64, next func(uint32) *uint32) {
	head := &c.buckets[h&uint64(len(c.buckets)-1)]
	link := i | uint32(h>>32)&c.tag
	if *head != 0 {
		link |= c.more
	}
	*next(i), *head = *head, link
}

// pushBack puts member i last in its hash's chain.
func (c *chains) pushBack(i uint32, h uint64, next func(uint32) *uint32) {
	p := &c.buckets[h&uint64(len(c.buckets)-1)]
	for *p&c.more != 0 {
		p = next(*p & c.index)
	}
	if *p != 0 {
		*p |= c.more
		p = next(*p & c.index)
	}
	*p, *next(i) = i|uint32(h>>32)&c.tag, 0
}

// toFront makes member i, which must be there, the first of its hash's chain.
func (c *chains) toFront(i uint32, h uint64, next func(uint32) *uint32) {
	c.remove(i, h, next)
	c.pushFront(i, h, next)
}

// remove takes member i, which must be there, out of its hash's chain.
func (c *chains) remove(i uint32, h uint64, next func(uint32) *uint32) {
	p := &c.buckets[h&uint64(len(c.buckets)-1)]
	before := p
	for *p&c.index != i {
		before, p = p, next(*p&c.index)
	}
	if *p = *next(i); *p == 0 && before != p {
		*before &^= c.more
	}
}
