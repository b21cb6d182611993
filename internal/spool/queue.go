package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Config says how much a queue may hold, and where.
type Config struct {
	Folder string // of this queue alone, and made if it is not there; empty: memory alone
	Disk   int64  // bytes in the folder at most
	Memory int64  // bytes of records in memory at most
}

// MinDisk is the least that Config.Disk may be.
const MinDisk = 2*MaxRecord + 8<<10

// retryDisk is how long records stay in memory alone after a write has failed.
const retryDisk = 5 * time.Second

// recordCost is what a record in memory takes beside its bytes.
const recordCost = 64

// record is what was put, with its number: 1 is the first one ever, and each
// that follows has a higher one.
type record struct {
	number uint64
	data   []byte
	stored bool // lies in the folder too
}

func (r record) cost() int64 { return int64(len(r.data)) + recordCost }

// Stats is what became of records.
type Stats struct {
	Waiting int    // put, or found at the start, and not done
	Unsafe  int    // of them those that lie in memory alone
	Dropped uint64 // refused by Put, or lost with a folder's damage while running
	Damaged uint64 // segments that were cut off where they were not whole
	Disk    error  // why the latest write to the folder failed; nil: it did not
}

// Queue holds records until they are done. One goroutine may put, another
// one may get.
type Queue struct {
	ready chan struct{} // holds one token while there may be something to get
	store chan struct{} // one while there may be something to write
	stop  chan struct{}
	ended chan struct{}
	disk  *disk // nil: memory alone

	mu      sync.Mutex // guards all below; never held while a disk is at work
	limit   int64
	recent  []record // the latest ones, numbers rise
	held    int64    // what they cost
	next    uint64   // number of the next record put
	first   uint64   // number of the first record not done
	cursor  uint64   // from where on Get takes the next
	got     []uint64 // numbers of the records got and not done
	waiting int
	dropped uint64
	failed  error
	closed  bool
}

