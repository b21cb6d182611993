package eval

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"edgescan/capture"
	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

// Evasion says how far an attacker must go to stay unseen: scans that differ
// from an ordinary one in a single parameter, and how many of them each
// detector names.
//
// What the figures can tell: at which value of a parameter a detector loses a
// scan, all else equal, and how that compares with the simple rules on the
// same contacts. All values are tried on the same networks beside the same
// benign actors, so that lines of a sweep differ by the parameter alone. The
// price of each detector, its false alerts, is taken from other scenes, of all
// benign behaviours: a rule that finds more is not better for it alone.
//
// What they cannot tell: how often scans like these occur; what two
// parameters do together, but for the last sweep; what an attacker can do who
// knows the model and shapes each probe against it; what a tap misses that
// loses packets or sees one direction. All scans are IPv4 SYN scans at an even
// pace, across the router, from hosts that do nothing else, but where browsing
// is the parameter. Naming a group of sources counts as naming the scan. The random walks forget nothing in scenes of this size:
// that they find what is slower than a day takes memory without bound. And a
// share found in 40 scenes is known to about 15 points near one half, to 7
// near none or all.
type Evasion struct {
	Scenes int      // played for each value
	Rules  []string // names
	Sweeps []EvasionSweep
	Prices []float64 // false alerts a day of a benign source that is active all day: the Judge's, then the rules'
}

// EvasionSweep is a parameter and what comes of its values.
type EvasionSweep struct {
	Horizontal bool
	Parameter  string
	Values     []EvasionValue
}

// EvasionValue is how the detectors do where a parameter has one value.
type EvasionValue struct {
	Value string
	EvasionResult
}

// EvasionResult is how the detectors do on the scenes of one plan.
type EvasionResult struct {
	Scenes  int
	Found   []int           // scenes in which a detector names a source of the scan; the Judge is first, the rules follow
	Sources int             // of the scans
	Named   int             // of them, those that the Judge names
	Probes  []int           // that the source, or all of a group, had sent when the Judge first named one, for each scene in which it did; rising
	After   []time.Duration // from the scan's first probe until then; rising
}

// baseline is the scan that all sweeps start from.
var baseline = synth.ScanPlan{Targets: 100, Interval: 100 * time.Millisecond, Answered: 20, Dropped: 500, Sources: 1}

// benignScenes is how many scenes without scans are played for the price of
// the detectors, for each scene of a value.
const benignScenes = 10

// sweepValue is one value of a parameter: what it is called and what it
// changes in the plan.
type sweepValue struct {
	name string
	set  func(*synth.ScanPlan)
}

// sweep is a parameter and its values, from harmless to hard.
type sweep struct {
	parameter string
	values    []sweepValue
}

// values makes the values of a number.
func values[T any](format string, set func(*synth.ScanPlan, T), of ...T) []sweepValue {
	out := make([]sweepValue, len(of))
	for i, v := range of {
		name := fmt.Sprintf(format, v)
		if d, ok := any(v).(time.Duration); ok {
			name = shortly(d)
		}
		out[i] = sweepValue{name, func(p *synth.ScanPlan) { set(p, v) }}
	}
	return out
}

// rates makes the values of so many probes in a unit of time.
func rates(unit time.Duration, name string, of ...int) []sweepValue {
	out := make([]sweepValue, len(of))
	for i, n := range of {
		interval := unit / time.Duration(n)
		out[i] = sweepValue{fmt.Sprintf("%d/%s", n, name), func(p *synth.ScanPlan) { p.Interval = interval }}
	}
	return out
}

