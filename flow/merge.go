package flow

import (
	"cmp"
	"errors"
	"io"
	"math"
	"os"
	"slices"

	"edgescan/capture"
)

// maxOpen is how many logs a Merge has open at once. It bounds memory and file
// descriptors.
const maxOpen = 16

// Merge reads several logs as one, in the order of Record.Time: the pieces that
// rotation leaves, what several sensors tell of at once. Records of one log stay
// in its order. Each log's first time is looked up beforehand, and it is opened when
// that has come; standard input is open from the start, and the others wait for
// what it has next.
//
// A log that fails does not keep the others from being read.
type Merge struct {
	pending  []*piece // the earliest last
	open     []*piece // with a record each
	taken    *piece   // of open, the one whose record was delivered
	stats    Stats    // of those that are closed
	failures []failure
	late     int
	kinds    []string
}

// piece is one log of a Merge.
type piece struct {
	path   string
	order  int   // in which the logs were named
	first  int64 // time of its first record
	reader *Reader
	next   Record
	waits  bool // its next record is not there yet
	late   bool
}

type failure struct {
	order int
	err   error
}

// NewMerge merges the logs at paths, as Open takes them, and looks up where each
// begins.
func NewMerge(paths []string) *Merge {
	m := &Merge{}
	for i, path := range paths {
		p := &piece{path: path, order: i, first: math.MinInt64}
		if path != "-" {
			first, err := firstTime(path)
			if err != nil {
				m.fail(p, err)
				continue
			}
			p.first = first
		}
		m.pending = append(m.pending, p)
	}
	slices.SortStableFunc(m.pending, func(a, b *piece) int {
		return cmp.Or(cmp.Compare(b.first, a.first), cmp.Compare(b.order, a.order))
	})
	return m
}

// firstTime returns the time of a log's first record, or what keeps it from being
// read. Pipes cannot be looked into.
func firstTime(path string) (int64, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return math.MinInt64, nil
	}
	r, err := Open(path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var first Record
	switch err := r.Next(&first); {
	case err == io.EOF, errors.Is(err, ErrTruncated): // said when it is read
		return math.MinInt64, nil
	case err != nil:
		return 0, err
	}
	return first.Time, nil
}

// Next fills r with the next record of all logs. It returns io.EOF once all have
// ended, those that failed too: Err tells of them. While a log that has to be waited
// for has nothing it returns capture.ErrTimeout.
func (m *Merge) Next(r *Record) error {
	if m.taken != nil {
		m.taken.waits = true
		m.taken = nil
	}
	for {
		if err := m.settle(); err != nil {
			return err
		}
		if !m.openDue() {
			break
		}
	}
	p := m.earliest()
	if p == nil {
		return io.EOF
	}
	*r = p.next
	m.taken = p
	return nil
}

// settle reads on in the logs whose next record is not there.
func (m *Merge) settle() error {
	for i := 0; i < len(m.open); i++ {
		p := m.open[i]
		if !p.waits {
			continue
		}
		err := p.reader.Next(&p.next)
		switch {
		case errors.Is(err, capture.ErrTimeout):
			return err
		case err != nil:
			m.end(p, err)
			m.open = slices.Delete(m.open, i, i+1)
			i--
		default:
			p.waits = false
		}
	}
	return nil
}

// openDue opens a log if the time of one has come, and reports whether it did.
func (m *Merge) openDue() bool {
	if len(m.pending) == 0 {
		return false
	}
	last := len(m.pending) - 1
	p := m.pending[last]
	if e := m.earliest(); e != nil && p.first > e.next.Time {
		return false
	}
	if len(m.open) >= maxOpen {
		if !p.late {
			p.late = true
			m.late++
		}
		return false
	}
	m.pending = m.pending[:last]
	var err error
	if p.reader, err = Open(p.path); err != nil {
		m.fail(p, err)
		return true
	}
	p.waits = true
	m.open = append(m.open, p)
	return true
}

// earliest returns the log whose record is next, or nil if none is open.
func (m *Merge) earliest() *piece {
	if len(m.open) == 0 {
		return nil
	}
	e := m.open[0]
	for _, p := range m.open[1:] {
		if c := cmp.Or(cmp.Compare(p.next.Time, e.next.Time), cmp.Compare(p.order, e.order)); c < 0 {
			e = p
		}
	}
	return e
}

// end closes a log that has ended.
func (m *Merge) end(p *piece, err error) {
	m.count(p)
	p.reader.Close()
	if err != io.EOF {
		m.fail(p, err)
	}
}

func (m *Merge) count(p *piece) {
	s := p.reader.Stats()
	m.stats.Records += s.Records
	m.stats.Malformed += s.Malformed
	if k := p.reader.Kind(); k != "" && !slices.Contains(m.kinds, k) {
		m.kinds = append(m.kinds, k)
	}
}

func (m *Merge) fail(p *piece, err error) {
	m.failures = append(m.failures, failure{p.order, err})
}

// Err returns what became of logs that could not be read, or not wholly, in the
// order in which they were named.
func (m *Merge) Err() error {
	slices.SortStableFunc(m.failures, func(a, b failure) int { return cmp.Compare(a.order, b.order) })
	var errs []error
	for _, f := range m.failures {
		errs = append(errs, f.err)
	}
	return errors.Join(errs...)
}

// Stats counts what was read so far.
func (m *Merge) Stats() Stats {
	s := m.stats
	for _, p := range m.open {
		o := p.reader.Stats()
		s.Records += o.Records
		s.Malformed += o.Malformed
	}
	return s
}

// Late returns how many logs had to wait although their time had come, because too
// many were open.
func (m *Merge) Late() int { return m.late }

// Kinds names the formats of the logs that have ended.
func (m *Merge) Kinds() []string { return m.kinds }

// Close closes what is open.
func (m *Merge) Close() error {
	for _, p := range m.open {
		m.count(p)
		p.reader.Close()
	}
	m.open, m.pending, m.taken = nil, nil, nil
	return nil
}
