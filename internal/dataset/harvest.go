package dataset

import (
	"math/rand/v2"
	"net/netip"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

// Sample is one look of the Engine, labelled.
type Sample struct {
	Look  *detect.Look // valid during the call
	Class int          // index in Classes, or Unclear
	Tool  string       // the source's behaviour; empty where it is no actor of the scene
	Scans bool         // the source scans in the scene: it is a scanning actor, or has sent probes
}

// Play plays a scene, as it is seen in one of the ways of views, to an Engine and
// gives each of its looks to emit. The observer is told of contacts, and may be
// nil.
func Play(s *synth.Scene, views Views, observer featurize.Observer, emit func(*Sample)) error {
	rng := rand.New(rand.NewPCG(s.Seed, 0x6d617073))
	pl := &player{truth: truth{}}
	var err error
	pl.engine, err = detect.NewEngine(detect.Config{
		Memory:    detect.DefaultMemory,
		Key:       featurize.Key{A: rng.Uint64(), B: rng.Uint64()},
		Threshold: detect.One + 1, // only looks are wanted
		Observer:  observer,
	}, &harvest{actors: Actors(s), truth: pl.truth, emit: emit}, func(*detect.Event) {})
	if err != nil {
		return err
	}
	view, err := newView(views, rng, pl)
	if err != nil {
		return err
	}
	Decode(s, view.frame)
	view.flush()
	pl.engine.Close()
	return nil
}

// Decode gives each frame of a scene that can be decoded, with its packet, to yield,
// which must not keep the packet.
func Decode(s *synth.Scene, yield func(*synth.Frame, *capture.Packet)) {
	var decoder capture.Decoder
	var p capture.Packet
	for i := range s.Frames {
		f := &s.Frames[i]
		if decoder.Decode(capture.LinkTypeEthernet, f.Time, f.Data, f.Wire, &p) == capture.ReasonOK {
			yield(f, &p)
		}
	}
}

// player is where what is seen of a scene goes.
type player struct {
	engine *detect.Engine
	truth  truth
}

// harvest is the Judge that only collects.
type harvest struct {
	actors map[capture.Addr]*synth.Actor
	truth  truth
	emit   func(*Sample)
}

func (h *harvest) Judge(l *detect.Look) uint32 {
	if l.Scope != featurize.Host {
		h.emit(&Sample{Look: l, Class: Unclear}) // everyone's doing
		return 0
	}
	s := Sample{Look: l, Class: h.truth.label(l)}
	if actor := h.actors[l.Source]; actor != nil {
		s.Tool, s.Scans = actor.Tool, actor.Kind != Classes[Benign]
	}
	if probed := h.truth[l.Source] != nil; s.Scans && !probed {
		s.Class = Unclear // only the answers to its scan are in the scene, or it has not begun
	} else if probed {
		s.Scans = true // a decoy's address, perhaps
	}
	h.emit(&s)
	return 0
}

// Actors finds a scene's actors by address. Where several share one, a
// scanning one counts.
func Actors(s *synth.Scene) map[capture.Addr]*synth.Actor {
	index := map[capture.Addr]*synth.Actor{}
	for i := range s.Actors {
		a, err := netip.ParseAddr(s.Actors[i].Source)
		if err != nil {
			continue
		}
		addr := capture.AddrFrom(a)
		if old := index[addr]; old == nil || old.Kind == Classes[Benign] {
			index[addr] = &s.Actors[i]
		}
	}
	return index
}
