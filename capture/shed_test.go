package capture

import (
	"net/netip"
	"testing"
	"time"
)

// TestShed sends flows past what counts them, in packet time.
func TestShed(t *testing.T) {
	const start = int64(1_700_000_000e9)
	flowTo := func(port uint16) *Packet {
		return &Packet{Proto: ProtoUDP, Src: AddrFrom(netip.MustParseAddr("192.0.2.1")), Dst: AddrFrom(netip.MustParseAddr("192.0.2.2")), SrcPort: 443, DstPort: port}
	}
	// pass notes packets of a rate a second, from a time on for a while, and
	// returns how many the kernel would have let through.
	pass := func(s *shed, p *Packet, from int64, rate int, seconds int) (through int) {
		for n := range rate * seconds {
			p.Time = from + int64(n)*int64(time.Second)/int64(rate)
			if s.sheds(flowOf(p)) && !s.stale {
				s.expire(p.Time) // what another flow would bring about
				continue
			}
			through++
			if s.note(p) {
				s.program()
			}
		}
		return through
	}
	newShed := func() *shed { return &shed{most: shedFlows} }

	s := newShed()
	if n := pass(s, flowTo(1), start, 200, 20); n != 4000 || s.total != 0 {
		t.Errorf("of 200 packets a second for 20 seconds %d passed, %d flows shed; want all", n, s.total)
	}
	if n := pass(newShed(), flowTo(1), start, 10_000, 20); n < shedAfter || n > 2*(shedAfter+1+10_000*shedPause/1e9) {
		t.Errorf("of 10 000 packets a second for 20 seconds %d passed; want %d every ten seconds, and what comes before the program", n, shedAfter)
	}

	other := *flowTo(1)
	other.Fragment = FragmentFirst
	if n := pass(newShed(), &other, start, 10_000, 1); n != 10_000 {
		t.Errorf("of fragments %d passed, want all", n)
	}
	s = newShed()
	for port := range uint16(1000) {
		pass(s, flowTo(port), start, 2*shedAfter, 1)
	}
	if n := len(s.flows); n != shedFlows {
		t.Errorf("of a thousand flows %d are shed, want %d", n, shedFlows)
	}
	if n := pass(s, flowTo(2000), start-3600e9, 2*shedAfter, 1); n == 2*shedAfter {
		t.Error("after the clock was set back no flow is shed, since old ones have not gone")
	}
	s.fewer()
	if n := len(s.flows); n > shedFlows/2 || s.most != n {
		t.Errorf("half as many flows are %d, at most %d", n, s.most)
	}

	p := flowTo(7)
	if n := testing.AllocsPerRun(1000, func() { p.Time++; s.note(p) }); n != 0 {
		t.Errorf("note allocates %v times", n)
	}
}

func BenchmarkShed(b *testing.B) {
	s := &shed{most: shedFlows}
	p := Packet{Proto: ProtoUDP, Src: host1, Dst: host2, SrcPort: 443}
	b.ReportAllocs()
	for b.Loop() {
		p.DstPort++
		s.note(&p)
	}
}