// Open returns the queue of c's folder, with what is left in it from earlier
// runs in front. It fails if the folder cannot be used, with ErrInUse if another
// process does.
func Open(c Config) (*Queue, error) {
	q := &Queue{
		ready: make(chan struct{}, 1), store: make(chan struct{}, 1),
		stop: make(chan struct{}), ended: make(chan struct{}),
		limit: c.Memory, next: 1, first: 1, cursor: 1,
	}
	if c.Folder == "" {
		close(q.ended)
		return q, nil
	}
	if c.Disk < MinDisk {
		return nil, fmt.Errorf("spool of %d bytes: need at least %d", c.Disk, MinDisk)
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	var err error
	if q.disk, q.waiting, q.first, q.next, err = openDisk(c.Folder, c.Disk); err != nil {
		return nil, fmt.Errorf("spool %s: %w", c.Folder, err)
	}
	q.cursor = q.first
	if q.waiting > 0 {
		q.ready <- struct{}{}
	}
	go q.write()
	return q, nil
}

// Put adds a record, which the queue keeps. It returns false, at once, if
// there is no room.
func (q *Queue) Put(data []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := record{number: q.next, data: data}
	for q.held+r.cost() > q.limit && len(q.recent) > 0 && q.recent[0].stored {
		q.forget()
	}
	if q.closed || len(data) > MaxRecord || q.held+r.cost() > q.limit {
		q.dropped++
		return false
	}
	q.next++
	q.waiting++
	q.held += r.cost()
	q.recent = append(q.recent, r)
	notify(q.ready)
	notify(q.store)
	return true
}

// forget lets the oldest record of those in memory go.
func (q *Queue) forget() {
	q.held -= q.recent[0].cost()
	q.recent[0].data = nil
	q.recent = q.recent[1:]
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Ready is where a token comes when there may be something to Get again.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Get returns the next record, and false if there is none now. It stays in the
// queue until it is done.
func (q *Queue) Get() ([]byte, bool) {
	if data, ok := q.getRecent(false); ok || q.disk == nil {
		return data, ok
	}
	r, ok := q.disk.read(q.cursor)
	if !ok {
		// Nothing before the ones in memory, but for what was damaged.
		return q.getRecent(true)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take(r), true
}

// getRecent takes a record that is in memory: the one at the cursor, or with
// past the first behind it.
func (q *Queue) getRecent(past bool) ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.recent) > 0 && q.cursor < q.next {
		oldest := q.recent[0].number // the others' numbers follow without a gap
		if q.cursor < oldest && !past {
			return nil, false
		}
		at := max(q.cursor, oldest)
		q.lose(at - q.cursor)
		return q.take(q.recent[at-oldest]), true
	}
	if past {
		q.lose(q.next - q.cursor)
		q.cursor = q.next
	}
	return nil, false
}

// lose counts records that were in the folder and cannot be read.
func (q *Queue) lose(n uint64) {
	n = min(n, uint64(q.waiting-len(q.got)))
	q.waiting -= int(n)
	q.dropped += n
}

func (q *Queue) take(r record) []byte {
	q.cursor = r.number + 1
	q.got = append(q.got, r.number)
	return r.data
}

// Done says of the n records that were got first that they need not be kept.
// An error is the folder's: after the next start they may come again.
func (q *Queue) Done(n int) error {
	q.mu.Lock()
	if n > len(q.got) {
		panic("spool: more is done than was got")
	}
	if n == 0 {
		q.mu.Unlock()
		return nil
	}
	q.first = q.got[n-1] + 1
	q.got = q.got[n:]
	q.waiting -= n
	for len(q.recent) > 0 && q.recent[0].number < q.first {
		q.forget()
	}
	first := q.first
	q.mu.Unlock()
	if q.disk == nil {
		return nil
	}
	err := q.disk.done(first)
	notify(q.store) // there may be room now
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Again puts the records that were got and are not done back in front.
func (q *Queue) Again() {
	q.mu.Lock()
	if len(q.got) > 0 {
		q.cursor = q.got[0]
		q.got = nil
	}
	q.mu.Unlock()
	if q.disk != nil {
		q.disk.mu.Lock()
		q.disk.rewind()
		q.disk.mu.Unlock()
	}
	notify(q.ready)
}

// Stats returns what became of the records so far.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	s := Stats{Waiting: q.waiting, Dropped: q.dropped, Disk: q.failed}
	for _, r := range q.recent {
		if !r.stored {
			s.Unsafe++
		}
	}
	q.mu.Unlock()
	if q.disk != nil {
		q.disk.mu.Lock()
		s.Damaged = q.disk.damaged
		q.disk.mu.Unlock()
	}
	return s
}

// Close writes what is left to the folder and closes it.
func (q *Queue) Close() error {
	q.mu.Lock()
	closed := q.closed
	q.closed = true
	q.mu.Unlock()
	if closed {
		return nil
	}
	close(q.stop)
	<-q.ended
	if q.disk == nil {
		return nil
	}
	return q.disk.close()
}

// write brings records from memory to the folder until the queue is closed.
func (q *Queue) write() {
	defer close(q.ended)
	for {
		var retry <-chan time.Time
		if err := q.writeRecent(); err != nil {
			retry = time.After(retryDisk)
		}
		select {
		case <-q.store:
		case <-retry:
		case <-q.stop:
			q.writeRecent()
			return
		}
	}
}

// writeRecent writes those records in memory that are not in the folder.
func (q *Queue) writeRecent() error {
	q.mu.Lock()
	var todo []record
	for _, r := range q.recent {
		if !r.stored {
			todo = append(todo, r)
		}
	}
	q.mu.Unlock()
	if len(todo) == 0 {
		return nil
	}
	n, err := q.disk.append(todo)
	q.mu.Lock()
	q.failed = err
	first := q.first
	for i := range q.recent {
		if n > 0 && q.recent[i].number <= todo[n-1].number {
			q.recent[i].stored = true
		}
	}
	q.mu.Unlock()
	if n > 0 && todo[0].number < first { // done meanwhile
		err = errors.Join(err, q.disk.done(first))
	}
	return err
}
