package featurize

import (
	"math/rand/v2"
	"testing"
)

// TestChains inserts, moves and removes members at random, in so few buckets that
// chains are long, and follows all links: a chain's links lead to its members
// and to no others, have their tags, and say which is the last.
func TestChains(t *testing.T) {
	const members = 40
	c := newChains(members+1, 8)
	var next [members + 1]uint32
	at := func(i uint32) *uint32 { return &next[i] }
	hash := map[uint32]uint64{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		i := 1 + random.Uint32N(members)
		if h, ok := hash[i]; ok && random.Uint32N(2) == 0 {
			c.toFront(i, h, at)
			if c.first(h)&c.index != i {
				t.Fatalf("%d is not at the front", i)
			}
		} else if ok {
			c.remove(i, h, at)
			delete(hash, i)
		} else {
			hash[i] = random.Uint64()
			push := [...]func(uint32, uint64, func(uint32) *uint32){c.pushFront, c.pushBack}[random.IntN(2)]
			push(i, hash[i], at)
		}
		found := 0
		for b, link := range c.buckets {
			for link != 0 {
				h, ok := hash[link&c.index]
				after := next[link&c.index]
				if !ok || h&7 != uint64(b) || !c.may(link, h) || (link&c.more != 0) != (after != 0) {
					t.Fatalf("link %#x in bucket %d to a member of hash %#x, then %#x", link, b, h, after)
				}
				found++
				link = after
			}
		}
		if found != len(hash) {
			t.Fatalf("%d members found of %d", found, len(hash))
		}
	}
}
