package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxOpen is how many files a Merge has open at once. It bounds memory and file
// descriptors; the pieces of a ring buffer need two, which have buffers of the
// full size.
const (
	maxOpen     = 32
	fullBuffers = 2
)

// ErrNoCaptures says that a folder has no capture file in it.
var ErrNoCaptures = errors.New("no capture file in it")

// Merge reads several capture files as one, in the order of time: what a ring
// buffer has left in pieces, what several interfaces have seen at once. It
// implements Source.
//
// Frames of one file stay in that file's order, even where it is not that of
// time; of two files that are due at the same time, the one that was named first
// goes first. Each file's first time stamp is looked up beforehand, and it is
// opened when that time has come: many files that follow each other do not have
// to be open together. Where more than maxOpen overlap in time the others wait
// until one of them ends, and are Late.
//
// Standard input, and every other pipe, cannot be looked into beforehand: it is
// open from the start, and the other files wait for what it has next.
//
// A file that fails does not keep the others from being read.
type Merge struct {
	paths    []string // what Next has yet to look at
	pending  []*piece // the earliest last
	heap     []*piece // open, with a frame each; the earliest first
	taken    bool     // the frame of heap[0] has been delivered
	only     *File    // of heap[0], if there is no other to compare it with
	spare    []*File  // closed, for their buffers
	open     func(*piece) error
	ended    func(*piece, error)
	before   func()
	failures []failure
	frames   uint64
	late     int
}

var _ Source = (*Merge)(nil)

// piece is one file of a Merge.
type piece struct {
	path    string
	order   int   // in which the files were named
	first   int64 // time of its first frame; math.MinInt64: not known
	late    bool
	file    *File
	frame   Frame
	watched *watched // what a Follower knows of it
}

type failure struct {
	order int
	err   error
}

// NewMerge merges the files at paths, as Open takes them. Of a folder it reads
// the capture files that are in it now, those of its folders left out, and no
// compressed copy beside its original. Nothing is opened before the first Next.
func NewMerge(paths []string) *Merge {
	m := &Merge{paths: paths}
	m.open, m.ended = m.openPiece, m.endPiece
	return m
}

// Next delivers the next frame of all files. It returns io.EOF once all have
// ended, those that failed too: Err tells of them.
func (m *Merge) Next(f *Frame) error {
	if m.only != nil && m.only.Next(f) == nil {
		m.frames++
		return nil
	}
	return m.pick(f)
}

// pick delivers the earliest of the frames that are next in their files.
func (m *Merge) pick(f *Frame) error {
	if m.paths != nil {
		m.lookUp()
	}
	m.settle()
	if len(m.pending) > 0 {
		m.openDue()
	}
	if len(m.heap) == 0 {
		return io.EOF
	}
	*f = m.heap[0].frame
	m.taken = true
	if len(m.heap) == 1 && len(m.pending) == 0 {
		m.only = m.heap[0].file
	}
	m.frames++
	return nil
}

// settle reads on in the file whose frame was delivered.
func (m *Merge) settle() {
	m.only = nil
	if !m.taken {
		return
	}
	m.taken = false
	p := m.heap[0]
	err := p.file.Next(&p.frame)
	if err != nil {
		last := len(m.heap) - 1
		m.heap[0], m.heap[last] = m.heap[last], nil
		m.heap = m.heap[:last]
	}
	m.sink()
	if err != nil {
		m.ended(p, err)
	}
}

// openDue opens the files whose time has come.
func (m *Merge) openDue() {
	for len(m.pending) > 0 {
		p := m.pending[len(m.pending)-1]
		if len(m.heap) > 0 && p.first > m.heap[0].frame.Time {
			return
		}
		if len(m.heap) >= maxOpen {
			if !p.late {
				p.late = true
				m.late++
			}
			return
		}
		m.pending[len(m.pending)-1] = nil
		m.pending = m.pending[:len(m.pending)-1]
		if err := m.open(p); err != nil {
			m.ended(p, err)
			continue
		}
		m.start(p)
	}
}

// start puts a file into the heap that has been opened, or waited for more.
func (m *Merge) start(p *piece) {
	p.file.BeforeRead(m.before)
	if err := p.file.Next(&p.frame); err != nil {
		m.ended(p, err)
		return
	}
	m.push(p)
}

func (m *Merge) push(p *piece) {
	m.heap = append(m.heap, p)
	for i := len(m.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !m.heap[i].before(m.heap[parent]) {
			break
		}
		m.heap[i], m.heap[parent] = m.heap[parent], m.heap[i]
		i = parent
	}
}

