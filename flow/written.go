package flow

import "time"

// mostHeld is for how long what writes a log may hold a flow that has ended, until its
// timeouts are over.
const mostHeld = int64(15 * time.Minute)

// written follows when the lines of a log were written, where they tell only when
// flows ended: in the order of the log, not before the flows of the lines before
// had ended. A Joiner needs it: of a flow that is told late, the other half, or the ICMP
// error that refuses it, is told late as well.
type written struct{ latest int64 }

// at returns when a line was written whose flow ended at end. If that is long ago,
// another log follows, or a clock was set.
func (w *written) at(end int64) int64 {
	if end > w.latest || end < w.latest-mostHeld {
		w.latest = end
	}
	return w.latest
}
