package alert

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"edgescan/internal/detect"
	"edgescan/internal/spool"
)

// ErrSecurity is what LoadSecurity's errors wrap.
var ErrSecurity = errors.New("cannot use TLS")

// ErrDropped is returned, once a minute at most, when a queue had no room.
var ErrDropped = errors.New("alerts dropped")

const (
	inFlight  = 32                     // records that may be unread in a good connection: of how many a reset leaves in doubt
	inDoubt   = 2 * inFlight           // in one that does not show what is read
	probes    = 8                      // sent at once beyond inFlight
	probe     = 10 * time.Millisecond  // between them
	lateProbe = 100 * time.Millisecond // between single ones beyond inDoubt: a reader has come to rest by then
	tellAfter = time.Minute            // between two errors of one kind
	grace     = 3 * time.Second        // for what is left at the end
	firstWait = time.Second            // for a receiver that is away, doubled up to lastWait
	lastWait  = 30 * time.Second
	retryEnd  = 300 * time.Millisecond // at the end
)

// Sender is a Sink that sends to a socket, by a queue and a goroutine: Alert
// never waits. What a receiver that is away should have got is kept and sent in
// order once it is back.
type Sender struct {
	target   Target
	security *Security
	encode   Format
	log      func(at time.Time, severity int, text string) []byte // nil: not of syslog
	report   func(Report)

	queue   *spool.Queue
	ctx     context.Context // ends when Close has no more patience
	cancel  context.CancelFunc
	closing chan struct{}
	ended   chan struct{}
	once    sync.Once
	away    atomic.Bool

	told struct { // by Alert
		dropped uint64
		when    time.Time
	}
}

// Report is what a Sender says of its receiver: Err is why it is away, nil if
// it is back.
type Report struct {
	Target  Target
	Err     error
	Waiting int // alerts
}

// NewSyslog returns a sink that sends lines of syslog to t: RFC 3164 to a
// local socket, else RFC 5424. Security is for TLS.
func NewSyslog(t Target, h Header, security *Security) *Sender {
	format := appendRFC5424
	if t.Network == "unix" {
		format = appendRFC3164
	}
	s := newSender(t, security, func(e detect.Event) []byte { return format(nil, e, h) })
	s.log = func(at time.Time, severity int, text string) []byte {
		return appendLog(nil, at, severity, text, h, t.Network == "unix")
	}
	return s
}

// NewSocketJSON returns a sink that sends JSON to a Unix socket: an object a
// datagram, or an object a line where the socket is a stream.
func NewSocketJSON(path string, format Format) *Sender {
	return newSender(Target{"unix", path}, nil, format)
}

