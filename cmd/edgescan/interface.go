package main

import (
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
)

// How often drops are looked for, and how often a warning tells of them.
const (
	dropInterval = time.Second
	warnInterval = time.Minute
)

// interfaceLog tells what becomes of one interface, which may be watched for
// months: what happens is told once, what goes on once a minute.
type interfaceLog struct {
	log     zerolog.Logger
	checked int64     // nanoseconds since 1970, when drops were last looked for
	told    uint64    // drops that a warning has told
	warned  time.Time // when
}

// state tells of a change.
func (l *interfaceLog) state(s capture.LinkState) {
	switch s {
	case capture.LinkUp:
		l.log.Info().Msg("interface is back")
	case capture.LinkDown:
		l.log.Warn().Msg("interface is down or gone, waiting for it")
	case capture.LinkRenamed:
		l.log.Warn().Msg("interface has another name, watching it still")
	case capture.LinkUnreadable:
		l.log.Error().Msg("interface is of another kind now, whose frames cannot be read or do not suit the filter, waiting for it to change")
	}
}

// drops looks for drops if it is time to: now is that of the packet or of the
// clock, between which a second is no matter. Asking the kernel this often also
// keeps its 32-bit counters from wrapping unseen.
func (l *interfaceLog) drops(now int64, stats func() capture.Stats) {
	if d := time.Duration(now - l.checked); d < dropInterval && d > -dropInterval {
		return
	}
	l.checked = now
	dropped := stats().Dropped
	if dropped == l.told || !l.warned.IsZero() && time.Since(l.warned) < warnInterval {
		return
	}
	l.log.Warn().Uint64("drops", dropped-l.told).Msg("packets were lost, they come faster than they can be read")
	l.told, l.warned = dropped, time.Now()
}
