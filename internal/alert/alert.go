// Package alert turns detect.Events into lines that operators and log
// collectors read: plain text, JSON (Suricata-like EVE, or the Elastic Common
// Schema), and syslog (RFC 3164 to the local daemon, RFC 5424 over UDP, TCP and
// TLS) with text or ArcSight's Common Event Format.
//
// Events come in, bytes go out. Nothing that a scanner can choose is written
// but addresses and numbers, each line is one line whatever the Event holds,
// and no sink that sends to another program may hold up its caller, or panic
// because the other end is gone.
package alert

import (
	"errors"
	"sync"

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
	Failed  uint64 // alerts that a sink without a queue did not take
}

// Alert writes e to every sink that takes it and returns the errors of those
// that failed. What a queue had no room for is counted there.
func (f *Fan) Alert(e detect.Event) error {
	sinks := f.Sinks
	if e.Allowed != "" {
		sinks = f.Allowed
	}
	var errs []error
	for _, s := range sinks {
		if err := s.Alert(e); err != nil {
			if _, counts := s.(*Sender); !counts {
				f.Failed++
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close closes every sink, all at once: each may have to wait for its other
// end. It may be called again.
func (f *Fan) Close() error {
	errs := make([]error, len(f.Sinks))
	var all sync.WaitGroup
	for i, s := range f.Sinks {
		all.Go(func() { errs[i] = s.Close() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Senders returns the sinks that send by a queue.
func (f *Fan) Senders() []*Sender {
	var senders []*Sender
	for _, s := range f.Sinks {
		if sender, ok := s.(*Sender); ok {
			senders = append(senders, sender)
		}
	}
	return senders
}

// Undelivered returns how many alerts a sink did not get, and will not.
func (f *Fan) Undelivered() uint64 {
	n := f.Failed
	for _, s := range f.Senders() {
		n += s.Lost()
	}
	return n
}
