package synth

// longSpan is from when on an activity is a long one. What a program does goes
// on for all of it, where its frames would else be used up within the first
// hour; and so do the failures that a window of a day adds up.
const longSpan = 3 * hour

// long reports whether what lasts from one time to another is long.
func long(from, to int64) bool { return to-from >= longSpan }

// thinning keeps a long activity from using up its frames before it is over.
type thinning struct {
	g     *gen
	end   int64
	room  int // at the beginning
	calls int // that could leave frames
}

func (g *gen) newThinning(end int64) thinning { return thinning{g: g, end: end, room: g.room} }

// gap is the least time from a call at t to the next with which the room that
// is left lasts until the end, if calls go on to leave as much as they did; 0
// for what is not long.
func (th *thinning) gap(t int64) int64 {
	g := th.g
	if !long(g.t0, g.t1) || t < g.begin || g.room <= 0 {
		return 0
	}
	th.calls++
	return (th.end - t) / int64(th.calls) * int64(th.room-g.room) / int64(g.room)
}

// playDay plays a benign actor for a long time: all along, or in sessions, as
// people come and go and jobs are started. A session does the same as the
// last, to the same hosts, or something else of the kind.
func (g *gen) playDay() {
	run := g.behaviour.run
	n := g.r.logn(2, 12)
	slot := (g.t1 - g.t0) / int64(n)
	if g.r.chance(400) || slot < 10*minute {
		run(g)
		return
	}
	same := g.behaviour.from == gateway || g.r.chance(600)
	type session struct{ t0, t1 int64 }
	sessions := make([]session, n)
	for i := range sessions {
		at := g.t0 + int64(i)*slot + g.r.n64(slot/2)
		sessions[i] = session{at, min(at+g.r.log(minute, slot), g.t1)}
	}
	src, v6, room, state := g.src, g.v6, g.room, *g.r
	for i, s := range sessions {
		if s.t1 <= g.begin {
			continue
		}
		g.src, g.v6, g.t0, g.t1 = src, v6, s.t0, s.t1
		share := room / (n - i)
		g.room = share
		if same {
			again := state
			g.r = &again
		}
		run(g)
		room -= share - g.room
	}
}