// sink moves the first of the heap to where it belongs.
func (m *Merge) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heap); child++ {
			if m.heap[child].before(m.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// before reports whether p's frame comes before that of q.
func (p *piece) before(q *piece) bool {
	return p.frame.Time < q.frame.Time || p.frame.Time == q.frame.Time && p.order < q.order
}

// await puts a file among those whose time has yet to come.
func (m *Merge) await(p *piece) {
	at, _ := slices.BinarySearchFunc(m.pending, p, func(a, b *piece) int {
		return cmp.Or(cmp.Compare(b.first, a.first), cmp.Compare(b.order, a.order))
	})
	m.pending = slices.Insert(m.pending, at, p)
}

// drop takes a file out that is pending or open. No frame must be with the caller.
func (m *Merge) drop(p *piece) {
	m.pending = slices.DeleteFunc(m.pending, func(q *piece) bool { return q == p })
	at := slices.Index(m.heap, p)
	if at < 0 {
		return
	}
	left := slices.Delete(m.heap, at, at+1)
	m.heap = m.heap[:0]
	for _, q := range left {
		m.push(q)
	}
}

// lookUp reads the first time stamp of each file.
func (m *Merge) lookUp() {
	paths := m.paths
	m.paths = nil
	order := 0
	for _, path := range paths {
		if info, err := os.Stat(path); path != "-" && err == nil && info.IsDir() {
			order = m.lookInto(path, order)
			continue
		}
		p := &piece{path: path, order: order, first: math.MinInt64}
		order++
		if len(paths) > 1 {
			if err := m.peek(p); err != nil {
				m.ended(p, err)
				continue
			}
		}
		m.await(p)
	}
}

// lookInto looks up the capture files of a folder, and returns the order of what
// is named behind it.
func (m *Merge) lookInto(folder string, order int) int {
	entries, err := os.ReadDir(folder)
	if err != nil {
		m.failures = append(m.failures, failure{order, err})
		return order + 1
	}
	found := make(map[string]bool)
	for _, entry := range entries { // sorted: a compressed copy comes behind its original
		path := filepath.Join(folder, entry.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || found[original(path)] {
			continue
		}
		p := &piece{path: path, order: order, first: math.MinInt64}
		err := m.peek(p)
		if errors.Is(err, ErrNotCapture) {
			continue
		}
		found[path] = true
		order++
		if err != nil {
			m.ended(p, err)
			continue
		}
		m.await(p)
	}
	if len(found) == 0 {
		m.failures = append(m.failures, failure{order, fmt.Errorf("%s: %w", folder, ErrNoCaptures)})
		order++
	}
	return order
}

// original returns the name of the file of which one of this name is a
// compressed copy.
func original(path string) string { return strings.TrimSuffix(path, ".gz") }

// peek looks up the time of a file's first frame, where that can be done without
// consuming what cannot be read again. The error may be io.EOF.
func (m *Merge) peek(p *piece) error {
	if p.path == "-" {
		return nil
	}
	if info, err := os.Stat(p.path); err == nil && !info.Mode().IsRegular() {
		return nil
	}
	f := m.takeSpare()
	defer m.giveBack(f)
	if err := f.open(p.path); err != nil {
		return err
	}
	if err := f.Next(&p.frame); err != nil {
		return err
	}
	p.first = p.frame.Time
	p.frame = Frame{}
	return nil
}

func (m *Merge) takeSpare() *File {
	if n := len(m.spare); n > 0 {
		f := m.spare[n-1]
		m.spare = m.spare[:n-1]
		return f
	}
	if len(m.heap) < fullBuffers {
		return &File{}
	}
	return &File{in: newInput(nil, inputSmall)}
}

// giveBack closes a file and keeps its buffer for another.
func (m *Merge) giveBack(f *File) {
	f.Close()
	if len(m.spare) < fullBuffers {
		m.spare = append(m.spare, f)
	}
}

// openPiece opens a file whose time has come.
func (m *Merge) openPiece(p *piece) error {
	if p.first == math.MinInt64 && m.before != nil {
		m.before() // a pipe may have to be waited for
	}
	p.file = m.takeSpare()
	return p.file.open(p.path)
}

// endPiece takes note of how a file ended.
func (m *Merge) endPiece(p *piece, err error) {
	if p.file != nil {
		m.giveBack(p.file)
		p.file, p.frame = nil, Frame{}
	}
	if err != io.EOF {
		m.failures = append(m.failures, failure{p.order, err})
	}
}

// Err returns what went wrong with the files up to now, in the order in which
// they were named.
func (m *Merge) Err() error {
	slices.SortStableFunc(m.failures, func(a, b failure) int { return cmp.Compare(a.order, b.order) })
	errs := make([]error, len(m.failures))
	for i, f := range m.failures {
		errs[i] = f.err
	}
	return errors.Join(errs...)
}

// Late returns how many files had to wait for others to end although their time
// had come.
func (m *Merge) Late() int { return m.late }

// BeforeRead makes Next do call, which may be nil, each time before it may have
// to wait for a pipe. call must not use the Merge.
func (m *Merge) BeforeRead(call func()) {
	m.before = call
	for _, p := range m.heap {
		p.file.BeforeRead(call)
	}
}

// Stats counts the frames that Next has delivered.
func (m *Merge) Stats() Stats { return Stats{Frames: m.frames} }

// Close closes the files that are open. What has not been read is left.
func (m *Merge) Close() error {
	var errs []error
	for _, p := range m.heap {
		errs = append(errs, p.file.Close())
	}
	m.paths, m.pending, m.heap, m.taken, m.only, m.spare = nil, nil, nil, false, nil, nil
	return errors.Join(errs...)
}
