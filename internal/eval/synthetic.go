package eval

import (
	"cmp"
	"context"
	"slices"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/dataset"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

// period is the length of a source-window: the unit in which false alerts are
// counted on synthetic traffic is one source in ten minutes in which it opened
// a contact.
const period = int64(10 * time.Minute)

// periodsPerDay turns a share of source-windows into false alerts of a source
// that is active all day.
const periodsPerDay = float64(24 * time.Hour / time.Duration(period))

// SourceWindow is one source in one period of a scene.
type SourceWindow struct {
	Tool  string // its behaviour, empty where it is no actor of the scene
	Scans bool   // it scans at some time of the scene
	Score uint32 // the highest that a Judge gave it, 0 where it was never looked at
	Rules uint32 // bit i is set where rule i named it
}

// ScanDelay says how many contacts of a scanning source had been seen when
// each detector first named it; -1 where it never did. The Judge is first, the
// rules follow.
type ScanDelay struct {
	Tool     string
	Contacts []int
}

// Synthetic is how a Judge and the simple rules do on synthetic scenes.
type Synthetic struct {
	Rules   []string // names
	Windows []SourceWindow
	Delays  []ScanDelay
	Groups  GroupAlarms
}

// GroupAlarms says how often groups of sources are named that do not scan.
type GroupAlarms struct {
	Scenes int // without scans
	Named  int // of them, those in which a group is named
	Time   time.Duration
}

// RunSynthetic plays n scenes from a seed on, seen in the ways of views. newJudge
// makes a Judge for each scene, since scenes are played on all cores; a score from
// threshold on is a detection, which matters for Delays only.
func RunSynthetic(ctx context.Context, first uint64, n int, opt synth.Options, views dataset.Views, threshold uint32, newJudge func() (detect.Judge, error)) (*Synthetic, error) {
	all := &Synthetic{}
	for _, d := range Rules() {
		all.Rules = append(all.Rules, d.Name)
	}
	err := dataset.ForEach(ctx, first, n, opt, func(s *synth.Scene) (*sceneTrial, error) {
		judge, err := newJudge()
		if err != nil {
			return nil, err
		}
		t := newSceneTrial(s, judge, threshold)
		return t, dataset.Play(s, views, t, t.look)
	}, func(t *sceneTrial) { t.addTo(all) })
	return all, err
}

// sceneTrial watches one scene.
type sceneTrial struct {
	judge     detect.Judge
	threshold uint32
	rules     []Rule
	actors    map[capture.Addr]*synth.Actor
	decoys    map[capture.Addr]bool // scan, but are no actors
	windows   map[windowKey]*SourceWindow
	delays    map[capture.Addr]*ScanDelay
	length    int64 // of the scene, nanoseconds
	grouped   int64 // when the Judge first named a group, 0 if it never did
}

type windowKey struct {
	source capture.Addr
	period int64
}

func newSceneTrial(s *synth.Scene, judge detect.Judge, threshold uint32) *sceneTrial {
	t := &sceneTrial{
		judge: judge, threshold: threshold, actors: dataset.Actors(s),
		decoys: map[capture.Addr]bool{}, windows: map[windowKey]*SourceWindow{}, delays: map[capture.Addr]*ScanDelay{},
	}
	for _, d := range Rules() {
		t.rules = append(t.rules, d.Rule())
	}
	if n := len(s.Frames); n > 0 {
		t.length = s.Frames[n-1].Time - s.Frames[0].Time
	}
	for a, actor := range t.actors {
		if actor.Kind != dataset.Classes[dataset.Benign] {
			d := &ScanDelay{Tool: actor.Tool, Contacts: make([]int, 1+len(t.rules))}
			for i := range d.Contacts {
				d.Contacts[i] = -1
			}
			t.delays[a] = d
		}
	}
	return t
}

// window returns the source-window of a time.
func (t *sceneTrial) window(a capture.Addr, now int64) *SourceWindow {
	key := windowKey{a, now / period}
	w := t.windows[key]
	if w == nil {
		w = &SourceWindow{}
		if actor := t.actors[a]; actor != nil {
			w.Tool, w.Scans = actor.Tool, actor.Kind != dataset.Classes[dataset.Benign]
		}
		t.windows[key] = w
	}
	return w
}

// look takes a look of the engine.
func (t *sceneTrial) look(s *dataset.Sample) {
	score := t.judge.Judge(s.Look)
	if s.Look.Scope != featurize.Host {
		if score >= t.threshold && t.grouped == 0 {
			t.grouped = s.Look.Time
		}
		return
	}
	w := t.window(s.Look.Source, s.Look.Time)
	w.Score = max(w.Score, score)
	if s.Scans && !w.Scans {
		t.decoys[s.Look.Source] = true
	}
	if score >= t.threshold {
		t.found(s.Look.Source, 0, s.Look.Summary.Contacts)
	}
}

// found notes the first time that a detector names a scanner.
func (t *sceneTrial) found(a capture.Addr, detector, contacts int) {
	if d := t.delays[a]; d != nil && d.Contacts[detector] < 0 {
		d.Contacts[detector] = contacts
	}
}

// Opened implements featurize.Observer.
func (t *sceneTrial) Opened(tr *featurize.Tracker, source uint32, c *featurize.Contact) {
	t.window(tr.Source(source).Addr, tr.CaptureTime(tr.Now()))
	if c.Outcome != featurize.Pending {
		t.see(tr, source, c)
	}
}

// Settled implements featurize.Observer.
func (t *sceneTrial) Settled(tr *featurize.Tracker, source uint32, c *featurize.Contact, _ featurize.Outcome) {
	t.see(tr, source, c)
}

// see shows the contact to the rules.
func (t *sceneTrial) see(tr *featurize.Tracker, source uint32, c *featurize.Contact) {
	for i, r := range t.rules {
		if r.See(source, c, tr.Now()) {
			s := tr.Source(source)
			t.window(s.Addr, tr.CaptureTime(tr.Now())).Rules |= 1 << i
			t.found(s.Addr, i+1, int(s.Count))
		}
	}
}

// Forgotten implements featurize.Observer.
func (t *sceneTrial) Forgotten(_ *featurize.Tracker, source uint32) {
	for _, r := range t.rules {
		r.Forget(source)
	}
}

// addTo adds the scene's results, in an order that does not depend on maps.
func (t *sceneTrial) addTo(all *Synthetic) {
	keys := make([]windowKey, 0, len(t.windows))
	for k := range t.windows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b windowKey) int {
		return cmp.Or(slices.Compare(a.source[:], b.source[:]), cmp.Compare(a.period, b.period))
	})
	for _, k := range keys {
		w := t.windows[k]
		w.Scans = w.Scans || t.decoys[k.source]
		all.Windows = append(all.Windows, *w)
	}
	sources := make([]capture.Addr, 0, len(t.delays))
	for a := range t.delays {
		sources = append(sources, a)
	}
	slices.SortFunc(sources, func(a, b capture.Addr) int { return slices.Compare(a[:], b[:]) })
	for _, a := range sources {
		all.Delays = append(all.Delays, *t.delays[a])
	}
	if len(sources) > 0 {
		return
	}
	all.Groups.Scenes++
	all.Groups.Time += time.Duration(t.length)
	if t.grouped != 0 {
		all.Groups.Named++
	}
}

// Threshold returns the least score, but at least one half, that no more than
// a share of the benign source-windows reach.
func (s *Synthetic) Threshold(share float64) uint32 {
	var benign []uint32
	for _, w := range s.Windows {
		if !w.Scans {
			benign = append(benign, w.Score)
		}
	}
	slices.Sort(benign)
	allowed := int(share * float64(len(benign)))
	if allowed >= len(benign) {
		return detect.One / 2
	}
	return min(max(detect.One/2, benign[len(benign)-1-allowed]+1), detect.One)
}

// Benign counts the benign source-windows, and those whose score reaches the
// threshold.
func (s *Synthetic) Benign(threshold uint32) (windows, flagged int) {
	for _, w := range s.Windows {
		if !w.Scans {
			windows++
			if w.Score >= threshold {
				flagged++
			}
		}
	}
	return windows, flagged
}

// Found counts the scanning sources, and those that a detector named: 0 is the
// Judge, the rules follow.
func (s *Synthetic) Found(detector int) (sources, found int) {
	for _, d := range s.Delays {
		if d.Contacts[detector] >= 0 {
			found++
		}
	}
	return len(s.Delays), found
}
