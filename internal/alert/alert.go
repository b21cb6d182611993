// Package alert turns detect.Events into lines that operators and log
// collectors read: plain text, Suricata-like EVE JSON, and syslog (RFC 3164 to
// the local daemon, RFC 5424 over UDP).
//
// Events come in, bytes go out. Nothing that a scanner can choose is written
// but addresses and numbers, each line is one line whatever the Event holds,
// and no sink may hold up its caller for longer than a fraction of a second or
// panic because the other end is gone.
package alert

import (
	"errors"

	"edgescan/internal/detect"
)

// Sink takes events. Alert may be called again after an error: a sink that has
// lost its other end tries to reach it anew. Sinks are not safe for concurrent
// use.
type Sink interface {
	Alert(detect.Event) error
	Close() error
}

// Fan is a Sink that hands each event to all of its sinks, so that one that
// fails costs the others nothing.
type Fan struct {
	Sinks   []Sink
	Allowed []Sink // of them, those that take what rules allow as well
	Failed  uint64 // alerts that a sink did not take
}

// Alert writes e to every sink that takes it and returns the errors of those
// that failed.
func (f *Fan) Alert(e detect.Event) error {
	sinks := f.Sinks
	if e.Allowed != "" {
		sinks = f.Allowed
	}
	var errs []error
	for _, s := range sinks {
		if err := s.Alert(e); err != nil {
			f.Failed++
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close closes every sink.
func (f *Fan) Close() error {
	var errs []error
	for _, s := range f.Sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
