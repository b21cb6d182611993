package detect

import (
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
)

// allowing returns a Policy that allows a host's contacts as kinds says of
// their ports, and inside of which are the hosts below 100.
func allowing(src capture.Addr, kinds func(port uint16) KindSet) Policy {
	return Policy{
		Allows: func(s, _ capture.Addr, _ capture.Proto, port uint16, _ int64) Allowance {
			if s != src {
				return Allowance{}
			}
			return Allowance{kinds(port), "because"}
		},
		Inside: func(a capture.Addr) bool { return a[14] == 0 && a[15] < 100 },
	}
}

// below allows ports below one.
func below(port uint16, kinds KindSet) func(uint16) KindSet {
	return func(p uint16) KindSet {
		if p < port {
			return kinds
		}
		return 0
	}
}

// told returns the events that are to be named, and those that are not.
func told(events []Event) (named, silent []Event) {
	for _, e := range events {
		if e.Allowed == "" {
			named = append(named, e)
		} else {
			silent = append(silent, e)
		}
	}
	return named, silent
}

func TestWhatIsAllowedIsSilent(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	e.SetPolicy(allowing(host(1), below(60000, AnyKind)))
	for i := range 200 {
		probe(e, time.Duration(i)*10*time.Second, host(1), host(2), uint16(i+1))
		probe(e, time.Duration(i)*10*time.Second, host(3), host(2), uint16(i+1))
	}
	e.Close()
	named, silent := told(*events)
	for _, ev := range named {
		if ev.Source != host(3) {
			t.Errorf("named: %+v", ev)
		}
	}
	if states(silent) != "suuue" || silent[0].Source != host(1) || silent[0].Scope != featurize.Host || silent[0].Allowed != "because" || silent[0].ID == named[0].ID {
		t.Errorf("silent: %s %+v", states(silent), silent)
	}
	if s := e.Stats(); s.Incidents != 1 || s.Allowed != 1 {
		t.Errorf("%d incidents and %d allowed, want one of each", s.Incidents, s.Allowed)
	}
}

// TestWhatGoesBeyondIsNamed lets a host do a lot that it may, and then a little
// that it may not: this is named as soon as if there were nothing else.
func TestWhatGoesBeyondIsNamed(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	e.SetPolicy(allowing(host(1), below(30000, AnyKind)))
	for i := range 20000 {
		probe(e, time.Duration(i)*time.Millisecond, host(1), host(2), uint16(i+1))
	}
	for i := range 20 {
		probe(e, 20*time.Second+time.Duration(i)*time.Second, host(1), host(5), uint16(i+40000))
	}
	e.Close()
	named, silent := told(*events)
	if states(silent) != "se" || states(named) != "se" {
		t.Fatalf("silent %q, named %q; want a start and an end of both", states(silent), states(named))
	}
	if start, end := named[0], named[1]; start.Contacts > 8 || end.Contacts != 20 || end.Hosts != 1 || end.Example != host(5) {
		t.Errorf("named: %+v, %+v", start, end)
	}
}

func TestAnswersFindWhatIsKeptApart(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	for _, p := range []Policy{allowing(host(1), below(60000, AnyKind)), {}, allowing(host(1), below(60000, AnyKind))} {
		base := time.Duration(e.Stats().Packets) * time.Hour // far from what was before
		syn := func(i int) *capture.Packet {
			return &capture.Packet{Time: start + int64(base) + int64(i), Src: host(1), Dst: host(2), SrcPort: 40000, DstPort: uint16(i + 1), Proto: capture.ProtoTCP, Flags: capture.SYN, Seq: 1}
		}
		for i := range 6 {
			e.Add(syn(i))
		}
		e.SetPolicy(p) // between question and answer
		for i := range 6 {
			e.Add(&capture.Packet{Time: start + int64(base) + int64(time.Second), Src: host(2), Dst: host(1), SrcPort: uint16(i + 1), DstPort: 40000, Proto: capture.ProtoTCP, Flags: capture.SYN | capture.ACK, Ack: 2})
			e.Add(&capture.Packet{Time: start + int64(base) + int64(time.Second), Src: host(1), Dst: host(2), SrcPort: 40000, DstPort: uint16(i + 1), Proto: capture.ProtoTCP, Flags: capture.ACK, Seq: 2, Ack: 2, Payload: 100})
		}
	}
	tracker := e.Tracker()
	for i := 1; i < tracker.Sources(); i++ {
		tracker.Each(uint32(i), 0, func(c *featurize.Contact) bool {
			if !c.Productive() {
				t.Errorf("a contact with %v port %d is %v", c.Dst.Netip(), c.Port, c.Outcome)
			}
			return true
		})
	}
	e.Close()
	if len(*events) > 0 {
		t.Errorf("events: %+v", *events)
	}
	if n := e.Stats().Contacts; n != 18 {
		t.Errorf("%d contacts, want 18: an answer has made one of its own", n)
	}
}

