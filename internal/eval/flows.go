package eval

import (
	"context"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"

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
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range captures {
		seen := &all[i]
		by[captures[i].File] = seen
		group.Go(func() error {
			seen.records, seen.err = x.Records(ctx, captures[i].File)
			if errors.Is(seen.err, softflowd.ErrMissing) {
				return seen.err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
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
