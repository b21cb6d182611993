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

// FuzzTracker adds arbitrary packets and checks what must hold after any.
func FuzzTracker(f *testing.F) {
	f.Add([]byte("\x06\x02\x01\x02\x00\x50\x9c\x40\x00\x00\x11\x00\x01\x02\x00\x35\x9c\x40\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tracker := newTracker(t)
		now := start
		for len(data) >= 10 {
			now += int64(int8(data[9])) * 100_000_000
			p := capture.Packet{
				Time: now, Proto: capture.Proto(data[0]), Flags: capture.Flags(data[1]), Type: data[1] & 31,
				Src: spoofed(int(data[2] & 7)), Dst: spoofed(int(data[3] & 7)),
				SrcPort: binary.BigEndian.Uint16(data[4:]), DstPort: binary.BigEndian.Uint16(data[6:]), Payload: uint32(data[8]),
			}
			p.Quote = capture.Quote{Src: p.Dst, Dst: p.Src, Proto: capture.ProtoUDP, SrcPort: p.DstPort, DstPort: p.SrcPort, Valid: true, Ports: true}
			data = data[10:]
			tracker.Add(&p)
		}
		checkInvariants(t, tracker)
	})
}

// checkInvariants checks that no contact is held twice and that counts and
// lists agree.
func checkInvariants(t *testing.T, tracker *Tracker) {
	t.Helper()
	held := 0
	for s := 1; s < tracker.Sources(); s++ {
		seen := map[Contact]bool{}
		n := 0
		tracker.Each(uint32(s), -1<<62, func(c *Contact) bool {
			key := Contact{Dst: c.Dst, Proto: c.Proto, Port: c.Port}
			if seen[key] {
				t.Errorf("source %d holds %v %v/%d twice", s, c.Dst.Netip(), c.Proto, c.Port)
			}
			seen[key] = true
			if c.First > c.Last || c.Last > tracker.now {
				t.Errorf("times %d, %d, now %d", c.First, c.Last, tracker.now)
			}
			n++
			return true
		})
		if n != int(tracker.sources[s].Count) {
			t.Errorf("source %d counts %d, holds %d", s, tracker.sources[s].Count, n)
		}
		held += n
	}
	free := 0
	for i := tracker.freeContact; i != 0; i = tracker.contacts[i].hashNext {
		free++
	}
	if held+free != len(tracker.contacts)-1 {
		t.Errorf("%d held and %d free of %d", held, free, len(tracker.contacts)-1)
	}
}
