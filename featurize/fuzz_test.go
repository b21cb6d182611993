package featurize

import (
	"testing"

	"edgescan/capture"
)

// fuzzRecord is the number of bytes from which packetOf makes a packet.
const fuzzRecord = 12

// packetOf makes a packet of a few hosts and ports, so that packets meet, and
// of any kind. It comes at most 13 seconds after or before now, or, rarely,
// years.
func packetOf(b []byte, now int64) capture.Packet {
	protos := [...]capture.Proto{capture.ProtoTCP, capture.ProtoUDP, capture.ProtoICMP, capture.ProtoICMPv6, capture.ProtoARP}
	ports := [...]uint16{53, 67, 68, 69, 80, 161, 443, 8443, 33434, 33435, 33440, 40000, 50000, 65535}
	hosts := [...]capture.Addr{client, server, router, addr("255.255.255.255"), addr("ff02::1"), addr("2001:db8::1"), {}, neighbour(1)}
	step := int64(int8(b[0])) * 100_000_000
	if b[1] == 0xff {
		step *= 1 << 30
	}
	p := capture.Packet{
		Time: now + step, Proto: protos[int(b[1])%len(protos)],
		Src: hosts[b[2]%8], Dst: hosts[b[3]%8],
		SrcPort: ports[int(b[4])%len(ports)], DstPort: ports[int(b[5])%len(ports)],
		Flags: capture.Flags(b[6]), Type: b[7], Code: b[8] & 7, Group: b[8]&8 != 0, Fragment: capture.Fragment(b[8] >> 4 % 3),
		Seq: uint32(b[9]) << 24, Ack: uint32(b[10]) << 24, Payload: uint32(b[11]),
	}
	p.Quote = capture.Quote{
		Src: p.Dst, Dst: hosts[b[9]%8], Proto: protos[int(b[10])%len(protos)],
		SrcPort: p.DstPort, DstPort: p.SrcPort, Valid: b[11]&1 == 0, Ports: b[11]&2 == 0,
	}
	return p
}

// referee is an Observer that holds every change of a contact against what it
// was told before.
type referee struct {
	t     *testing.T
	known map[Contact]Outcome
	calls [2]int // contacts opened by hosts, hosts forgotten
}

// identity is what tells a contact from others.
func identity(source uint32, c *Contact) Contact {
	return Contact{source: source, Dst: c.Dst, Proto: c.Proto, Port: c.Port, First: c.First}
}

func (r *referee) Opened(t *Tracker, source uint32, c *Contact) {
	if !t.Source(source).Scope.Group() {
		r.calls[0]++
	}
	r.known[identity(source, c)] = c.Outcome
}

func (r *referee) Settled(_ *Tracker, source uint32, c *Contact, before Outcome) {
	was, ok := r.known[identity(source, c)]
	if !ok || was != before || c.Outcome <= before {
		r.t.Errorf("settled %v/%d from %v (told %v, known %v) to %v", c.Proto, c.Port, before, was, ok, c.Outcome)
	}
	r.known[identity(source, c)] = c.Outcome
}

func (r *referee) Forgotten(t *Tracker, source uint32) {
	if !t.Source(source).Scope.Group() {
		r.calls[1]++
	}
}

// apartBy are rules of what is kept apart, of which the packets choose one after
// the other.
var apartBy = [...]ApartFunc{
	nil,
	func(src, _ capture.Addr, _ capture.Proto, port uint16) Separation {
		return Separation(uint16(src[15])+port) % 3
	},
	func(_, _ capture.Addr, _ capture.Proto, _ uint16) Separation { return Alone },
	func(_, dst capture.Addr, _ capture.Proto, _ uint16) Separation { return Beside * Separation(dst[15]&1) },
}

// replay adds the packets that data describes to a new tracker, which is so
// small that it soon must forget, with rules that change or without any.
func replay(t *testing.T, data []byte, secret Key, rules bool) (*Tracker, *referee) {
	observer := &referee{t: t, known: map[Contact]Outcome{}}
	tracker := newTables(DefaultKey, observer, sizes{units: 4, active: 8, ghosts: 8, gates: 8})
	tracker.maxPerSource = 6
	tracker.secret = secret
	for now := start; len(data) >= fuzzRecord; data = data[fuzzRecord:] {
		p := packetOf(data, now)
		before := tracker.Now()
		if rules {
			tracker.SetApart(apartBy[data[11]>>6])
		}
		tracker.Add(&p)
		if tracker.Now() < before {
			t.Fatalf("the clock went back from %d to %d", before, tracker.Now())
		}
		now = p.Time
	}
	return tracker, observer
}