// TestAllowedKinds has a host that may scan vertically do so, and then sweep.
func TestAllowedKinds(t *testing.T) {
	for name, c := range map[string]struct {
		allowed       KindSet
		silent, named string
	}{
		"vertical":   {SetOf(Vertical), "s", "se"},
		"horizontal": {SetOf(Horizontal), "", "se"},
		"both":       {SetOf(Vertical) | SetOf(Horizontal), "se", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, events := newEngine(t, &counting{from: 8})
			e.SetPolicy(allowing(host(1), below(60000, c.allowed)))
			for i := range 100 {
				probe(e, time.Duration(i)*100*time.Millisecond, host(1), host(2), uint16(i+1))
			}
			for i := range 100 {
				probe(e, 10*time.Second+time.Duration(i)*100*time.Millisecond, host(1), host(10+i), 22)
			}
			e.Close()
			named, silent := told(*events)
			if states(silent) != c.silent || states(named) != c.named {
				t.Errorf("silent %q, named %q; want %q, %q: %+v", states(silent), states(named), c.silent, c.named, *events)
			}
			if got := e.Stats().Incidents; got != uint64(len(c.named)/2) {
				t.Errorf("%d incidents counted", got)
			}
		})
	}
}

func TestARuleThatIsNewOrGone(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	scan := func(from int) {
		for i := range 100 {
			probe(e, time.Duration(from+i)*time.Second, host(1), host(2), uint16(from+i+1))
		}
	}
	scan(0)
	e.SetPolicy(allowing(host(1), below(60000, AnyKind)))
	scan(100)
	e.SetPolicy(Policy{})
	scan(200)
	e.Close()
	// The incident that was named ends; while the rule applies there is a silent
	// one; what comes after goes on with the first.
	named, silent := told(*events)
	if states(silent) != "se" || states(named) != "se" || named[1].Contacts != 200 {
		t.Errorf("silent %q, named %q: %+v", states(silent), states(named), *events)
	}
}

func TestGroupsDoNotCountWhatIsAllowed(t *testing.T) {
	scan := func(p Policy) []Event {
		e, events := newEngine(t, &counting{from: 8})
		e.SetPolicy(p)
		for i := range 40 { // of one /24, a probe or two each
			probe(e, time.Duration(i)*time.Second, host(1+i%20), host(0x200), uint16(i+1))
		}
		e.Close()
		return *events
	}
	everyone := func(kinds KindSet) Policy {
		return Policy{Allows: func(_, _ capture.Addr, _ capture.Proto, _ uint16, _ int64) Allowance {
			return Allowance{kinds, "because"}
		}}
	}
	if got := scan(Policy{}); len(got) == 0 {
		t.Error("without rules the group is not named")
	}
	if got := scan(everyone(AnyKind)); len(got) > 0 {
		t.Errorf("what any host may do is named of a group: %+v", got)
	}
	if got := scan(everyone(SetOf(Horizontal))); len(got) == 0 {
		t.Error("a rule of a kind hides a scan of another kind that is spread over many")
	}
}

