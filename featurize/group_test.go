package featurize

import (
	"encoding/binary"
	"testing"
	"time"

	"edgescan/capture"
)

// inside returns the n-th address of a prefix.
func inside(prefix string, n int) capture.Addr {
	a := addr(prefix)
	binary.BigEndian.PutUint16(a[14:], binary.BigEndian.Uint16(a[14:])+uint16(n))
	return a
}

// stranger returns addresses that have no prefix in common.
func stranger(n int) capture.Addr {
	a := addr("20.0.0.1")
	binary.BigEndian.PutUint32(a[12:], 20<<24+uint32(n)<<8)
	return a
}

// group returns the number of a group, 0 where there is none.
func group(t *Tracker, scope Scope, prefix string, bits uint8) uint32 {
	a := addr(prefix)
	return t.findScoped(&a, scope, bits)
}

// TestGroupsOfAContact lets sources that have nothing in common but what the
// case says try one port each.
func TestGroupsOfAContact(t *testing.T) {
	cases := []struct {
		name   string
		src    func(n int) capture.Addr
		dst    func(n int) capture.Addr
		scope  Scope
		prefix string
		bits   uint8
	}{
		{"an IPv4 prefix", func(n int) capture.Addr { return inside("198.51.100.0", n) }, stranger, Prefix, "198.51.100.0", 120},
		{"an IPv6 link", func(n int) capture.Addr { return inside("2001:db8:1:2::", n) }, stranger, Prefix, "2001:db8:1:2::", 64},
		{"links of an IPv6 site", func(n int) capture.Addr {
			a := addr("2001:db8:1::1")
			a[7] = byte(n)
			return a
		}, stranger, Prefix, "2001:db8:1::", 48},
		{"one host", stranger, func(int) capture.Addr { return server }, Target, "192.0.2.7", 128},
		{"hosts of a network", stranger, func(n int) capture.Addr { return inside("192.0.2.0", n) }, Target, "192.0.2.0", 120},
		{"one IPv6 host", stranger, func(int) capture.Addr { return addr("2001:db8::7") }, Target, "2001:db8::7", 128},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tracker := newTracker(t)
			for n := 1; n <= 20; n++ {
				p := tcp(int64(n), c.src(n), c.dst(n), 40000, uint16(n), syn, 1, 0, 0)
				tracker.Add(&p)
			}
			g := group(tracker, c.scope, c.prefix, c.bits)
			if g == 0 {
				t.Fatal("no such group")
			}
			// The first one only asked for it.
			if got := tracker.Source(g).Count; got != 19 {
				t.Errorf("%d contacts, want 19", got)
			}
			members := map[uint32]bool{}
			tracker.Each(g, 0, func(c *Contact) bool {
				id, source := tracker.Member(c)
				members[id] = true
				if source == 0 || tracker.Source(source).Scope != Host {
					t.Errorf("port %d was tried by source %d", c.Port, source)
				}
				return true
			})
			if len(members) != 19 {
				t.Errorf("%d members, want 19", len(members))
			}
		})
	}
}

// TestGroupsFollowOutcomes answers, refuses and ignores probes, and has data
// go over a connection.
func TestGroupsFollowOutcomes(t *testing.T) {
	tracker := newTracker(t)
	for n := 1; n <= 5; n++ {
		src := inside("198.51.100.0", n)
		packets := []capture.Packet{tcp(0, src, server, 40000, uint16(n), syn, 1, 0, 0)}
		switch n {
		case 2:
			packets = append(packets, tcp(10, server, src, uint16(n), 40000, rst|ack, 0, 2, 0))
		case 3:
			packets = append(packets, tcp(10, server, src, uint16(n), 40000, syn|ack, 9, 2, 0))
		case 4:
			packets = append(packets, tcp(10, server, src, uint16(n), 40000, syn|ack, 9, 2, 0), tcp(20, src, server, 40000, uint16(n), ack, 2, 10, 100))
		}
		for i := range packets {
			tracker.Add(&packets[i])
		}
	}
	p := silence(5000)
	tracker.Add(&p)
	g := group(tracker, Target, "192.0.2.7", 128)
	want := map[uint16]Outcome{2: Refused, 3: Answered, 4: Answered, 5: Silent}
	tracker.Each(g, 0, func(c *Contact) bool {
		if c.Outcome != want[c.Port] || c.Productive() != (c.Port == 4) {
			t.Errorf("port %d: %v, productive %v", c.Port, c.Outcome, c.Productive())
		}
		delete(want, c.Port)
		return true
	})
	if len(want) != 0 {
		t.Errorf("no contacts of ports %v", want)
	}
}