// FuzzTracker adds arbitrary sequences of packets and checks what must hold
// after any: no contact is counted twice, outcomes only move forward, counts
// and lists agree, and the same packets give the same contacts, whatever the
// secret of the buckets is.
func FuzzTracker(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x0b\x04\x02\x00\x00\x01\x00\x00\x01\x00\x01\x00\x04\x0b\x12\x00\x00\x05\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, rules := range []bool{false, true} {
			checkReplay(t, data, rules)
		}
	})
}

// checkReplay replays data twice, and checks what must hold.
func checkReplay(t *testing.T, data []byte, rules bool) {
	tracker, observer := replay(t, data, DefaultKey, rules)
	checkInvariants(t, tracker)
	if c := tracker.Counters(); uint64(observer.calls[0]) != c.Contacts || uint64(observer.calls[1]) != c.EvictedSources {
		t.Errorf("told of %v, counted %+v", observer.calls, c)
	}
	again, _ := replay(t, data, Key{1, 2}, rules)
	if tracker.Counters() != again.Counters() {
		t.Errorf("counters %+v, again %+v", tracker.Counters(), again.Counters())
	}
	for i := range tracker.contacts {
		a, b := tracker.contacts[i], again.contacts[i]
		a.hashNext, b.hashNext = 0, 0
		if a != b {
			t.Fatalf("contact %d: %+v, again %+v", i, a, b)
		}
	}
}

// checkInvariants checks that no contact is held twice and that counts and
// lists agree.
func checkInvariants(t *testing.T, tracker *Tracker) {
	t.Helper()
	held, waiting, aparts := 0, 0, 0
	var segment [segments]int
	for s := 1; s < tracker.Sources(); s++ {
		n, w := checkSource(t, tracker, uint32(s))
		held += n
		waiting += w
		if n > 0 && tracker.sources[s].Scope == Apart {
			aparts++
		}
	}
	if aparts > tracker.aparts || tracker.aparts > tracker.held {
		t.Errorf("%d sources apart have contacts, %d counted", aparts, tracker.aparts)
	}
	if free := length(tracker.freeContact, func(i uint32) uint32 { return tracker.contacts[i].hashNext }); held+free != len(tracker.contacts)-1 {
		t.Errorf("%d contacts held and %d free of %d", held, free, len(tracker.contacts)-1)
	}
	if n := length(tracker.waiting.head, func(i uint32) uint32 { return tracker.contacts[i].waiting.next }); n != waiting {
		t.Errorf("%d contacts on the queue, %d marked", n, waiting)
	}
	for i := range segment {
		segment[i] = length(tracker.order[i].head, func(i uint32) uint32 { return tracker.sources[i].order.next })
	}
	free := length(tracker.freeSource, func(i uint32) uint32 { return tracker.sources[i].hashNext })
	if tracker.held != segment[probation]+segment[grouped]+segment[protected] {
		t.Errorf("%d sources held, %v in order", tracker.held, segment)
	}
	theirs := held - tracker.groupContacts
	if tracker.groups != segment[grouped] || tracker.groups > tracker.groupBound(len(tracker.sources)) || tracker.groupContacts > tracker.groupBound(len(tracker.contacts)) {
		t.Errorf("%d groups with %d contacts, %v in order", tracker.groups, tracker.groupContacts, segment)
	}
	hosts := tracker.held - tracker.groups
	if c := tracker.Counters(); c.Sources-c.EvictedSources != uint64(hosts) || c.Contacts-c.EvictedContacts < uint64(theirs) {
		t.Errorf("%d sources and %d contacts held of %+v", hosts, theirs, c)
	}
	if free+tracker.held != tracker.Sources()-1 {
		t.Errorf("%d sources free, %v in order, of %d", free, segment, tracker.Sources()-1)
	}
}

// checkSource checks the contacts of one source and returns how many it has
// and how many of them wait.
func checkSource(t *testing.T, tracker *Tracker, source uint32) (held, waiting int) {
	t.Helper()
	seen := map[Contact]bool{}
	tracker.Each(source, -1<<62, func(c *Contact) bool {
		key := Contact{Dst: c.Dst, Proto: c.Proto, Port: c.Port}
		if seen[key] {
			t.Errorf("source %d holds %v %v/%d twice", source, c.Dst.Netip(), c.Proto, c.Port)
		}
		seen[key] = true
		if c.First > c.Last || c.Last > tracker.now {
			t.Errorf("times %d, %d, now %d", c.First, c.Last, tracker.now)
		}
		if c.marks&markWaiting != 0 {
			waiting++
		}
		held++
		return true
	})
	if held != int(tracker.sources[source].Count) {
		t.Errorf("source %d counts %d, holds %d", source, tracker.sources[source].Count, held)
	}
	return held, waiting
}

// length counts the members of a list.
func length(head uint32, next func(uint32) uint32) (n int) {
	for ; head != 0; head = next(head) {
		n++
	}
	return n
}
