package detect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
)

var start = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC).UnixNano()

func host(n int) capture.Addr {
	a := capture.AddrFrom(netip.MustParseAddr("10.0.0.0"))
	binary.BigEndian.PutUint16(a[14:], uint16(n))
	return a
}

// counting is a Judge that is sure of a scan from a number of doubtful
// contacts on, and remembers its looks.
type counting struct {
	from  int
	looks []int // contacts at each look
}

func (j *counting) Judge(l *Look) uint32 {
	j.looks = append(j.looks, l.Summary.Contacts)
	if l.Summary.Doubtful >= j.from {
		return One
	}
	return 0
}

// newEngine returns an engine and the events that it will have emitted.
func newEngine(t testing.TB, judge Judge) (*Engine, *[]Event) {
	t.Helper()
	events := &[]Event{}
	e, err := NewEngine(Config{
		Memory:    MinMemory,
		Key:       featurize.DefaultKey,
		Threshold: One / 2,
	}, judge, func(ev *Event) { *events = append(*events, *ev) })
	if err != nil {
		t.Fatal(err)
	}
	return e, events
}

// probe sends a SYN after a time and has it refused.
func probe(e *Engine, after time.Duration, src, dst capture.Addr, port uint16) {
	p := capture.Packet{Time: start + int64(after), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Proto: capture.ProtoTCP, Flags: capture.SYN, Seq: 1}
	e.Add(&p)
	e.Add(&capture.Packet{Time: p.Time, Src: dst, Dst: src, SrcPort: port, DstPort: 40000, Proto: capture.ProtoTCP, Flags: capture.RST | capture.ACK, Ack: 2})
}

func states(events []Event) string {
	s := ""
	for _, e := range events {
		s += string(e.State[:1])
	}
	return s
}

func TestOneScanIsOneIncident(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	for port := range 1000 {
		probe(e, time.Duration(port)*10*time.Millisecond, host(1), host(2), uint16(port+1))
	}
	e.Close()
	if got := states(*events); got != "se" {
		t.Fatalf("events %q, want a start and an end", got)
	}
	first, last := (*events)[0], (*events)[1]
	if first.Contacts > 10 || first.Kind != Vertical || first.Source != host(1) || first.Example != host(2) {
		t.Errorf("start: %+v", first)
	}
	if last.Contacts != 1000 || last.Hosts != 1 || last.Ports < 950 || last.Ports > 1050 || last.Refused != 1000 || last.ID != first.ID {
		t.Errorf("end: %+v", last)
	}
}

// TestDescribeLeavesNoTrace looks at incidents while they go on, and at what is
// emitted whether anybody looks or not.
func TestDescribeLeavesNoTrace(t *testing.T) {
	run := func(look bool) []Event {
		e, events := newEngine(t, &counting{from: 8})
		for i := range 200 { // for more than half an hour
			at := time.Duration(i) * 10 * time.Second
			probe(e, at, host(1), host(2), uint16(i+1))
			probe(e, at, host(9), host(i+10), 22)
			if !look {
				continue
			}
			seen := map[capture.Addr]int{}
			for _, started := range *events {
				e.Describe(started.ID, func(ev *Event) {
					seen[ev.Source] = ev.Contacts
					contacts := 0
					e.Evidence().Each(func(*featurize.Contact, int64) { contacts++ })
					if ev.State != Update || ev.ID != started.ID || contacts < ev.Contacts {
						t.Errorf("%v: %s of %d contacts, and %d to be seen", ev.Source, ev.State, ev.Contacts, contacts)
					}
				})
			}
			if i > 20 && (seen[host(1)] != i+1 || seen[host(9)] != i+1) {
				t.Errorf("after %d contacts of two sources: %v", i+1, seen)
			}
			e.Describe(1, func(*Event) { t.Error("there is no such incident") })
		}
		if look {
		}
		e.Close()
		return *events
	}
	if looked, not := fmt.Sprint(run(true)), fmt.Sprint(run(false)); looked != not {
		t.Errorf("events when looked at:\n%s\nwhen not:\n%s", looked, not)
	}
}

// TestBusiest has hosts try more and more, the first of them long ago.
func TestBusiest(t *testing.T) {
	e, _ := newEngine(t, &counting{from: 1 << 30})
	for i := range 8 {
		probe(e, 0, host(8), host(100+i), 22)
	}
	for n := range 8 {
		for i := range n {
			probe(e, time.Hour, host(n), host(100+i), 22)
		}
	}
	busiest := func(n int, within time.Duration) (list []string) {
		e.Busiest(n, int64(within), func(l *Look) {
			contacts := 0
			l.Each(func(*featurize.Contact, int64) { contacts++ })
			list = append(list, fmt.Sprintf("%v:%d", l.Source.Netip(), contacts))
		})
		return list
	}
	for _, test := range []struct {
		n      int
		within time.Duration
		want   string
	}{
		{3, 2 * time.Hour, "[10.0.0.8:8 10.0.0.7:7 10.0.0.6:6]"},
		{3, time.Minute, "[10.0.0.7:7 10.0.0.6:6 10.0.0.5:5]"},
		{99, 0, "[10.0.0.7:7 10.0.0.6:6 10.0.0.5:5 10.0.0.4:4 10.0.0.3:3 10.0.0.2:2 10.0.0.1:1]"},
		{99, -time.Minute, "[]"},
	} {
		if got := fmt.Sprint(busiest(test.n, test.within)); got != test.want {
			t.Errorf("%d within %v: %s, want %s", test.n, test.within, got, test.want)
		}
	}
	found := 0
	e.Find(host(5), func(l *Look) { l.Each(func(*featurize.Contact, int64) { found++ }) })
	e.Find(host(77), func(*Look) { t.Error("a host that never was") })
	if found != 5 {
		t.Errorf("%d contacts of the one that was asked for", found)
	}
}

