package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// instant is a flag that holds a time of a capture: a date with a time, a time of
// the day on which it begins, or how long after its beginning.
type instant struct {
	text  string
	at    time.Time     // a date with a time
	clock time.Duration // since midnight of the first day
	after time.Duration // since the beginning
	kind  instantKind
	begun int64 // capture time of the first packet
}

type instantKind uint8

const (
	never instantKind = iota
	atDate
	atClock
	atOffset
)

// errInstant says what an instant may be.
var errInstant = errors.New("want a time as 2026-11-23T07:19:08Z, a time of the capture's first day as 07:19:08 (UTC), or how long after its beginning as +90s")

// String implements pflag.Value.
func (i *instant) String() string { return i.text }

// Type implements pflag.Value.
func (i *instant) Type() string { return "time" }

// Set implements pflag.Value.
func (i *instant) Set(text string) error {
	*i = instant{text: text}
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return errInstant
		}
		i.kind, i.after = atOffset, d
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			i.kind, i.at = atDate, at
			return nil
		}
	}
	if at, err := time.Parse(time.TimeOnly, text); err == nil {
		i.kind, i.clock = atClock, at.Sub(at.Truncate(24*time.Hour))
		return nil
	}
	return errInstant
}

// reached reports whether a packet's time lies beyond the instant. The first packet
// that it is asked about begins the capture.
func (i *instant) reached(now int64) bool {
	if i.kind == never {
		return false
	}
	if i.begun == 0 {
		i.begun = now
	}
	return now > i.time().UnixNano()
}

// time returns the instant in a capture that has begun.
func (i *instant) time() time.Time {
	begun := time.Unix(0, i.begun).UTC()
	switch i.kind {
	case atDate:
		return i.at
	case atClock:
		return begun.Truncate(24 * time.Hour).Add(i.clock)
	}
	return begun.Add(i.after)
}

// check reports an instant at which nothing had come yet.
func (i *instant) check() error {
	if i.kind != never && i.begun != 0 && i.time().UnixNano() < i.begun {
		return fmt.Errorf("--at %s: the capture begins later, at %s", i.text, time.Unix(0, i.begun).UTC().Format(time.RFC3339Nano))
	}
	return nil
}
