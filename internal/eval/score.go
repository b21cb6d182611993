package eval

import (
	"fmt"
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/labels"
)

// Detector is one column of the comparison: the engine with a Judge, or a
// Rule over the same contacts.
type Detector struct {
	Name      string
	Judge     detect.Judge // nil for a rule
	Threshold uint32       // for Judge
	Rule      func() Rule  // makes a fresh one for each capture
}

// Rules returns the simple rules that everything is compared with.
func Rules() []Detector {
	rule := func(f func() Rule) Detector { return Detector{Name: f().Name(), Rule: f} }
	return []Detector{
		rule(func() Rule { return &Threshold{} }),
		rule(func() Rule { return &Threshold{AllProtocols: true} }),
		rule(func() Rule { return &TRW{} }),
		rule(func() Rule { return &TRW{PerContact: true} }),
		rule(func() Rule { return &TRW{PerContact: true, AllProtocols: true} }),
	}
}

// Verdict is what a detector made of one capture.
type Verdict struct {
	Found  []capture.Addr // labelled scanners that it named
	False  []capture.Addr // other scored sources that it named
	Kind   detect.Kind    // of the first scanner found, at the end of its incident
	Delay  int            // distinct contacts of the first scanner when it was named
	Unread error          // what kept the file from being read to its end; its beginning counts
}

// View shows an engine what somebody sees of a capture, and closes the engine.
// unread is what kept the capture from being shown to its end; its beginning counts.
type View func(e *detect.Engine, c *labels.Capture) (unread, err error)

// Packets is the View of all packets.
func Packets(e *detect.Engine, c *labels.Capture) (unread, err error) {
	src, err := capture.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("score %s: %w", c.File, err)
	}
	defer src.Close()
	return detect.Replay(e, src, nil), nil
}

// Run scores a detector on one capture.
func Run(d *Detector, c *labels.Capture, view View) (Verdict, error) {
	v := &Verdict{}
	judge, threshold := d.Judge, d.Threshold
	cfg := detect.Config{Memory: detect.DefaultMemory, Key: featurize.DefaultKey}
	if judge == nil {
		judge, threshold = never{}, detect.One+1
		cfg.Observer = WatchRule(d.Rule(), func(s *featurize.Source, _ int64) {
			v.note(c, s.Addr, detect.Start, "", int(s.Count))
		})
	}
	cfg.Threshold = threshold
	engine, err := detect.NewEngine(cfg, judge, func(e *detect.Event) {
		if e.Scope == featurize.Host || !ofScanners(c, e) {
			v.note(c, e.Source, e.State, e.Kind, e.Contacts)
		}
	})
	if err != nil {
		return Verdict{}, err
	}
	v.Unread, err = view(engine, c)
	return *v, err
}

// ofScanners reports whether what a group is named for may be the doing of
// labelled scanners: then it counts neither for nor against a detector.
func ofScanners(c *labels.Capture, e *detect.Event) bool {
	return e.Scope == featurize.Target && c.Scan() ||
		slices.ContainsFunc(c.Scanners, func(a capture.Addr) bool { return e.Prefix.Contains(a.Netip()) })
}

// note records that a source was named.
func (v *Verdict) note(c *labels.Capture, a capture.Addr, state detect.State, kind detect.Kind, contacts int) {
	if !c.Scored(a) {
		return
	}
	if !c.Scanner(a) {
		if !slices.Contains(v.False, a) {
			v.False = append(v.False, a)
		}
		return
	}
	if !slices.Contains(v.Found, a) {
		v.Found = append(v.Found, a)
		if len(v.Found) == 1 {
			v.Delay = contacts
		}
	}
	if state == detect.End && a == v.Found[0] {
		v.Kind = kind
	}
}

// never is the Judge of an engine that only tracks.
type never struct{}

func (never) Judge(*detect.Look) uint32 { return 0 }

// ruleWatcher runs a Rule as an observer of contacts.
type ruleWatcher struct {
	rule    Rule
	flagged map[uint32]bool
	name    func(s *featurize.Source, at int64)
}

// WatchRule runs a Rule as an observer of contacts. Name is told of a source, and
// at which capture time, when the rule first names it.
func WatchRule(r Rule, name func(s *featurize.Source, at int64)) featurize.Observer {
	return &ruleWatcher{rule: r, flagged: map[uint32]bool{}, name: name}
}

func (w *ruleWatcher) Opened(t *featurize.Tracker, source uint32, c *featurize.Contact) {
	if c.Outcome != featurize.Pending {
		w.Settled(t, source, c, featurize.Pending)
	}
}

func (w *ruleWatcher) Settled(t *featurize.Tracker, source uint32, c *featurize.Contact, _ featurize.Outcome) {
	if w.rule.See(source, c, t.Now()) && !w.flagged[source] {
		w.flagged[source] = true
		w.name(t.Source(source), t.CaptureTime(t.Now()))
	}
}

func (w *ruleWatcher) Forgotten(_ *featurize.Tracker, source uint32) {
	w.rule.Forget(source)
	delete(w.flagged, source)
}