// sweeps lists what is tried, for a vertical or a horizontal scan.
func sweeps(horizontal bool) []sweep {
	ports := []sweepValue{
		{"favourites", func(*synth.ScanPlan) {}},
		{"below 1024", func(p *synth.ScanPlan) { p.Ports = synth.LowPorts }},
		{"from 1024 on", func(p *synth.ScanPlan) { p.Ports = synth.HighPorts }},
	}
	if horizontal { // a host has no more than two of the next
		ports = append(ports,
			sweepValue{"80 or 443", func(p *synth.ScanPlan) { p.Ports = synth.WebPorts }},
			sweepValue{"another on each host", func(p *synth.ScanPlan) { p.Ports = synth.ScatteredPorts }})
	}
	slow := func(interval time.Duration, browsing int) func(*synth.ScanPlan) {
		return func(p *synth.ScanPlan) { p.Interval, p.Browsing = interval, browsing }
	}
	return []sweep{
		{"rate", slices.Concat(rates(time.Second, "s", 1000, 100, 10, 1),
			rates(time.Minute, "min", 12, 6, 1), rates(time.Hour, "h", 12, 10, 6, 3, 1))},
		{"order", []sweepValue{
			{"shuffled", func(*synth.ScanPlan) {}},
			{"sequential", func(p *synth.ScanPlan) { p.Sequential = true }},
		}},
		{"targets", values("%d", func(p *synth.ScanPlan, v int) { p.Targets = v }, 1000, 100, 30, 20, 15, 10, 8, 6, 5)},
		{"probes answered", values("%d%%", func(p *synth.ScanPlan, v int) { p.Answered = 10 * v }, 0, 2, 10, 25, 50, 75, 90, 95, 100)},
		{"failures silent", values("%d%%", func(p *synth.ScanPlan, v int) { p.Dropped = 10 * v }, 0, 50, 100)},
		{"ports", ports},
		{"decoys", values("%d", func(p *synth.ScanPlan, v int) { p.Decoys = v }, 0, 2, 8, 32)},
		{"sources", values("%d", func(p *synth.ScanPlan, v int) { p.Sources = v }, 1, 2, 4, 8, 12, 16, 20, 32)},
		{"sources anywhere", values("%d", func(p *synth.ScanPlan, v int) { p.Sources, p.Inbound = v, true }, 1, 8, 16, 32, 64)},
		{"browsing, connections a probe", values("%v", func(p *synth.ScanPlan, v float64) { p.Browsing = int(1000 * v) }, 0, 0.5, 1, 2, 5, 10, 20)},
		{"slow and browsing", []sweepValue{
			{"10s, 1 a probe", slow(10*time.Second, 1000)},
			{"10s, 5 a probe", slow(10*time.Second, 5000)},
			{"1m, 1 a probe", slow(time.Minute, 1000)},
			{"1m, 5 a probe", slow(time.Minute, 5000)},
			{"1m, 20 a probe", slow(time.Minute, 20000)},
			{"5m, 5 a probe", slow(5*time.Minute, 5000)},
			{"20m, 1 a probe", slow(20*time.Minute, 1000)},
			{"1h, 1 a probe", slow(time.Hour, 1000)},
		}},
	}
}

// RunEvasion plays the scans of all sweeps, each in as many scenes as asked
// for with seeds from first on. newJudge makes a Judge for each scene, since
// scenes are played on all cores; a score from threshold on is a detection.
func RunEvasion(ctx context.Context, first uint64, scenes int, threshold uint32, newJudge func() (detect.Judge, error)) (*Evasion, error) {
	r := evasionRun{first: first, scenes: scenes, threshold: threshold, newJudge: newJudge, known: map[synth.ScanPlan]EvasionResult{}}
	return r.run(ctx, sweeps)
}

// evasionRun is what all plans are played with, and what came of those that
// were.
type evasionRun struct {
	first     uint64
	scenes    int
	threshold uint32
	newJudge  func() (detect.Judge, error)
	known     map[synth.ScanPlan]EvasionResult // the baseline is a value of every sweep
}

func (r *evasionRun) run(ctx context.Context, sweeps func(horizontal bool) []sweep) (*Evasion, error) {
	e := &Evasion{Scenes: r.scenes}
	for _, d := range Rules() {
		e.Rules = append(e.Rules, d.Name)
	}
	for _, horizontal := range []bool{false, true} {
		for _, s := range sweeps(horizontal) {
			out, err := r.sweep(ctx, &s, horizontal)
			if err != nil {
				return nil, err
			}
			e.Sweeps = append(e.Sweeps, out)
		}
	}
	var err error
	e.Prices, err = r.prices(ctx)
	return e, err
}

// prices finds out what the detectors cost in false alerts.
func (r *evasionRun) prices(ctx context.Context) ([]float64, error) {
	benign, err := RunSynthetic(ctx, r.first, benignScenes*r.scenes, synth.Options{MaxScans: -1}, dataset.Packets, r.threshold, r.newJudge)
	if err != nil {
		return nil, err
	}
	out := make([]float64, 1+len(benign.Rules))
	if all := benign.falseRates(r.threshold)[allBenign]; all != nil {
		for i, n := range all.named {
			out[i] = periodsPerDay * float64(n) / float64(all.all)
		}
	}
	return out, nil
}

