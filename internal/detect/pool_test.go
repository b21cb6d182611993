package detect

import (
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
)

// TestCrowdOfScannersIsBounded has more sources scan at once than there is
// room for: the quietest incidents end early, and each still has one start
// and one end.
func TestCrowdOfScannersIsBounded(t *testing.T) {
	open, most := 0, 0
	seen := map[uint64]string{}
	e, err := NewEngine(Config{Memory: MinMemory, Threshold: One / 2}, &counting{from: 5}, func(ev *Event) {
		seen[ev.ID] += string(ev.State[:1])
		if ev.State == Start {
			open++
		} else {
			open--
		}
		most = max(most, open)
	})
	if err != nil {
		t.Fatal(err)
	}
	room := cap(e.pool.incidents) - 1
	scanners := room + 100
	for i := range scanners {
		for port := range 6 {
			probe(e, time.Duration(i)*time.Millisecond, host(i+1), host(60_000), uint16(port+1))
		}
	}
	if stats := e.Stats(); stats.Cut != 100 || stats.Incidents != uint64(scanners) || most != room {
		t.Errorf("%d of %d incidents cut short, %d at once; want 100 of %d, %d", stats.Cut, stats.Incidents, most, scanners, room)
	}
	e.Close()
	for id, states := range seen {
		if states != "se" {
			t.Errorf("incident %016x: %s", id, states)
		}
	}
	if open != 0 {
		t.Errorf("%d incidents never ended", open)
	}
}

// TestPoolGivesBack takes and gives incidents and sketches until all have been
// used several times.
func TestPoolGivesBack(t *testing.T) {
	p := newPool(64 << 10)
	for range 3 {
		var taken []uint32
		for i := p.take(); i != 0; i = p.take() {
			p.incidents[i].sketch = p.takeSketch()
			if s := p.incidents[i].sketch; s != 0 && p.sketches[s-1].hosts.count() != 0 {
				t.Fatal("a sketch that is not empty")
			} else if s != 0 {
				p.sketches[s-1].hosts.add([]byte{1})
			}
			taken = append(taken, i)
		}
		if len(taken) != cap(p.incidents)-1 || len(p.sketches) != p.maxSketches || len(p.freeSketch) != 0 {
			t.Fatalf("%d incidents, %d sketches", len(taken), len(p.sketches))
		}
		if oldest := p.incidents[0].prev; oldest != taken[0] {
			t.Errorf("the quietest is %d, want %d", oldest, taken[0])
		}
		p.touch(taken[0])
		if oldest := p.incidents[0].prev; oldest != taken[1] {
			t.Errorf("the quietest is %d, want %d", oldest, taken[1])
		}
		for _, i := range taken {
			p.give(i)
		}
	}
}

// TestLargeIncidentsCountOn lets a scan go beyond what the Tracker remembers,
// with fewer incidents than sketches and with more.
func TestLargeIncidentsCountOn(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	const contacts = 20_000
	for i := range contacts {
		probe(e, time.Duration(i)*time.Millisecond, host(1), host(2+i%40_000), 80)
	}
	e.Close()
	last := (*events)[len(*events)-1]
	if last.Contacts != contacts || last.Hosts < contacts*9/10 || last.Hosts > contacts*11/10 || last.Kind != Horizontal {
		t.Errorf("%+v", last)
	}
	if allocs := testing.AllocsPerRun(10, func() {
		e.tally.reset(0)
		e.tracker.Each(1, 0, func(c *featurize.Contact) bool { e.tally.add(c, capture.Addr{}); return true })
		_ = e.tally.all.Kind()
	}); allocs > 1 {
		t.Errorf("%v allocations for a tally", allocs)
	}
}
