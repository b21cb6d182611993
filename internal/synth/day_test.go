package synth

import "testing"

// daySeeds are seeds of scenes that last for ten hours and more.
func daySeeds(t *testing.T, n int) []uint64 {
	t.Helper()
	var out []uint64
	for seed := uint64(0); len(out) < n; seed++ {
		if seed > 100*uint64(n) {
			t.Fatal("hardly any long scene")
		}
		g := newGen(seed, newRNG(seed, 0))
		if g.drawLength(); g.end-g.begin >= 10*hour {
			out = append(out, seed)
		}
	}
	return out
}

// span is the time from a scene's first frame to its last.
func span(s *Scene) int64 {
	if len(s.Frames) == 0 {
		return 0
	}
	return s.Frames[len(s.Frames)-1].Time - s.Frames[0].Time
}

// TestDayIsNotCutOff plays what goes on all day with few frames to spend, more
// of which it would use up within the first hour.
func TestDayIsNotCutOff(t *testing.T) {
	seeds := daySeeds(t, 40)
	for _, name := range []string{"monitoring", "poller", "nat", "crawler", "bittorrent", "resolver", "phone", "ntp", "routerarp", "pinghost"} {
		t.Run(name, func(t *testing.T) {
			lasts := 0
			for _, seed := range seeds {
				s := Generate(seed, Options{Only: []string{name}, MaxFrames: 2000})
				if len(s.Frames) > 2000 {
					t.Errorf("seed %d: %d frames", seed, len(s.Frames))
				}
				if span(s) > 5*hour {
					lasts++
				}
			}
			if lasts < len(seeds)/2 {
				t.Errorf("only %d of %d last for five hours", lasts, len(seeds))
			}
		})
	}
}

// TestSlowScans checks that most scans of a day take hours, and that each still
// probes enough to be told.
func TestSlowScans(t *testing.T) {
	seeds := daySeeds(t, 40)
	for _, name := range []string{"syn", "connect", "udp", "worm", "icmp"} {
		t.Run(name, func(t *testing.T) {
			slow, all := 0, 0
			for _, seed := range seeds {
				s := Generate(seed, Options{Only: []string{name}})
				for _, a := range s.Actors {
					if all++; a.End-a.Start > 4*hour {
						slow++
					}
				}
				probes := 0
				for i := range s.Frames {
					if s.Frames[i].Probe {
						probes++
					}
				}
				if len(s.Actors) > 0 && probes < fewestProbes {
					t.Errorf("seed %d: %d probes", seed, probes)
				}
			}
			if all < 25 || slow < all/3 {
				t.Errorf("%d of %d scans take hours", slow, all)
			}
		})
	}
}