// sweep plays all values of a parameter.
func (r *evasionRun) sweep(ctx context.Context, s *sweep, horizontal bool) (EvasionSweep, error) {
	out := EvasionSweep{Horizontal: horizontal, Parameter: s.parameter}
	for _, v := range s.values {
		plan := baseline
		plan.Horizontal = horizontal
		v.set(&plan)
		result, ok := r.known[plan]
		if !ok {
			var err error
			if result, err = r.plan(ctx, plan); err != nil {
				return out, err
			}
			r.known[plan] = result
		}
		out.Values = append(out.Values, EvasionValue{v.name, result})
	}
	return out, nil
}

// plan plays one plan in scenes of different seeds.
func (r *evasionRun) plan(ctx context.Context, plan synth.ScanPlan) (EvasionResult, error) {
	all := EvasionResult{Found: make([]int, 1+len(Rules()))}
	err := dataset.ForEach(ctx, r.first, r.scenes, synth.Options{Scan: &plan}, func(s *synth.Scene) (*evasionTrial, error) {
		judge, err := r.newJudge()
		if err != nil {
			return nil, err
		}
		t := &evasionTrial{sceneTrial: newSceneTrial(s, judge, r.threshold), probes: probeTimes(s)}
		return t, dataset.Play(s, dataset.Packets, t, t.look)
	}, func(t *evasionTrial) { t.addTo(&all) })
	slices.Sort(all.Probes)
	slices.Sort(all.After)
	return all, err
}

// evasionTrial watches one scene with a planned scan.
type evasionTrial struct {
	*sceneTrial
	probes  map[capture.Addr][]int64 // times, rising, of each scanning source
	namedAt int64                    // when the Judge first named a source of the scan
	sent    int                      // probes of that source until then, 0 where there is none
}

// probeTimes returns when each source of a scene sent its probes.
func probeTimes(s *synth.Scene) map[capture.Addr][]int64 {
	byActor := map[int32][]int64{}
	for i := range s.Frames {
		if f := &s.Frames[i]; f.Probe {
			byActor[f.Actor] = append(byActor[f.Actor], f.Time)
		}
	}
	times := map[capture.Addr][]int64{}
	for a, actor := range dataset.Actors(s) {
		for i, at := range byActor {
			if &s.Actors[i] == actor {
				times[a] = at
			}
		}
	}
	return times
}

// look takes a look of the engine, and notes when it is the first that finds
// the scan.
func (t *evasionTrial) look(s *dataset.Sample) {
	t.sceneTrial.look(s)
	if t.sent == 0 && t.grouped != 0 {
		t.namedAt = t.grouped
		for _, times := range t.probes {
			t.sent += probesUntil(times, t.grouped)
		}
	}
	if d := t.delays[s.Look.Source]; t.sent == 0 && d != nil && d.Contacts[0] >= 0 {
		t.namedAt = s.Look.Time
		t.sent = probesUntil(t.probes[s.Look.Source], s.Look.Time)
	}
}

// probesUntil counts the probes sent up to a time.
func probesUntil(times []int64, until int64) int {
	n, _ := slices.BinarySearch(times, until+1)
	return n
}

// addTo adds the scene's results.
func (t *evasionTrial) addTo(all *EvasionResult) {
	all.Scenes++
	found := make([]bool, len(all.Found))
	found[0] = t.grouped != 0
	for _, d := range t.delays {
		all.Sources++
		for i, contacts := range d.Contacts {
			found[i] = found[i] || contacts >= 0
		}
		if d.Contacts[0] >= 0 {
			all.Named++
		}
	}
	for i, f := range found {
		if f {
			all.Found[i]++
		}
	}
	if t.sent > 0 {
		all.Probes = append(all.Probes, t.sent)
		all.After = append(all.After, time.Duration(t.namedAt-t.begun()))
	}
}

// begun is when the scan's first probe was sent.
func (t *evasionTrial) begun() int64 {
	first := int64(0)
	for _, times := range t.probes {
		if len(times) > 0 && (first == 0 || times[0] < first) {
			first = times[0]
		}
	}
	return first
}

// median returns the middle of what is in order, the upper one of two, and
// false where there is nothing.
func median[T cmp.Ordered](sorted []T) (m T, ok bool) {
	if len(sorted) == 0 {
		return m, false
	}
	return sorted[len(sorted)/2], true
}