func TestLooksAreLogarithmic(t *testing.T) {
	judge := &counting{from: 1 << 30}
	e, _ := newEngine(t, judge)
	for port := range 60_000 {
		probe(e, time.Duration(port)*time.Millisecond, host(1), host(2), uint16(port+1))
	}
	if n := len(judge.looks); n > 400 {
		t.Errorf("%d looks at 60 000 contacts in a minute", n)
	}
}

func TestUpdatesAndTheNextDay(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	for i := range 150 { // 25 minutes: two updates
		probe(e, time.Duration(i)*10*time.Second, host(1), host(2), uint16(i+1))
	}
	for i := range 20 {
		probe(e, 24*time.Hour+time.Duration(i)*time.Second, host(1), host(3), uint16(i+1))
	}
	e.Close()
	if got := states(*events); got != "suuese" {
		t.Errorf("events %q, want suuese", got)
	}
	if a, b := (*events)[0].ID, (*events)[4].ID; a == b {
		t.Error("both incidents have the same ID")
	}
}

// TestWhatWasToldIsOver has a source scan for a moment and do nothing but
// ordinary things after that.
func TestWhatWasToldIsOver(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	for i := range 20 {
		probe(e, time.Duration(i)*time.Second, host(1), host(2), uint16(i+1))
	}
	for i := range 100 {
		at := time.Duration(i+1) * 10 * time.Minute
		c := capture.Packet{Time: start + int64(at), Src: host(1), Dst: host(100 + i), SrcPort: 40000, DstPort: 443, Proto: capture.ProtoTCP, Flags: capture.SYN, Seq: 1}
		e.Add(&c)
		s := capture.Packet{Time: c.Time, Src: c.Dst, Dst: c.Src, SrcPort: 443, DstPort: 40000, Proto: capture.ProtoTCP, Flags: capture.SYN | capture.ACK, Seq: 7, Ack: 2}
		e.Add(&s)
		c.Flags, c.Seq, c.Ack, c.Payload = capture.ACK, 2, 8, 200
		e.Add(&c)
	}
	e.Close()
	if got := states(*events); got != "se" {
		t.Errorf("events %q, want a start and an end", got)
	}
	if last := (*events)[1]; last.LastSeen != start+int64(19*time.Second) {
		t.Errorf("last seen %v after the start", time.Duration(last.LastSeen-start))
	}
}

func TestIncidentChangesKind(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	for i := range 20 {
		probe(e, time.Duration(i)*time.Second, host(1), host(2), uint16(i+1))
	}
	for i := range 400 {
		probe(e, time.Minute+time.Duration(i)*100*time.Millisecond, host(1), host(i+2), 22)
	}
	e.Close()
	if first, last := (*events)[0].Kind, (*events)[len(*events)-1].Kind; first != Vertical || last == Vertical || len(*events) != 2 {
		t.Errorf("from %s to %s in %d events", first, last, len(*events))
	}
}

// TestSilenceIsNoticed lets probes go unanswered on a network where nothing
// else happens.
func TestSilenceIsNoticed(t *testing.T) {
	judge := &counting{from: 20}
	e, events := newEngine(t, judge)
	for i := range 30 {
		e.Add(&capture.Packet{Time: start, Src: host(1), Dst: host(i + 2), SrcPort: 4000, DstPort: 23, Proto: capture.ProtoTCP, Flags: capture.SYN})
	}
	e.Advance(start + int64(10*time.Minute))
	if got := states(*events); got != "se" {
		t.Errorf("events %q", got)
	}
}

func TestKinds(t *testing.T) {
	cases := []struct {
		name         string
		hosts, ports int
		discovery    int
		want         Kind
	}{
		{"one host", 1, 15, 0, Vertical},
		{"one port", 50, 1, 0, Horizontal},
		{"host discovery with four probes", 256, 4, 0, Horizontal},
		{"two hosts in depth", 2, 1000, 0, Block},
		{"a subnet's favourites", 64, 20, 0, Block},
		{"ports of one host after an ARP sweep", 1, 100, 254, Vertical},
		{"ARP sweep", 0, 0, 254, Horizontal},
	}
	for _, c := range cases {
		var s Shape
		for i := range c.discovery {
			s.Add(&featurize.Contact{Dst: host(i), Proto: capture.ProtoARP})
		}
		for h := range c.hosts {
			for p := range c.ports {
				s.Add(&featurize.Contact{Dst: host(h), Proto: capture.ProtoTCP, Port: uint16(p)})
			}
		}
		if got := s.Kind(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestDistinct(t *testing.T) {
	for _, n := range []int{0, 1, 2, 10, 256, 1000, 10_000, 65_536} {
		var d distinct
		for i := range n {
			for range 2 {
				d.add(binary.BigEndian.AppendUint32(nil, uint32(i)))
			}
		}
		if got := d.count(); got < n*9/10 || got > n*11/10 || n <= maxExact && got != n {
			t.Errorf("%d counted as %d", n, got)
		}
	}
}

func TestEmptyEngineCloses(t *testing.T) {
	e, events := newEngine(t, &counting{})
	e.Close()
	if len(*events) != 0 {
		t.Error("events from nothing")
	}
}
