package eval

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"edgescan/flow"
	"edgescan/internal/detect"
	"edgescan/internal/labels"
	"edgescan/internal/softflowd"
)

// Flows has captures exported by softflowd, and returns the View of what comes of
// it. A capture that softflowd cannot read shows nothing. The error is
// softflowd.ErrMissing or that ctx has ended.
func Flows(ctx context.Context, captures []labels.Capture, x softflowd.Export) (View, error) {
	type exported struct {
		records []flow.Record
		err     error
	}
	all := make([]exported, len(captures))
	by := make(map[string]*exported, len(captures))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				all[i].records, all[i].err = x.Records(ctx, captures[i].File)
			}
		})
	}
	for i := range captures {
		by[captures[i].File] = &all[i]
		next <- i
	}
	close(next)
	workers.Wait()
	for i := range all {
		if err := all[i].err; errors.Is(err, softflowd.ErrMissing) {
			return nil, err
		}
	}
	return func(e *detect.Engine, c *labels.Capture) (unread, err error) {
		defer e.Close()
		player := flow.NewPlayer(flow.DefaultHeld, e.Add)
		seen := by[c.File]
		for i := range seen.records {
			player.Add(&seen.records[i])
		}
		player.Flush()
		return seen.err, nil
	}, ctx.Err()
}
