package synth

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

const (
	microsecond int64 = 1000
	millisecond       = 1000 * microsecond
	second            = 1000 * millisecond
	minute            = 60 * second
	hour              = 60 * minute
)

// Options narrow down what Generate draws. The zero value draws everything.
type Options struct {
	MaxFrames int      // bound on a scene's frames; 0 means 60 000
	Only      []string // behaviours to draw from, one actor each, in this order; others stay out
	MinScans  int      // least number of scanning actors
	MaxScans  int      // most; 0 means 3, less than MinScans means MinScans, negative means none

	Scan *ScanPlan // one scan as planned, beside a few benign actors; only MaxFrames counts besides. Nil draws scans
}

// gen makes one scene. The fields of the second group change with the actor.
type gen struct {
	scene  *Scene
	site   *site
	defect defects
	b      builder
	quoted []byte // what complain quotes, kept for its memory
	opts   []byte // scratch for TCP options
	arena  []byte
	begin  int64 // of the capture
	end    int64
	fewest int // distinct targets that a scanning actor must be seen to probe, else it is dropped

	r         *rng
	src       *host // the actor's host
	v6        bool  // the actor prefers IPv6 where both ends have it
	slow      bool  // the actor scans for as long as the scene lasts
	behaviour *behaviour
	actor     int32
	first     int   // frame of the actor
	t0, t1    int64 // when the actor is active
	room      int   // frames that it may still add
	probe     bool  // frames are marked as probes
	probes    probeCount
	notes     []string
	scanner   *host                   // the latest one
	known     map[[2]netip.Addr]int64 // until when a host knows another's link-layer address
}

// Generate makes one scene from a seed: the same seed and options give the
// same bytes on every architecture.
func Generate(seed uint64, opt Options) *Scene {
	if opt.MaxFrames <= 0 {
		opt.MaxFrames = 60_000
	}
	if opt.Scan != nil {
		return planned(seed, opt)
	}
	r := newRNG(seed, 0)
	g := newGen(seed, r)
	g.drawLength()
	g.defect = drawDefects(r, g.site)
	cast := g.cast(opt)
	budget := min(r.logn(2500, 30_000), opt.MaxFrames)
	if r.chance(30) || long(g.begin, g.end) && r.chance(200) {
		budget = opt.MaxFrames
	}
	for i, b := range cast {
		left := budget - len(g.scene.Frames)
		g.play(b, uint64(i)+1, min(left, max(2*left/(len(cast)-i), 50)))
	}
	g.makeUp(uint64(len(cast))+1, budget, opt)
	slices.SortStableFunc(g.scene.Frames, func(a, b Frame) int { return cmp.Compare(a.Time, b.Time) })
	return g.scene
}

// newGen draws a network and when it is watched.
func newGen(seed uint64, r *rng) *gen {
	g := &gen{
		scene: &Scene{Seed: seed}, site: newSite(r), r: r, opts: make([]byte, 0, 40), known: map[[2]netip.Addr]int64{},
		fewest: fewestProbes,
	}
	g.begin = 1_100_000_000*second + r.n64(800_000_000*second)
	return g
}

// maxExtras is how often Generate tries to make up for actors that left
// nothing.
const maxExtras = 12

// makeUp plays further actors while the scene is empty or has fewer scans than
// asked for, as the tap did not see those that were cast.
func (g *gen) makeUp(stream uint64, budget int, opt Options) {
	for range maxExtras {
		lacking := g.scans() < opt.MinScans
		if len(opt.Only) > 0 || !lacking && len(g.scene.Frames) > 0 {
			return
		}
		made := len(g.scene.Frames)
		g.play(g.draw(lacking), stream, max(budget-made, min(2000, opt.MaxFrames-made)))
		stream++
	}
}

// scans is the number of scanning actors so far.
func (g *gen) scans() int {
	n := 0
	for i := range g.scene.Actors {
		if g.scene.Actors[i].Kind != "benign" {
			n++
		}
	}
	return n
}

// drawLength draws how long the capture runs: mostly a while, at times for
// hours or for a day, as slow scans do and the failures of all others that add
// up meanwhile.
func (g *gen) drawLength() {
	var length int64
	switch g.r.weighted(854, 86, 60) {
	case 0:
		length = g.r.log(10*second, 2*hour)
	case 1:
		length = g.r.log(20*minute, 8*hour)
	case 2:
		length = g.r.log(8*hour, 30*hour)
	}
	g.end = g.begin + length
}

// cast draws the behaviours of the scene.
func (g *gen) cast(opt Options) []*behaviour {
	var out []*behaviour
	if len(opt.Only) > 0 {
		for _, name := range opt.Only {
			if b := lookup(name); b != nil {
				out = append(out, b)
			}
		}
		return out
	}
	most := opt.MaxScans
	if most == 0 {
		most = 3
	}
	scans := 0
	if most > 0 {
		scans = min(g.r.weighted(30, 50, 14, 6), most)
	}
	scans = max(scans, opt.MinScans)
	benign := g.r.logn(2, 14)
	if g.site.view == viewHost {
		benign = g.r.logn(1, 5)
	}
	if long(g.begin, g.end) {
		benign *= 2
	}
	for range scans {
		out = append(out, g.draw(true))
	}
	for range benign {
		out = append(out, g.draw(false))
	}
	return out
}

