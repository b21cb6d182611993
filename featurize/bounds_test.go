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
