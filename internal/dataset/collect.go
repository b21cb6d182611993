package dataset

import (
	"context"
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/synth"
)

// maxPerSource bounds how many maps of one source of a scene are kept, so that
// a busy source does not outweigh many quiet ones.
const maxPerSource = 10

// Kept is a sample that is kept: its map belongs to the holder.
type Kept struct {
	Map    featurize.Map
	Class  int
	Tool   string // the behaviour of the actor whose map it is, empty where none is known
	Source capture.Addr
	Window int
}

// Collect plays the scenes of the seeds from first on, n of them, on all
// cores, and gives what is kept of each to emit, in the order of seeds: the
// same seeds give the same samples.
func Collect(ctx context.Context, first uint64, n int, opt synth.Options, emit func(seed uint64, kept []Kept)) error {
	group, ctx := errgroup.WithContext(ctx)
	type job struct {
		seed uint64
		done chan []Kept
	}
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan job), make(chan job, 2*workers)
	group.Go(func() error {
		defer close(jobs)
		defer close(order)
		for i := range n {
			j := job{first + uint64(i), make(chan []Kept, 1)}
			for _, c := range []chan job{order, jobs} {
				select {
				case c <- j:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			for j := range jobs {
				kept, err := keep(synth.Generate(j.seed, opt))
				if err != nil {
					return err
				}
				j.done <- kept
			}
			return nil
		})
	}
	group.Go(func() error {
		for j := range order {
			select {
			case kept := <-j.done:
				emit(j.seed, kept)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

// keep plays a scene and keeps a random choice of each source's maps.
func keep(s *synth.Scene) ([]Kept, error) {
	rng := rand.New(rand.NewPCG(s.Seed, 0x6b656570))
	var kept []Kept
	bySource := map[capture.Addr]*reservoir{}
	err := Scene(s, func(sample *Sample) {
		r := bySource[sample.Source]
		if r == nil {
			r = &reservoir{}
			bySource[sample.Source] = r
		}
		at, ok := r.place(rng, len(kept))
		if !ok {
			return
		}
		if at == len(kept) {
			kept = append(kept, Kept{})
		}
		k := &kept[at]
		*k = Kept{Map: *sample.Map, Class: sample.Class, Source: sample.Source, Window: sample.Window}
		if sample.Actor >= 0 {
			k.Tool = s.Actors[sample.Actor].Tool
		}
	})
	return kept, err
}

// reservoir chooses maxPerSource of any number of samples, each with the same
// chance (Vitter's algorithm R).
type reservoir struct {
	seen int
	at   []int
}

// place returns where the next sample goes: next for a further place, an old
// one to take over, or false where it is not kept.
func (r *reservoir) place(rng *rand.Rand, next int) (int, bool) {
	r.seen++
	if len(r.at) < maxPerSource {
		r.at = append(r.at, next)
		return next, true
	}
	if i := rng.IntN(r.seen); i < maxPerSource {
		return r.at[i], true
	}
	return 0, false
}