// draw picks a behaviour by weight.
func (g *gen) draw(scan bool) *behaviour {
	sum := 0
	for i := range behaviours {
		if behaviours[i].scan == scan {
			sum += behaviours[i].weight
		}
	}
	x := g.r.n(sum)
	for i := range behaviours {
		if b := &behaviours[i]; b.scan == scan {
			if x -= b.weight; x < 0 {
				return b
			}
		}
	}
	return nil
}

// play runs one actor and keeps it if it left a frame.
func (g *gen) play(b *behaviour, stream uint64, room int) {
	g.r = newRNG(g.scene.Seed, stream)
	g.room = room
	g.notes = nil
	g.v6 = g.site.prefix6.IsValid() && g.r.chance(250)
	length := g.end - g.begin
	g.t0, g.t1 = g.begin, g.end
	switch g.r.n(3) {
	case 0: // begins before the capture
		if g.t0 -= g.r.n64(length/2 + minute); b.scan {
			g.t0 = g.begin - g.r.n64(2*second)
		}
	case 1:
		g.t0 += g.r.n64(length * 3 / 4)
	}
	if g.r.chance(300) {
		g.t1 = g.t0 + max(g.r.n64(g.end-g.t0), min(20*second, g.end-g.t0))
	}
	g.src = g.source(b.from)
	if !b.scan && b.from == inside && g.scanner != nil && g.scanner.onlink && g.r.chance(400) {
		g.src = g.scanner // who scans also browses
	}
	g.v6 = g.v6 && g.src.ip6.IsValid()
	g.behaviour = b
	g.slow = b.scan && long(g.begin, g.end) && g.r.chance(750)
	g.start()
	if b.scan || !long(g.t0, g.t1) {
		b.run(g)
	} else {
		g.playDay()
	}
	g.close()
}

// next closes the actor that plays and goes on as another one, of the same
// behaviour.
func (g *gen) next(src *host) {
	g.close()
	g.src = src
	g.v6 = g.v6 && src.ip6.IsValid()
	g.start()
}

// start makes the actor.
func (g *gen) start() {
	g.actor = int32(len(g.scene.Actors))
	g.first = len(g.scene.Frames)
	g.probe, g.probes = false, probeCount{keys: g.probes.keys[:0]}
	g.scene.Actors = append(g.scene.Actors, Actor{Tool: g.behaviour.name, Kind: "benign"})
}

// fewestProbes is how many distinct targets the tap must have seen probed:
// with fewer nobody could call the source a scanner.
const fewestProbes = 8

// close fills in the actor, or drops it with its frames when the tap saw too
// little of it.
func (g *gen) close() {
	frames := g.scene.Frames[g.first:]
	a := &g.scene.Actors[g.actor]
	kind, aims := "benign", 0
	if g.behaviour.scan {
		kind, aims = g.probes.kind()
	}
	if len(frames) == 0 || g.behaviour.scan && aims < g.fewest {
		g.scene.Frames = g.scene.Frames[:g.first]
		g.scene.Actors = g.scene.Actors[:g.actor]
		return
	}
	a.Source = g.src.addr(g.v6).String()
	a.Note = strings.Join(append([]string{viewNames[g.site.view]}, g.notes...), "; ")
	a.Start, a.End = frames[0].Time, frames[0].Time
	for i := range frames {
		a.Start, a.End = min(a.Start, frames[i].Time), max(a.End, frames[i].Time)
	}
	if a.Kind = kind; kind != "benign" {
		g.scanner = g.src
	}
}

// note adds to what the label says about the actor.
func (g *gen) note(s string) { g.notes = append(g.notes, s) }

// full reports that the actor has no room for more frames, or that t is past
// its time.
func (g *gen) full(t int64) bool { return g.room <= 0 || t >= g.t1 }

// spread calls f for about n times of the actor's activity, in order, with
// exponential gaps: all along, or crowded into a part of it, as most of what
// programs do comes in bursts. Of a long activity there is more.
func (g *gen) spread(n int, f func(t int64)) {
	from, length, crowded := g.t0, g.t1-g.t0, 450
	if long(g.t0, g.t1) {
		n, crowded = n*g.r.logn(1, 8), 150
	}
	if g.r.chance(crowded) {
		whole := length
		length = g.r.log(second, max(whole, second))
		from = max(from+g.r.n64(whole-length), min(g.begin, g.t1-length))
	}
	g.scatter(n, from, length, f)
}

// spreadEvenly is spread for what nobody bundles.
func (g *gen) spreadEvenly(n int, f func(t int64)) { g.scatter(n, g.t0, g.t1-g.t0, f) }