// TestOneAnswerServesAll has many clients use a server that not all reach.
func TestOneAnswerServesAll(t *testing.T) {
	tracker := newTracker(t)
	for n := range 50 {
		src := stranger(n)
		p := tcp(int64(n), src, server, 40000, 443, syn, 1, 0, 0)
		tracker.Add(&p)
		if n%2 == 0 {
			p := tcp(int64(n), server, src, 443, 40000, syn|ack, 9, 2, 0)
			tracker.Add(&p)
		}
	}
	p := silence(10_000)
	tracker.Add(&p)
	g := group(tracker, Target, "192.0.2.7", 128)
	tracker.Each(g, 0, func(c *Contact) bool {
		if c.Port != 443 || c.Outcome != Answered {
			t.Errorf("port %d %v", c.Port, c.Outcome)
		}
		return true
	})
	if got := tracker.Source(g).Count; got != 1 {
		t.Errorf("%d contacts, want 1", got)
	}
}

// TestNoGroupOfOne lets a single source, and sources that have nothing in
// common, leave no group behind.
func TestNoGroupOfOne(t *testing.T) {
	tracker := newTracker(t)
	for n := 1; n <= 100; n++ {
		p := tcp(int64(n), client, server, 40000, uint16(n), syn, 1, 0, 0)
		tracker.Add(&p)
		q := tcp(int64(n), stranger(n), stranger(1000+n), 40000, 80, syn, 1, 0, 0)
		tracker.Add(&q)
	}
	for i := 1; i < tracker.Sources(); i++ {
		if s := tracker.Source(uint32(i)); s.Scope != Host && s.Count > 0 {
			t.Errorf("group of %v with %d contacts", s.Prefix(), s.Count)
		}
	}
}

// TestTranslatedAddressesHaveNoPrefix has IPv4 hosts from everywhere come
// through a translator.
func TestTranslatedAddressesHaveNoPrefix(t *testing.T) {
	for _, prefix := range []string{"64:ff9b::", "64:ff9b:1::", "2001:0:c000:207::"} {
		tracker := newTracker(t)
		for n := 1; n <= 20; n++ {
			p := tcp(int64(n), inside(prefix, n), addr("2001:db8::7"), 40000, uint16(n), syn, 1, 0, 0)
			tracker.Add(&p)
		}
		for i := 1; i < tracker.Sources(); i++ {
			if s := tracker.Source(uint32(i)); s.Scope == Prefix && s.Count > 0 {
				t.Errorf("group of %v with %d contacts", s.Prefix(), s.Count)
			}
		}
	}
}

// TestGroupsLeaveTheBusyAlone bounds what a group gets of one source.
func TestGroupsLeaveTheBusyAlone(t *testing.T) {
	tracker := newTracker(t)
	for n := range 200 {
		src := client
		if n >= 100 {
			src = router
		}
		p := tcp(int64(n), src, server, 40000, uint16(1+n), syn, 1, 0, 0)
		tracker.Add(&p)
	}
	if got := tracker.Source(group(tracker, Target, "192.0.2.7", 128)).Count; got != groupContacts {
		t.Errorf("a group has %d contacts of a busy source, want %d", got, groupContacts)
	}
}

// TestFloodFillsNoGroups bounds what groups cost under a flood.
func TestFloodFillsNoGroups(t *testing.T) {
	tracker := newTracker(t)
	for n := range 100_000 {
		p := tcp(0, spoofed(n), server, 40000, uint16(n), syn, 1, 0, 0)
		p.Time += int64(n) * int64(time.Microsecond)
		tracker.Add(&p)
	}
	if g := group(tracker, Target, "192.0.2.7", 128); g == 0 || tracker.Source(g).Count > groupRate {
		t.Errorf("group %d holds %d contacts after a tenth of a second, want at most %d", g, tracker.Source(g).Count, groupRate)
	}
}