func TestDirections(t *testing.T) {
	for name, c := range map[string]struct {
		src, dst int
		want     Direction
	}{
		"internal": {1, 2, Internal}, "outbound": {1, 200, Outbound}, "inbound": {200, 1, Inbound}, "transit": {200, 201, Transit},
	} {
		t.Run(name, func(t *testing.T) {
			for _, off := range []Direction{Undirected, c.want} {
				e, events := newEngine(t, &counting{from: 8})
				p := allowing(host(0), below(0, 0))
				p.Thresholds[off] = One + 1
				e.SetPolicy(p)
				for i := range 20 {
					probe(e, time.Duration(i)*time.Second, host(c.src), host(c.dst), uint16(i+1))
				}
				e.Close()
				if off != Undirected && len(*events) > 0 {
					t.Errorf("named although off: %+v", *events)
				}
				if off == Undirected && (len(*events) != 2 || (*events)[0].Direction != c.want) {
					t.Errorf("%+v, want direction %v", *events, c.want)
				}
			}
		})
	}
}

// TestADirectionThatIsOffHidesNoOther mixes a little that goes inside with a lot
// that goes outside, where nothing is to be named.
func TestADirectionThatIsOffHidesNoOther(t *testing.T) {
	e, events := newEngine(t, &counting{from: 8})
	p := allowing(host(0), below(0, 0))
	p.Thresholds[Outbound] = One + 1
	e.SetPolicy(p)
	for i := range 100 {
		probe(e, time.Duration(i)*100*time.Millisecond, host(1), host(200), uint16(i+1))
		if i%10 == 0 {
			probe(e, time.Duration(i)*100*time.Millisecond, host(1), host(2), uint16(i+1))
		}
	}
	e.Close()
	if len(*events) != 2 {
		t.Errorf("%+v, want a start and an end", *events)
	}
}

func TestTargets(t *testing.T) {
	for name, c := range map[string]struct {
		hosts []int
		want  string
	}{
		"one":     {[]int{2}, "10.0.0.2/32"},
		"several": {[]int{2, 3, 6}, "10.0.0.0/29"},
		"far":     {[]int{0x102, 0x3}, "10.0.0.0/23"},
	} {
		e, events := newEngine(t, &counting{from: 8})
		for i := range 30 {
			probe(e, time.Duration(i)*time.Second, host(1), host(c.hosts[i%len(c.hosts)]), uint16(i+1))
		}
		e.Close()
		if got := (*events)[len(*events)-1].Targets.String(); got != c.want {
			t.Errorf("%s: targets %s, want %s", name, got, c.want)
		}
	}
}

// seeing is a Judge that remembers what the latest map of a host shows.
type seeing struct {
	productive, refused bool
	contacts            int
}

func (j *seeing) Judge(l *Look) uint32 {
	if l.Scope != featurize.Host {
		return 0
	}
	*j = seeing{contacts: l.Summary.Contacts}
	for r := range featurize.Rows {
		for c := range featurize.Columns {
			j.productive = j.productive || l.Map.At(r, c, featurize.ChannelProductive) > 0
			j.refused = j.refused || l.Map.At(r, c, featurize.ChannelRefused) > 0
		}
	}
	return 0
}

// TestWhatIsAllowedIsContext wants a host judged with the ordinary use of what
// it may do in sight, but without what came to nothing there.
func TestWhatIsAllowedIsContext(t *testing.T) {
	judge := &seeing{}
	e, _ := newEngine(t, judge)
	e.SetPolicy(allowing(host(1), below(1000, AnyKind)))
	e.Add(&capture.Packet{Time: start, Src: host(1), Dst: host(2), SrcPort: 40000, DstPort: 80, Proto: capture.ProtoTCP, Flags: capture.ACK, Seq: 2, Ack: 2, Payload: 100})
	for i := range 10 {
		probe(e, time.Second, host(1), host(3), uint16(100+i)) // refused
		e.Add(&capture.Packet{Time: start + int64(2*time.Second), Src: host(1), Dst: host(3), SrcPort: 40000, DstPort: uint16(2000 + i), Proto: capture.ProtoTCP, Flags: capture.SYN, Seq: 1})
	}
	e.Advance(start + int64(10*time.Second))
	if !judge.productive || judge.refused || judge.contacts != 10 {
		t.Errorf("the map shows %+v, want 10 contacts beside what is productive", *judge)
	}
}