func newSender(t Target, security *Security, encode Format) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	return &Sender{
		target: t, security: security, encode: encode,
		ctx: ctx, cancel: cancel, closing: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Target returns where s sends.
func (s *Sender) Target() Target { return s.target }

// Start opens the queue, whose memory and folder c says, and begins to send
// what is in it. It comes before the first Alert. Reports come from a goroutine.
func (s *Sender) Start(c spool.Config, report func(Report)) error {
	queue, err := spool.Open(c)
	if err != nil {
		return err
	}
	s.queue, s.report = queue, report
	go s.run()
	return nil
}

// Alert puts e into the queue. An error tells of alerts dropped since the last
// one, or that the folder cannot be written; e itself may have been taken.
func (s *Sender) Alert(e detect.Event) error {
	if s.queue == nil {
		return fmt.Errorf("%s: not started", s.target)
	}
	s.queue.Put(s.encode(e))
	stats := s.queue.Stats()
	dropped := stats.Dropped - s.told.dropped
	if dropped == 0 && stats.Disk == nil || time.Since(s.told.when) < tellAfter {
		return nil
	}
	s.told.dropped, s.told.when = stats.Dropped, time.Now()
	if dropped == 0 {
		return fmt.Errorf("%s: alerts are kept in memory only: %w", s.target, stats.Disk)
	}
	return errors.Join(fmt.Errorf("%w: %d for %s: the queue is full", ErrDropped, dropped, s.target), stats.Disk)
}

// Close sends what is left for as long as its patience lasts, and leaves the
// rest in the folder, if there is one.
func (s *Sender) Close() error {
	if s.queue == nil {
		return nil
	}
	s.once.Do(func() {
		close(s.closing)
		late := time.AfterFunc(grace, s.cancel)
		<-s.ended
		late.Stop()
		s.cancel()
	})
	return s.queue.Close()
}

// Lost returns how many alerts nobody will get. After Close those that are left
// in no folder are among them.
func (s *Sender) Lost() uint64 {
	if s.queue == nil {
		return 0
	}
	stats := s.queue.Stats()
	if s.ctx.Err() == nil {
		return stats.Dropped
	}
	return stats.Dropped + uint64(stats.Unsafe)
}

// Waiting returns how many alerts are in the queue, in memory and in its folder.
func (s *Sender) Waiting() int {
	if s.queue == nil {
		return 0
	}
	return s.queue.Stats().Waiting
}

// Left returns how many alerts are left in the folder for the next start.
func (s *Sender) Left() int {
	if s.queue == nil {
		return 0
	}
	stats := s.queue.Stats()
	return stats.Waiting - stats.Unsafe
}

// run sends until the Sender is closed.
func (s *Sender) run() {
	defer close(s.ended)
	wait := firstWait
	for first := true; s.wanted(first); first = false {
		delivered := 0
		l, err := dial(s.ctx, s.target, s.security)
		if err == nil {
			delivered, err = s.serve(l)
			l.close()
			s.queue.Again()
		}
		switch {
		case s.ctx.Err() != nil:
			return
		case err == nil || delivered > 0: // it had nothing more to do, or worked before
			wait = firstWait
		default:
			s.setAway(err)
			s.sleep(wait)
			wait = min(2*wait, lastWait)
		}
	}
}

// setAway reports that the receiver is away, and with nil that it is back, once.
func (s *Sender) setAway(err error) {
	if s.away.Swap(err != nil) != (err != nil) {
		s.report(Report{s.target, err, s.queue.Stats().Waiting})
	}
}

// wanted waits until there is something to send, and returns false if there is
// not at the end. The first connection over TCP is made at once, so that the
// log tells what is wrong with it before the first alert.
func (s *Sender) wanted(first bool) bool {
	for {
		select {
		case <-s.closing:
			return s.ctx.Err() == nil && s.queue.Stats().Waiting > 0
		default:
		}
		if s.queue.Stats().Waiting > 0 || first && s.target.TCPPort() != 0 {
			return true
		}
		select {
		case <-s.queue.Ready():
		case <-s.closing:
		}
	}
}

// sleep waits, at the end not as long.
func (s *Sender) sleep(d time.Duration) {
	select {
	case <-s.closing:
		d = retryEnd
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	case <-s.closingNow(d):
	}
}

// closingNow is the end's channel for who sleeps longer than the end allows.
func (s *Sender) closingNow(d time.Duration) <-chan struct{} {
	if d <= retryEnd {
		return nil
	}
	return s.closing
}

// serve sends over a link until it breaks, or until there is nothing to send
// and no reason to keep it. It returns how many records were delivered.
func (s *Sender) serve(l *link) (delivered int, err error) {
	defer context.AfterFunc(s.ctx, func() { l.socket.Close() })() // a write may hang
	defer func() {
		n := l.readBeforeEnd(err)
		delivered += n
		err = errors.Join(err, s.queue.Done(n))
	}()
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		if err := l.broken(); err != nil {
			return delivered, err
		}
		sent, err := s.fill(l)
		if err != nil {
			return delivered, err
		}
		n := l.read(s.isClosing())
		delivered += n
		if err := s.queue.Done(n); err != nil {
			s.report(Report{s.target, err, s.queue.Stats().Waiting})
		}
		if delivered > 0 || l.keep() && s.queue.Stats().Waiting == 0 {
			s.setAway(nil)
		}
		if n > 0 || sent > 0 {
			pause = minPause
		}
		if len(l.ends) == 0 && s.queue.Stats().Waiting == 0 && (s.isClosing() || !l.keep()) {
			return delivered, nil
		}
		if waiting := s.queue.Stats().Waiting; n > 0 && waiting > len(l.ends) {
			continue
		}
		if err := s.pause(l, pause); err != nil {
			return delivered, err
		}
	}
}

// How often a link is looked at while something may be unread.
const (
	minPause = time.Millisecond
	maxPause = 10 * time.Millisecond
)

// fill sends as many records as may be under way.
func (s *Sender) fill(l *link) (n int, err error) {
	limit := inFlight
	switch quiet := time.Since(l.sent); { // what is sent further may show that all was read
	case len(l.ends) >= inDoubt && len(l.ends) < inDoubt+probes && quiet > lateProbe:
		limit = len(l.ends) + 1
	case len(l.ends) >= inFlight && len(l.ends) < inDoubt && quiet > probe:
		limit = min(len(l.ends)+probes, inDoubt)
	}
	for ; len(l.ends) < limit; n++ {
		record, ok := s.queue.Get()
		if !ok {
			break
		}
		if err := l.send(record); err != nil {
			return n, l.failed(err)
		}
	}
	return n, nil
}

// pause waits until a link is worth another look.
func (s *Sender) pause(l *link, d time.Duration) error {
	var timer <-chan time.Time
	ready, closing := s.queue.Ready(), s.closing
	if len(l.ends) > 0 {
		timer = time.After(d)
	}
	if len(l.ends) >= inFlight {
		ready = nil
	}
	if s.isClosing() {
		closing = nil
		timer = time.After(d)
	}
	select {
	case <-timer:
	case <-ready:
	case <-closing:
	case <-l.ended:
		return l.err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
	return nil
}

func (s *Sender) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}
