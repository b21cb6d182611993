package dataset

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"edgescan/capture"
	"edgescan/internal/detect"
	"edgescan/internal/synth"
)

// maxPerSource bounds how many maps of one source of a scene are kept, so that
// a busy source does not outweigh many quiet ones: so many of short windows,
// and as many of long ones, since bursts of activity give looks at short
// windows by the hundred in a scene that lasts a day.
const maxPerSource = 10

// longWindow is the first window that counts as long.
const longWindow = 4

// reservoirKey is whose maps a reservoir keeps, and of which windows.
type reservoirKey struct {
	source capture.Addr
	long   bool
}

// Kept is a sample that is kept: its map belongs to the holder.
type Kept struct {
	Map   []uint8
	Class int
}

// Draw returns what a network is to see of a look. The slice is the caller's.
type Draw func(*detect.Look) []uint8

// DetectorMaps returns a Draw of the maps that the detector itself looks at.
func DetectorMaps() Draw {
	return func(l *detect.Look) []uint8 { return slices.Clone(l.Map[:]) }
}

// Collect makes the scenes of the seeds from first on, n of them, and gives
// what is kept of each, seen in the ways of views, to emit, in the order of seeds:
// the same seeds give the same samples. newDraw is called for each scene, as
// several are played at once.
func Collect(ctx context.Context, first uint64, n int, opt synth.Options, views Views, newDraw func() Draw, emit func([]Kept)) error {
	return ForEach(ctx, first, n, opt, func(s *synth.Scene) ([]Kept, error) { return keep(s, views, newDraw()) }, emit)
}

// ForEach makes the scenes of the seeds from first on, n of them, works on
// them on all cores, and gives the results to emit in the order of seeds.
func ForEach[T any](ctx context.Context, first uint64, n int, opt synth.Options, work func(*synth.Scene) (T, error), emit func(T)) error {
	type job struct {
		seed uint64
		done chan T
	}
	group, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan job), make(chan job, 2*workers)
	group.Go(func() error {
		defer close(jobs)
		defer close(order)
		for i := range n {
			j := job{first + uint64(i), make(chan T, 1)}
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
				result, err := work(synth.Generate(j.seed, opt))
				if err != nil {
					return err
				}
				j.done <- result
			}
			return nil
		})
	}
	group.Go(func() error {
		for j := range order {
			select {
			case result := <-j.done:
				emit(result)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

// keep plays a scene and keeps a random choice of each source's maps, but none
// that is neither clearly a scan nor clearly none.
func keep(s *synth.Scene, views Views, draw Draw) ([]Kept, error) {
	rng := rand.New(rand.NewPCG(s.Seed, 0x6b656570))
	var kept []Kept
	reservoirs := map[reservoirKey]*reservoir{}
	err := Play(s, views, nil, func(sample *Sample) {
		if sample.Class == Unclear {
			return
		}
		key := reservoirKey{sample.Look.Source, sample.Look.Window >= longWindow}
		r := reservoirs[key]
		if r == nil {
			r = &reservoir{}
			reservoirs[key] = r
		}
		at, ok := r.place(rng, len(kept))
		if !ok {
			return
		}
		if at == len(kept) {
			kept = append(kept, Kept{})
		}
		kept[at] = Kept{draw(sample.Look), sample.Class}
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
