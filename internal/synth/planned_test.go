package synth_test

import (
	"slices"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/internal/synth"
)

// seen is what the frames of one planned scan say when they are read as
// captures are.
type seen struct {
	sources  map[capture.Addr]int // probes of each
	hosts    map[capture.Addr]bool
	ports    map[uint16]bool
	order    []aim // probed, in order of time
	times    []int64
	answered map[aim]int // SYN-ACKs to the sources
	refused  map[aim]int
	visits   map[visit]bool // connections of the sources that are no probes
	actors   int
	kinds    map[string]bool
}

type aim struct {
	src, dst capture.Addr
	port     uint16
}

type visit struct {
	aim
	from uint16
}

// readPlan generates a planned scene and reads its frames.
func readPlan(t *testing.T, seed uint64, p synth.ScanPlan) *seen {
	t.Helper()
	scene := synth.Generate(seed, synth.Options{Scan: &p})
	s := &seen{
		sources: map[capture.Addr]int{}, hosts: map[capture.Addr]bool{}, ports: map[uint16]bool{},
		answered: map[aim]int{}, refused: map[aim]int{}, visits: map[visit]bool{}, kinds: map[string]bool{},
	}
	for _, a := range scene.Actors {
		if a.Kind != "benign" {
			s.actors++
			s.kinds[a.Kind] = true
		}
	}
	var decoder capture.Decoder
	probed := map[aim]bool{}
	for i := range scene.Frames {
		f := &scene.Frames[i]
		if i > 0 && f.Time < scene.Frames[i-1].Time {
			t.Fatalf("seed %d: frame %d goes back in time", seed, i)
		}
		var p capture.Packet
		if r := decoder.Decode(capture.LinkTypeEthernet, f.Time, f.Data, f.Wire, &p); r != capture.ReasonOK {
			t.Fatalf("seed %d: frame %d is not decoded: %v", seed, i, r)
		}
		if f.Actor < 0 || scene.Actors[f.Actor].Kind == "benign" || p.Proto != capture.ProtoTCP {
			continue
		}
		there, back := aim{p.Src, p.Dst, p.DstPort}, aim{p.Dst, p.Src, p.SrcPort}
		switch {
		case f.Probe:
			if p.Flags != capture.SYN {
				t.Fatalf("seed %d: probe with flags %v", seed, p.Flags)
			}
			probed[there] = true
			s.sources[p.Src]++
			s.hosts[p.Dst] = true
			s.ports[p.DstPort] = true
			s.order = append(s.order, there)
			s.times = append(s.times, f.Time)
		case p.Flags == capture.SYN:
			s.visits[visit{there, p.SrcPort}] = true
		case probed[back] && p.Flags == capture.SYN|capture.ACK:
			s.answered[back]++
		case probed[back] && p.Flags&capture.RST != 0:
			s.refused[back]++
		}
	}
	return s
}

// seeds to try each plan with: different networks, seen from different places.
const planSeeds = 6

func TestPlanIsKept(t *testing.T) {
	base := synth.ScanPlan{Targets: 100, Interval: 100 * time.Millisecond, Answered: 20, Dropped: 500}
	for name, c := range map[string]struct {
		plan                               func(*synth.ScanPlan)
		hosts, ports, open, refused, sends int
	}{
		"vertical":              {func(*synth.ScanPlan) {}, 1, 100, 2, 49, 100},
		"horizontal":            {func(p *synth.ScanPlan) { p.Horizontal = true }, 100, 1, 2, 49, 100},
		"more than favourites":  {func(p *synth.ScanPlan) { p.Targets = 1000 }, 1, 1000, 20, 490, 1000},
		"all answer":            {func(p *synth.ScanPlan) { p.Answered = 1000 }, 1, 100, 100, 0, 100},
		"all silent":            {func(p *synth.ScanPlan) { p.Horizontal, p.Answered, p.Dropped = true, 0, 1000 }, 100, 1, 0, 0, 100},
		"all refused":           {func(p *synth.ScanPlan) { p.Answered, p.Dropped = 0, 0 }, 1, 100, 0, 100, 100},
		"five":                  {func(p *synth.ScanPlan) { p.Targets = 5 }, 1, 5, 0, 2, 5},
		"ports of their own":    {func(p *synth.ScanPlan) { p.Horizontal, p.Ports = true, synth.ScatteredPorts }, 100, 100, 2, 49, 100},
		"web":                   {func(p *synth.ScanPlan) { p.Ports = synth.WebPorts }, 1, 2, 0, 1, 2},
		"a thousandth second":   {func(p *synth.ScanPlan) { p.Interval = time.Millisecond }, 1, 100, 2, 49, 100},
		"inbound vertical":      {func(p *synth.ScanPlan) { p.Inbound = true }, 1, 100, 2, 49, 100},
		"inbound horizontal":    {func(p *synth.ScanPlan) { p.Inbound, p.Horizontal = true, true }, 100, 1, 2, 49, 100},
		"an hour from the next": {func(p *synth.ScanPlan) { p.Interval = time.Hour }, 1, 100, 2, 49, 100},
	} {
		t.Run(name, func(t *testing.T) {
			p := base
			c.plan(&p)
			for seed := range uint64(planSeeds) {
				s := readPlan(t, seed, p)
				if len(s.hosts) != c.hosts || len(s.ports) != c.ports || len(s.order) != c.sends || s.actors != 1 || len(s.sources) != 1 {
					t.Errorf("seed %d: %d hosts, %d ports, %d probes of %d sources, %d actors", seed, len(s.hosts), len(s.ports), len(s.order), len(s.sources), s.actors)
				}
				if len(s.answered) != c.open || len(s.refused) != c.refused {
					t.Errorf("seed %d: %d answered, %d refused, want %d and %d", seed, len(s.answered), len(s.refused), c.open, c.refused)
				}
				if len(s.visits) != 0 {
					t.Errorf("seed %d: %d other connections", seed, len(s.visits))
				}
				checkTimes(t, seed, s.times, p.Interval)
				if kind := map[bool]string{false: "vertical", true: "horizontal"}[p.Horizontal]; !s.kinds[kind] || len(s.kinds) != 1 {
					t.Errorf("seed %d: kinds %v, want %s", seed, s.kinds, kind)
				}
			}
		})
	}
}

