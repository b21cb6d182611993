package detect_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// soak is a network that is watched for hours of packet time: ordinary
// connections, and scans at set minutes of each hour.
type soak struct {
	engine *detect.Engine
	events []string
	ids    map[uint64]int // events of each incident
	rng    *rand.Rand
	start  int64
}

// soakFlows is the number of connections an hour, spread evenly.
const soakFlows = 40 * 3600

func newSoak(tb testing.TB) *soak {
	tb.Helper()
	network, judge := builtIn(tb)
	s := &soak{ids: map[uint64]int{}, rng: rand.New(rand.NewPCG(1, 2)), start: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC).UnixNano()}
	var err error
	s.engine, err = detect.NewEngine(detect.Config{
		Memory:    detect.MinMemory, // full within the first hour
		Key:       featurize.DefaultKey,
		Threshold: network.Threshold(),
	}, judge, func(e *detect.Event) {
		s.ids[e.ID]++
		s.events = append(s.events, fmt.Sprintf("%s %s", e.State, e.Source.Netip()))
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// within returns a host of a network.
func within(network string, n int) capture.Addr {
	a := capture.AddrFrom(netip.MustParseAddr(network))
	binary.BigEndian.PutUint16(a[14:], uint16(n))
	return a
}

// send gives the engine a TCP segment at a time after the start.
func (s *soak) send(at int64, src, dst capture.Addr, sport, dport uint16, flags capture.Flags, seq, ack, payload uint32) {
	s.engine.Add(&capture.Packet{Time: s.start + at, Src: src, Dst: dst, SrcPort: sport, DstPort: dport, Proto: capture.ProtoTCP, Flags: flags, Seq: seq, Ack: ack, Payload: payload})
}

// flow is a short connection that carries data.
func (s *soak) flow(at int64) {
	c, v, port := within("10.20.0.0", s.rng.IntN(2000)), within("203.0.0.0", s.rng.IntN(5000)), uint16(32768+s.rng.IntN(28000))
	s.send(at, c, v, port, 443, capture.SYN, 1, 0, 0)
	s.send(at+1, v, c, 443, port, capture.SYN|capture.ACK, 100, 2, 0)
	s.send(at+2, c, v, port, 443, capture.PSH|capture.ACK, 2, 101, 300)
	s.send(at+3, v, c, 443, port, capture.PSH|capture.ACK, 101, 302, 900)
	s.send(at+4, c, v, port, 443, capture.FIN|capture.ACK, 302, 1001, 0)
}

// The scanners: one that scans a host every hour, one that is another every
// hour, one that comes in the first hour and again a day later.
var (
	hourly = within("198.51.0.0", 1)
	daily  = within("198.51.0.0", 2)
)

func sweeper(hour int) capture.Addr { return within("198.51.0.0", 256+hour) }

// second plays what happens in a second of an hour.
func (s *soak) second(hour, second int) {
	at := int64(hour*3600+second) * int64(time.Second)
	for i := range int64(soakFlows / 3600) {
		s.flow(at + i*20_000_000)
	}
	at += int64(900 * time.Millisecond)
	refused := func(src, dst capture.Addr, port uint16) {
		s.send(at, src, dst, 40000, port, capture.SYN, 1, 0, 0)
		s.send(at, dst, src, port, 40000, capture.RST|capture.ACK, 0, 2, 0)
	}
	switch n := second % 600; {
	case second < 600 || second >= 2400 || n >= 60:
	case second < 1200:
		for i := range 5 {
			refused(hourly, within("10.20.0.0", 7), uint16(20+5*n+i))
		}
	case second < 1800:
		for i := range 5 {
			refused(sweeper(hour), within("10.20.0.0", 1+5*n+i), 23)
		}
	case hour%24 == 0:
		refused(daily, within("10.20.0.0", 9), uint16(100+7*n))
	}
}

func (s *soak) hour(hour int) {
	for second := range 3600 {
		s.second(hour, second)
	}
}

// expected lists the events of some hours.
func expected(hours int) []string {
	var events []string
	for hour := range hours {
		scanners := []capture.Addr{hourly, sweeper(hour)}
		if hour%24 == 0 {
			scanners = append(scanners, daily)
		}
		for _, a := range scanners {
			events = append(events, fmt.Sprintf("start %s", a.Netip()), fmt.Sprintf("end %s", a.Netip()))
		}
	}
	return events
}

// heapInUse returns what is left in use after a collection, bytes.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// TestSoak watches a network for 25 hours of packet time: memory does not grow
// after the first hour, every scan is one incident, and a source that scans
// again an hour or a day later is another one.
func TestSoak(t *testing.T) {
	hours := 25
	if testing.Short() {
		hours = 3
	}
	s := newSoak(t)
	s.hour(0)
	first := heapInUse()
	if stats := s.engine.Stats(); stats.EvictedContacts == 0 {
		t.Error("the tables are not full after the first hour")
	}
	held := func() uint64 { c := s.engine.Stats(); return c.Sources - c.EvictedSources }
	heldFirst := held()
	for hour := 1; hour < hours; hour++ {
		s.hour(hour)
	}
	last := heapInUse()
	if grown := last - first; grown > 256<<10 {
		t.Errorf("the heap grew from %d KiB after the first hour to %d KiB", first>>10, last>>10)
	}
	if h := held(); h > heldFirst+heldFirst/10 {
		t.Errorf("%d sources held after the first hour, %d at the end", heldFirst, h)
	}
	stats := s.engine.Stats()
	s.engine.Close()
	want := expected(hours)
	if got := fmt.Sprint(s.events); got != fmt.Sprint(want) {
		t.Errorf("events\n%s\nwant\n%s", got, fmt.Sprint(want))
	}
	for id, n := range s.ids {
		if n != 2 {
			t.Errorf("%d events of incident %016x", n, id)
		}
	}
	t.Logf("heap %d KiB, then %d KiB; %+v", first>>10, last>>10, stats)
}

// BenchmarkSoak compares the speed of the first of 25 hours with the last.
func BenchmarkSoak(b *testing.B) {
	const hours = 25
	var first, last time.Duration
	var packets uint64
	for b.Loop() {
		s := newSoak(b)
		for hour := range hours {
			start, before := time.Now(), s.engine.Stats().Packets
			s.hour(hour)
			switch hour {
			case 0:
				first += time.Since(start)
			case hours - 1:
				last += time.Since(start)
				packets += s.engine.Stats().Packets - before
			}
		}
	}
	b.ReportMetric(float64(packets)/first.Seconds(), "packets/s-first-hour")
	b.ReportMetric(float64(packets)/last.Seconds(), "packets/s-last-hour")
}
