package dataset

import (
	"math/rand/v2"
	"net/netip"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

// Sample is one labelled map. Map belongs to the harvest and is valid during
// the call.
type Sample struct {
	Map    *featurize.Map
	Class  int
	Source capture.Addr
	Actor  int // index in Scene.Actors, -1 where the source is none of them
	Window int
	Look   *detect.Look
}

// Scene plays a scene to an Engine and gives each map that it looks at, with
// its class, to emit. Maps that are neither clearly a scan nor clearly none
// are left out. Half of the scenes, by their seed, are seen through the kernel
// filter, as a live interface is.
func Scene(s *synth.Scene, emit func(*Sample)) error {
	rng := rand.New(rand.NewPCG(s.Seed, 0x6d617073))
	h := &harvest{scene: s, truth: truth{}, emit: emit, actors: actorIndex(s)}
	engine, err := detect.NewEngine(detect.Config{
		Tracker: featurize.Config{
			Memory: featurize.DefaultMemory,
			Key:    featurize.Key{A: rng.Uint64(), B: rng.Uint64()},
		},
		Threshold: detect.One + 1, // only looks are wanted
	}, h, func(*detect.Event) {})
	if err != nil {
		return err
	}
	keep, err := frameFilter(rng)
	if err != nil {
		return err
	}
	var decoder capture.Decoder
	var p capture.Packet
	for i := range s.Frames {
		f := &s.Frames[i]
		if decoder.Decode(capture.LinkTypeEthernet, f.Time, f.Data, f.Wire, &p) != capture.ReasonOK {
			continue
		}
		if f.Probe {
			h.truth.note(&p) // filtered out or not: its answer may be seen
		}
		if keep(f.Data) {
			engine.Add(&p)
		}
	}
	engine.Close()
	return nil
}

// harvest is the Judge that only collects.
type harvest struct {
	scene  *synth.Scene
	truth  truth
	actors map[capture.Addr]int
	emit   func(*Sample)
}

func (h *harvest) Judge(l *detect.Look) uint32 {
	class, ok := h.truth.label(l)
	if !ok {
		return 0
	}
	actor, known := h.actors[l.Source]
	if !known {
		actor = -1
	} else if h.truth[l.Source] == nil && h.scene.Actors[actor].Kind != Classes[Benign] {
		return 0 // a scan of which only the answers are in the scene
	}
	h.emit(&Sample{Map: l.Map, Class: class, Source: l.Source, Actor: actor, Window: l.Window, Look: l})
	return 0
}

// actorIndex finds actors by address. Where several share one, a scanning one
// counts.
func actorIndex(s *synth.Scene) map[capture.Addr]int {
	index := map[capture.Addr]int{}
	for i := range s.Actors {
		a, err := netip.ParseAddr(s.Actors[i].Source)
		if err != nil {
			continue
		}
		addr := capture.AddrFrom(a)
		if old, ok := index[addr]; !ok || s.Actors[old].Kind == Classes[Benign] {
			index[addr] = i
		}
	}
	return index
}
