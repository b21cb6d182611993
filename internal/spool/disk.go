package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ErrInUse is returned by Open for a folder that another program has open.
var ErrInUse = errors.New("spool in use by another process")

// errNoRoom is returned where the folder would grow past its limit.
var errNoRoom = errors.New("spool is full")

const suffix = ".seg"

// segmentSize is how large a segment may become: a part of the limit, for only
// whole segments are removed.
func segmentSize(limit int64) int64 { return min(max(limit/8, 4<<10), 256<<10) }

// segment is a file of records.
type segment struct {
	path        string
	file        *os.File // to write, of the latest one alone
	first, last uint64   // numbers of its records
	size        int64    // of what is whole
}

// disk is the part of a queue that lies in a folder.
type disk struct {
	folder string
	limit  int64
	lock   *os.File

	mu       sync.Mutex // guards all below
	segments []*segment // numbers rise
	position *position
	noted    uint64
	reading  *os.File // of the segment that is read
	path     string   // its
	offset   int64    // where its next record is
	damaged  uint64   // segments that were not read to their end
}

// openDisk opens the folder and returns what lies in it: how many records that
// are not done, and the number of the next to be put.
func openDisk(folder string, limit int64) (d *disk, waiting int, first, next uint64, err error) {
	opened := &disk{folder: folder, limit: limit}
	if waiting, first, next, err = opened.open(); err != nil {
		opened.close()
		return nil, 0, 0, 0, err
	}
	return opened, waiting, first, next, nil
}

// open opens the files of the folder.
func (d *disk) open() (waiting int, first, next uint64, err error) {
	if d.lock, err = os.OpenFile(filepath.Join(d.folder, "lock"), os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		return 0, 0, 0, err
	}
	if err := lock(d.lock); err != nil {
		return 0, 0, 0, err
	}
	if d.position, first, err = openPosition(d.folder); err != nil {
		return 0, 0, 0, err
	}
	d.noted = first
	entries, err := os.ReadDir(d.folder) // sorted: the names are numbers of one length
	if err != nil {
		return 0, 0, 0, err
	}
	next = first
	for _, entry := range entries {
		if !isSegment(entry) {
			continue
		}
		n, err := d.adopt(filepath.Join(d.folder, entry.Name()), first, next)
		if err != nil {
			return 0, 0, 0, err
		}
		waiting += n
		if len(d.segments) > 0 {
			next = max(next, d.segments[len(d.segments)-1].last+1)
		}
	}
	return waiting, first, next, nil
}

func isSegment(entry os.DirEntry) bool {
	digits, ok := strings.CutSuffix(entry.Name(), suffix)
	_, err := strconv.ParseUint(digits, 16, 64)
	return ok && err == nil && len(digits) == 16 && entry.Type().IsRegular()
}

// adopt takes a segment over that an earlier run left, and returns how many of
// its records are not done. One that has none is removed.
func (d *disk) adopt(path string, first, next uint64) (waiting int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	s := &segment{path: path}
	behind := false
	s.size, err = scan(f, func(number uint64) {
		if s.first == 0 {
			s.first = number
			behind = len(d.segments) > 0 && number < next
		}
		s.last = number
		if number >= first {
			waiting++
		}
	})
	if errors.Is(err, errDamaged) {
		d.damaged++
		err = nil
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	if waiting == 0 || behind {
		return 0, os.Remove(path)
	}
	d.segments = append(d.segments, s)
	return waiting, nil
}

// append writes records, and returns how many it did.
func (d *disk) append(records []record) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for done := 0; done < len(records); {
		s, err := d.latest(records[done].number)
		if err != nil {
			return done, err
		}
		b, n := d.fit(s, records[done:])
		if n == 0 && s.size == int64(len(magic)) {
			return done, errNoRoom
		}
		if n == 0 {
			d.finish(s)
			continue
		}
		if _, err := s.file.WriteAt(b, s.size); err != nil {
			// What was written of it is overwritten next time, and not taken for
			// a record until then.
			return done, errors.Join(err, s.file.Truncate(s.size))
		}
		s.size += int64(len(b))
		if s.first == 0 {
			s.first = records[done].number
		}
		done += n
		s.last = records[done-1].number
	}
	return len(records), nil
}

// fit returns as many of the records as the segment takes, as they stand in
// it, and their number. A segment takes one at least, as long as the limit does.
func (d *disk) fit(s *segment, records []record) (b []byte, n int) {
	room := d.limit - d.size()
	segmentRoom := segmentSize(d.limit) - s.size
	for ; n < len(records); n++ {
		size := int64(len(b) + headerSize + len(records[n].data))
		alone := n == 0 && s.size == int64(len(magic))
		if size > room || size > segmentRoom && !alone {
			break
		}
		b = appendRecord(b, records[n].number, records[n].data)
	}
	return b, n
}

// latest returns the segment to write to, a new one if need be.
func (d *disk) latest(number uint64) (*segment, error) {
	if n := len(d.segments); n > 0 && d.segments[n-1].file != nil {
		return d.segments[n-1], nil
	}
	s := &segment{path: filepath.Join(d.folder, fmt.Sprintf("%016x%s", number, suffix))}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(magic); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(s.path))
	}
	s.file, s.size = f, int64(len(magic))
	d.segments = append(d.segments, s)
	return s, nil
}

// finish ends writing to a segment.
func (d *disk) finish(s *segment) {
	if s.file != nil {
		s.file.Close() // nothing is buffered that could fail here
		s.file = nil
	}
}

func (d *disk) size() (bytes int64) {
	for _, s := range d.segments {
		bytes += s.size
	}
	return bytes
}

// read returns the first record from number on that lies in the folder, and
// false if there is none. What is damaged is passed over.
func (d *disk) read(number uint64) (record, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.segments {
		if s.last < number {
			continue
		}
		r, err := d.readFrom(s, number)
		if err == nil {
			return r, true
		}
		d.damaged++
		s.last = number - 1 // not asked for again
	}
	return record{}, false
}

func (d *disk) readFrom(s *segment, number uint64) (record, error) {
	if d.reading == nil || d.path != s.path {
		d.rewind()
		f, err := os.Open(s.path)
		if err != nil {
			return record{}, err
		}
		d.reading, d.path, d.offset = f, s.path, int64(len(magic))
	}
	for d.offset < s.size {
		found, data, err := readRecord(d.reading, d.offset)
		if err != nil {
			return record{}, err
		}
		d.offset += headerSize + int64(len(data))
		if found >= number {
			return record{number: found, data: data}, nil
		}
	}
	return record{}, io.ErrUnexpectedEOF
}

// rewind lets the next read begin at a segment's start.
func (d *disk) rewind() {
	if d.reading != nil {
		d.reading.Close()
	}
	d.reading, d.path = nil, ""
}

// done notes that all records before first are, and removes the segments that
// have no others.
func (d *disk) done(first uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	n := 0
	for ; n < len(d.segments) && d.segments[n].last < first; n++ {
		s := d.segments[n]
		if s.path == d.path {
			d.rewind()
		}
		d.finish(s)
		errs = append(errs, os.Remove(s.path))
	}
	d.segments = slices.Delete(d.segments, 0, n)
	if len(d.segments) > 0 && d.segments[0].first < first && d.noted != first {
		d.noted = first
		errs = append(errs, d.position.note(first))
	}
	return errors.Join(errs...)
}

func (d *disk) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rewind()
	for _, s := range d.segments {
		d.finish(s)
	}
	var errs []error
	if d.position != nil {
		errs = append(errs, d.position.file.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}