// scatter calls f for about n times of a stretch of time.
func (g *gen) scatter(n int, from, length int64, f func(t int64)) {
	mean := length / int64(max(n, 1))
	t, th := from+g.r.n64(mean), g.newThinning(from+length)
	for i := 0; i < n && !g.full(t); i++ {
		f(t)
		t += g.r.exp(max(mean, th.gap(t)))
	}
}

// every calls f once a period with a little jitter.
func (g *gen) every(period int64, f func(t int64)) {
	if long(g.t0, g.t1) && g.r.chance(300) { // by the hour, or so
		period = max(period, g.r.log(10*minute, 2*hour))
	}
	t, th := g.t0+g.r.n64(period), g.newThinning(g.t1)
	for !g.full(t) {
		f(t)
		t += max(period+g.r.n64(period/20+1)-period/40, th.gap(t))
	}
}

// emit adds the frame in the builder as one that src sends and the tap sees at
// t; dst is nil for a group address.
func (g *gen) emit(t int64, src, dst *host) {
	if t < g.begin || t >= g.end || g.room <= 0 || !g.sees(src, dst) {
		return
	}
	if g.site.pads && len(g.b.buf) < 60 && !(g.site.view == viewHost && src == g.site.self) {
		g.b.buf = append(g.b.buf, zeros[:60-len(g.b.buf)]...)
	}
	g.append(t, g.b.buf)
}

// append copies a frame into the scene.
func (g *gen) append(t int64, frame []byte) {
	keep := min(len(frame), g.defect.snaplen)
	if g.defect.cut > 0 && g.r.chance(g.defect.cut) {
		keep = g.r.span(14, len(frame))
	}
	if cap(g.arena)-len(g.arena) < keep {
		g.arena = make([]byte, 0, 1<<18)
	}
	at := len(g.arena)
	g.arena = append(g.arena, frame[:keep]...)
	if g.defect.jitter > 0 {
		t += g.r.n64(g.defect.jitter)
	}
	t -= t % g.defect.tick
	g.scene.Frames = append(g.scene.Frames, Frame{
		Time: t, Data: g.arena[at:len(g.arena):len(g.arena)], Wire: len(frame), Actor: g.actor, Probe: g.probe,
	})
	g.room--
	if g.probe {
		g.probes.keys = append(g.probes.keys, g.probes.aim)
	}
}

var zeros [64]byte

// defects are what a capture lacks of the truth.
type defects struct {
	snaplen int
	loss    int   // permille of frames
	cut     int   // permille of frames cut short
	astray  int   // permille of remote hosts whose answers take another way
	jitter  int64 // by which time stamps are off
	tick    int64 // resolution of time stamps
	oneway  int   // 0: both ways, 1: only what leaves the source or the site, 2: only what comes in
	control bool  // TCP segments without SYN, FIN or RST are filtered out
	data    bool  // only packets that carry data
}

// drawDefects draws what the capture lacks; three in five lack nothing much.
func drawDefects(r *rng, s *site) defects {
	d := defects{snaplen: pick(r, []int{65535, 65535, 65535, 1518, 262144, 512, 256, 128, 96, 68}), tick: pick(r, []int64{1, 1000, 1000})}
	if r.chance(250) {
		d.loss = r.logn(1, 50)
	}
	if r.chance(50) {
		d.cut = r.logn(1, 30)
	}
	if r.chance(100) {
		d.jitter = r.log(10*microsecond, 3*millisecond)
	}
	if r.chance(90) {
		d.oneway = r.span(1, 2)
	}
	if r.chance(80) {
		d.astray = r.logn(50, 700)
	}
	d.control = r.chance(130)
	d.data = !d.control && r.chance(15)
	return d
}

// sees reports whether the tap sees what src sends to dst.
func (g *gen) sees(src, dst *host) bool {
	if g.defect.loss > 0 && g.r.chance(g.defect.loss) || src.unheard {
		return false
	}
	if dst != nil && g.defect.oneway != 0 && g.outward(src, dst) != (g.defect.oneway == 1) {
		return false
	}
	if g.b.proto == protoTCP {
		bare := g.b.flags&(syn|fin|rst) == 0 && g.b.flags != 0
		if g.defect.control && bare || g.defect.data && g.b.load == 0 && bare {
			return false
		}
	}
	switch g.site.view {
	case viewGateway:
		return dst == nil || !src.onlink || !dst.onlink || src == g.site.gateway || dst == g.site.gateway
	case viewHost:
		return dst == nil && src.onlink || src == g.site.self || dst == g.site.self
	case viewBorder:
		return dst != nil && src.onlink != dst.onlink
	}
	return true
}

// outward reports the direction of a frame for one-way views: out of the site,
// or within it away from the actor.
func (g *gen) outward(src, dst *host) bool {
	if src.onlink != dst.onlink {
		return src.onlink
	}
	return src == g.src
}
