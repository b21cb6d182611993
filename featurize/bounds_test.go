package featurize

import (
	"encoding/binary"
	"testing"

	"edgescan/capture"
)

// spoofed returns a different address for each n.
func spoofed(n int) capture.Addr {
	a := addr("10.0.0.0")
	binary.BigEndian.PutUint32(a[12:], uint32(n)*2654435761)
	return a
}

// TestFloodKeepsTheScanner sends a flood from spoofed sources, one contact
// each, around a host that tries another port every thousand packets.
func TestFloodKeepsTheScanner(t *testing.T) {
	observer := &log{}
	tracker, err := NewTracker(Config{Memory: MinMemory, Key: DefaultKey}, observer)
	if err != nil {
		t.Fatal(err)
	}
	probes := 0
	for i := range 200_000 {
		src, port := spoofed(i), uint16(80)
		if i%1000 < 3 && i < 1000 || i%1000 == 0 {
			probes++
			src, port = client, uint16(probes)
		}
		p := tcp(int64(i), src, server, 40000, port, syn, 1, 0, 0)
		tracker.Add(&p)
	}
	if got := len(contactsOf(tracker, client)); got != probes {
		t.Errorf("%d of the scanner's %d contacts are left", got, probes)
	}
	if tracker.Counters().EvictedSources == 0 || observer.forgotten == 0 {
		t.Error("nothing was forgotten: the flood does not fill the table")
	}
}

func TestOneSourceIsBounded(t *testing.T) {
	tracker := newTracker(t)
	for i := range 100_000 {
		p := tcp(int64(i), client, spoofed(i), 40000, 80, syn, 1, 0, 0)
		tracker.Add(&p)
	}
	if got := len(contactsOf(tracker, client)); got != int(tracker.maxPerSource) {
		t.Errorf("%d contacts, want the bound %d", got, tracker.maxPerSource)
	}
	if c := tracker.Counters(); c.EvictedContacts+uint64(tracker.maxPerSource) != c.Contacts {
		t.Errorf("%d evicted of %d", c.EvictedContacts, c.Contacts)
	}
}

func TestTooLittleMemory(t *testing.T) {
	if _, err := NewTracker(Config{Memory: MinMemory - 1}, &log{}); err == nil {
		t.Error("no error")
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	tracker := newTracker(t)
	n := 0
	if got := testing.AllocsPerRun(10_000, func() {
		n++
		p := tcp(int64(n), spoofed(n), server, 40000, uint16(n), syn, 1, 0, 0)
		tracker.Add(&p)
		q := udp(int64(n), server, spoofed(n), 40000, uint16(n), 1)
		tracker.Add(&q)
	}); got != 0 {
		t.Errorf("%v allocations for two packets", got)
	}
}

// TestSlowScannerComesBack lets a host try a port so rarely that the flood
// pushes it out in between: once it has come back it stays.
func TestSlowScannerComesBack(t *testing.T) {
	tracker := newTracker(t)
	const flood, probes = 5000, 40
	for i := range flood * probes {
		src, port := spoofed(i), uint16(80)
		if i%flood == 0 {
			src, port = client, uint16(1+i/flood)
		}
		p := tcp(int64(i), src, server, 40000, port, syn, 1, 0, 0)
		tracker.Add(&p)
	}
	if tracker.Sources() >= flood {
		t.Fatal("the flood does not fill the table between two probes")
	}
	if got := len(contactsOf(tracker, client)); got < probes-5 {
		t.Errorf("%d of the scanner's %d contacts are left", got, probes)
	}
}

// TestCrowdDoesNotPushItselfOut has more contacts than fit, of busy sources:
// all of them keep some.
func TestCrowdDoesNotPushItselfOut(t *testing.T) {
	tracker := newTracker(t)
	const crowd = 100
	member := func(i int) capture.Addr {
		a := client
		a[14], a[15] = 1, byte(i)
		return a
	}
	for i := range 100_000 {
		p := tcp(int64(i), member(i%crowd), server, 40000, uint16(i/crowd), syn, 1, 0, 0)
		tracker.Add(&p)
	}
	c := tracker.Counters()
	if c.EvictedSources != 0 || c.EvictedContacts == 0 {
		t.Errorf("%d sources and %d contacts forgotten", c.EvictedSources, c.EvictedContacts)
	}
	for i := range crowd {
		if got := len(contactsOf(tracker, member(i))); got < leastShare {
			t.Errorf("%d contacts of source %d", got, i)
		}
	}
}

// TestSecretSpreadsWhatCollides adds addresses that have one hash for the key:
// with a secret no bucket is crowded.
func TestSecretSpreadsWhatCollides(t *testing.T) {
	tracker, err := NewTracker(Config{Memory: MinMemory, Key: DefaultKey, Secret: Key{3, 141592653589793238}}, &log{})
	if err != nil {
		t.Fatal(err)
	}
	var a capture.Addr
	binary.LittleEndian.PutUint64(a[:], DefaultKey.A)
	for i := range 3000 {
		binary.BigEndian.PutUint64(a[8:], uint64(i))
		if DefaultKey.addr(&a) != DefaultKey.mix(0, 0x9e3779b97f4a7c15) {
			t.Fatal("the addresses do not collide for the key")
		}
		p := tcp(int64(i), a, server, 40000, 80, syn, 1, 0, 0)
		tracker.Add(&p)
	}
	by := &tracker.sourcesBy
	for _, head := range by.buckets {
		if n := length(head, func(link uint32) uint32 { return tracker.sources[link&by.index].hashNext }); n > 16 {
			t.Fatalf("%d sources in one bucket", n)
		}
	}
}