// checkTimes checks that probes follow each other exactly as planned.
func checkTimes(t *testing.T, seed uint64, times []int64, interval time.Duration) {
	t.Helper()
	for i := 1; i < len(times); i++ {
		if got := times[i] - times[i-1]; got != int64(interval) {
			t.Fatalf("seed %d: probe %d comes %v after the last", seed, i, time.Duration(got))
		}
	}
}

func TestPlanOrder(t *testing.T) {
	for _, horizontal := range []bool{false, true} {
		for _, sequential := range []bool{false, true} {
			p := synth.ScanPlan{Horizontal: horizontal, Sequential: sequential, Targets: 100, Interval: time.Second}
			for seed := range uint64(planSeeds) {
				s := readPlan(t, seed, p)
				rising := slices.IsSortedFunc(s.order, func(a, b aim) int {
					if a.port != b.port {
						return int(a.port) - int(b.port)
					}
					return slices.Compare(a.dst[:], b.dst[:])
				})
				if rising != sequential {
					t.Errorf("seed %d, horizontal %v: rising is %v", seed, horizontal, rising)
				}
			}
		}
	}
}

func TestPlanPorts(t *testing.T) {
	for name, c := range map[string]struct {
		set    synth.PortSet
		lo, hi uint16
	}{
		"low":  {synth.LowPorts, 1, 1023},
		"high": {synth.HighPorts, 1024, 65535},
		"web":  {synth.WebPorts, 80, 443},
	} {
		for _, horizontal := range []bool{false, true} {
			for seed := range uint64(planSeeds) {
				s := readPlan(t, seed, synth.ScanPlan{Horizontal: horizontal, Ports: c.set, Targets: 60, Interval: time.Second})
				for port := range s.ports {
					if port < c.lo || port > c.hi || c.set == synth.WebPorts && port != 80 && port != 443 {
						t.Errorf("%s, seed %d: port %d", name, seed, port)
					}
				}
			}
		}
	}
}

func TestPlanSources(t *testing.T) {
	for seed := range uint64(planSeeds) {
		p := synth.ScanPlan{Targets: 100, Interval: time.Second, Sources: 8}
		s := readPlan(t, seed, p)
		if len(s.sources) != 8 || s.actors != 8 || len(s.order) != 100 {
			t.Errorf("seed %d: %d sources, %d actors, %d probes", seed, len(s.sources), s.actors, len(s.order))
		}
		for a, n := range s.sources {
			if n != 12 && n != 13 {
				t.Errorf("seed %d: %v sends %d probes", seed, a, n)
			}
		}
		checkTimes(t, seed, s.times, p.Interval)

		p = synth.ScanPlan{Targets: 50, Interval: time.Second, Decoys: 32, Horizontal: true}
		s = readPlan(t, seed, p)
		if len(s.sources) != 33 || s.actors != 33 || len(s.hosts) != 50 {
			t.Errorf("seed %d: %d sources, %d actors, %d hosts", seed, len(s.sources), s.actors, len(s.hosts))
		}
		for a, n := range s.sources {
			if n != 50 {
				t.Errorf("seed %d: %v sends %d probes", seed, a, n)
			}
		}
	}
}

func TestPlanBrowsing(t *testing.T) {
	for seed := range uint64(planSeeds) {
		for _, browsing := range []int{500, 3000} {
			p := synth.ScanPlan{Targets: 40, Interval: time.Second, Answered: 100, Browsing: browsing}
			s := readPlan(t, seed, p)
			if want := 40 * browsing / 1000; len(s.visits) != want || len(s.order) != 40 {
				t.Errorf("seed %d: %d connections beside %d probes, want %d", seed, len(s.visits), len(s.order), want)
			}
			for v := range s.visits {
				if s.sources[v.src] == 0 {
					t.Errorf("seed %d: a connection of %v", seed, v.src)
				}
			}
		}
	}
}

func TestPlanSameBytes(t *testing.T) {
	p := synth.ScanPlan{Targets: 30, Interval: time.Second, Sources: 2, Decoys: 2, Browsing: 1000}
	for seed := range uint64(3) {
		a, b := synth.Generate(seed, synth.Options{Scan: &p}), synth.Generate(seed, synth.Options{Scan: &p})
		same := slices.EqualFunc(a.Frames, b.Frames, func(x, y synth.Frame) bool {
			return x.Time == y.Time && x.Actor == y.Actor && x.Probe == y.Probe && string(x.Data) == string(y.Data)
		})
		if !same || !slices.Equal(a.Actors, b.Actors) {
			t.Errorf("seed %d: two scenes differ", seed)
		}
		if p.Sources != 2 || len(a.Frames) > 2500 {
			t.Errorf("seed %d: %d frames", seed, len(a.Frames))
		}
	}
}
