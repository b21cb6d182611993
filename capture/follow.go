package capture

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// followInterval is how often a Follower looks into its folder.
const followInterval = 500 * time.Millisecond

const (
	// keepOpen is how many files that were read to their end stay open: what is
	// written to one just before it is removed can still be read.
	keepOpen = 8
	// settled is for how long a file must not have grown, while there is a newer
	// one, for its last record to count as cut off.
	settled = 10 * time.Second
	// headSize is how many of its first bytes tell a file from another that is
	// written in its place: the first time stamp is among them.
	headSize = 512
	// clockInterval is after how many frames a Follower looks at the clock.
	clockInterval = 4096
)

// What happens to files that a Follower can not read to their end.
var (
	ErrRemoved  = errors.New("removed before it was read")
	ErrReplaced = errors.New("written anew before it was read to its end")
)

// Follower reads the capture files of a folder into which other programs write:
// those that are there, in the order of time as Merge does, and then what is added
// to them and what comes new, as the rotation of tcpdump and dumpcap has it. It
// implements Source; like a live one it never ends.
//
// A record that is not yet whole is waited for. A file that is removed while it is
// read is read to its end, where the system lets an open file be. One that is
// written anew under its name, as rings do, is a new file; one that is renamed is
// not. A compressed file is
// read when it has stopped growing, and not at all if it is the copy of one that
// was read.
type Follower struct {
	folder   string
	report   func(error)
	interval time.Duration
	settled  time.Duration
	merge    *Merge
	files    map[string]*watched // by path
	recent   []*watched          // at their end and still open, the latest last
	seed     maphash.Seed
	scans    int // how often the folder has been looked into
	scanned  time.Time
	newest   int64 // time of the first frame of the newest file
	until    int   // frames until the clock is looked at
	order    int   // of the next file that is found
}

var _ Source = (*Follower)(nil)

// watched is a file of the folder.
type watched struct {
	piece  *piece
	state  fileState
	seen   int         // the scan that has seen it last
	info   os.FileInfo // what that scan saw
	head   uint64      // hash of its first bytes
	size   int64       // how many bytes head is of
	looked time.Time   // when it had last been written to as its head was compared
	at     int64       // dry: how far it was read
	tried  int64       // how large it was when it was last read on
	cut    error       // dry: its last record is not whole
	dry    time.Time   // since when it is
	gone   bool        // no longer in the folder
}

type fileState uint8

const (
	stateNew     fileState = iota // no frame yet
	statePending                  // its time has not come
	stateOpen
	stateDry  // read to its end, which may grow
	stateRead // read, and never read on
	stateSkip // not to be read
)

// Follow follows a folder. It calls report, on the goroutine that calls Next or
// Close, for each file that cannot be read, or not wholly; that ends nothing.
func Follow(folder string, report func(error)) (*Follower, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder", folder)
	}
	f := &Follower{
		folder:   folder,
		report:   report,
		interval: followInterval,
		settled:  settled,
		merge:    &Merge{},
		files:    make(map[string]*watched),
		seed:     maphash.MakeSeed(),
	}
	f.merge.open, f.merge.ended = f.openPiece, f.endPiece
	return f, nil
}

// Next delivers the next frame. When there is none for a poll interval it returns
// ErrTimeout; any other error is that of the folder, and final.
func (f *Follower) Next(fr *Frame) error {
	if f.until--; f.until <= 0 {
		f.until = clockInterval
		if time.Since(f.scanned) >= f.interval {
			if err := f.scan(); err != nil {
				return err
			}
		}
	}
	if f.merge.Next(fr) == nil {
		return nil
	}
	time.Sleep(f.interval - time.Since(f.scanned))
	if err := f.scan(); err != nil {
		return err
	}
	if f.merge.Next(fr) == nil {
		return nil
	}
	return ErrTimeout
}

// Stats counts the frames that Next has delivered.
func (f *Follower) Stats() Stats { return f.merge.Stats() }

// Close closes what is open.
func (f *Follower) Close() error {
	for _, w := range f.files {
		if w.state == stateDry && w.cut != nil && w.piece.first < f.newest {
			f.report(w.cut)
		}
	}
	for _, w := range f.recent {
		w.piece.file.Close()
	}
	f.recent, f.files = nil, nil
	return f.merge.Close()
}

// scan looks into the folder: first for new files, and then for what was added to
// those that are known, so that a file's last frames come before those of the next.
func (f *Follower) scan() error {
	entries, err := os.ReadDir(f.folder)
	if err != nil {
		return err
	}
	f.merge.settle()
	f.scans++
	paths, infos := make([]string, 0, len(entries)), make(map[string]os.FileInfo, len(entries))
	for _, entry := range entries {
		path := filepath.Join(f.folder, entry.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			paths, infos[path] = append(paths, path), info
		}
	}
	f.rename(paths, infos)
	for _, path := range paths {
		f.see(path, infos[path])
	}
	if f.scans == 1 && len(f.merge.pending) == 0 {
		f.report(fmt.Errorf("%s: %w yet", f.folder, ErrNoCaptures))
	}
	for path, w := range f.files {
		switch {
		case w.seen == f.scans:
			f.check(path, w)
		case w.seen < f.scans-1: // until then its compressed copy counts as one
			delete(f.files, path)
		}
	}
	f.scanned = time.Now()
	return nil
}

// rename finds the new names of files that are no longer under their old ones,
// and takes note of those that are gone.
func (f *Follower) rename(paths []string, infos map[string]os.FileInfo) {
	var moved []*watched
	for path, w := range f.files {
		if info := infos[path]; info == nil || !os.SameFile(w.info, info) {
			moved = append(moved, w)
		}
	}
	if len(moved) == 0 {
		return
	}
	for _, path := range paths {
		if w := f.files[path]; w != nil && os.SameFile(w.info, infos[path]) {
			continue
		}
		at := slices.IndexFunc(moved, func(w *watched) bool { return !w.gone && f.alike(w, path, infos[path]) })
		if at < 0 {
			continue
		}
		w := moved[at]
		moved = slices.Delete(moved, at, at+1)
		if f.files[w.piece.path] == w {
			delete(f.files, w.piece.path)
		}
		w.piece.path = path
		if w.piece.file != nil {
			w.piece.file.name = path
		}
		f.files[path] = w
	}
	for _, w := range moved {
		f.lose(w, false)
	}
}

// alike reports whether a name is that of a file that is known by another. They
// must begin alike too: systems give the number of a removed file to the next.
func (f *Follower) alike(w *watched, path string, info os.FileInfo) bool {
	if w.size == 0 || !os.SameFile(w.info, info) || info.Size() < w.consumed() {
		return false
	}
	sum, size, _ := f.hash(path, w.size)
	return sum == w.head && size == w.size
}

// see takes note of a file, and looks for the first frame of one that had none.
func (f *Follower) see(path string, info os.FileInfo) {
	w := f.files[path]
	if w != nil && os.SameFile(w.info, info) && info.Size() < w.consumed() {
		f.lose(w, true)
		w = nil
	}
	if w == nil || !os.SameFile(w.info, info) {
		w = f.enter(path, info)
	}
	before := w.info
	w.seen, w.info = f.scans, info
	if w.state == stateNew {
		f.look(w, before)
	}
}

// enter puts a file on the list.
func (f *Follower) enter(path string, info os.FileInfo) *watched {
	w := &watched{piece: &piece{path: path, order: f.order}}
	w.piece.watched = w
	f.order++
	for _, other := range f.files {
		if f.scans > 1 && !other.gone && f.alike(other, path, info) {
			w.state, w.head, w.size = stateSkip, other.head, other.size // a second name
		}
	}
	f.files[path] = w
	return w
}

// consumed returns how many bytes of the file were read, as far as is known.
func (w *watched) consumed() int64 {
	switch {
	case w.state == stateDry:
		return w.at
	case w.state == stateOpen && !w.piece.file.gzip:
		return w.piece.file.in.offset()
	}
	return w.size
}

// look looks for the first frame of a file; before is what the scan before has
// seen, nil if nothing.
func (f *Follower) look(w *watched, before os.FileInfo) {
	var zipped bool
	w.head, w.size, zipped = f.hash(w.piece.path, headSize)
	if copied := f.files[original(w.piece.path)]; copied != w && copied != nil {
		switch copied.state {
		case stateOpen, stateDry, stateRead:
			w.state = stateSkip
			return
		case statePending:
			return // which of the two is read is open until then
		}
	}
	still := before != nil && before.Size() == w.info.Size() && before.ModTime().Equal(w.info.ModTime())
	if !zipped && still || zipped && !still && time.Since(w.info.ModTime()) < f.settled {
		return // nothing has changed; may still grow
	}
	err := f.merge.peek(w.piece)
	switch {
	case err == nil:
		w.state = statePending
		f.newest = max(f.newest, w.piece.first)
		f.merge.await(w.piece)
	case errors.Is(err, ErrNotCapture) && w.info.Size() >= 4:
		w.state = stateSkip
	case err == io.EOF, errors.Is(err, ErrTruncated), errors.Is(err, ErrNotCapture), errors.Is(err, os.ErrNotExist):
		// its first frame is still to be written
	default:
		w.state = stateSkip
		f.report(err)
	}
}

// hash returns a hash of the first n bytes of a file, how many there are, and
// whether it is compressed.
func (f *Follower) hash(path string, n int64) (sum uint64, size int64, zipped bool) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, false
	}
	defer file.Close()
	b := make([]byte, n)
	k, _ := io.ReadFull(file, b)
	return maphash.Bytes(f.seed, b[:k]), int64(k), k >= 2 && b[0] == 0x1f && b[1] == 0x8b
}

// check looks whether there is more of a file that was read, or another in its
// place.
func (f *Follower) check(path string, w *watched) {
	if w.state != stateDry && w.state != stateRead && w.state != stateSkip {
		return
	}
	info, err := os.Stat(path)
	if err != nil || !os.SameFile(info, w.info) || info.Size() < w.consumed() {
		return // for the next scan
	}
	if !info.ModTime().Equal(w.looked) {
		if sum, size, _ := f.hash(path, w.size); sum != w.head || size != w.size {
			f.lose(w, true)
			delete(f.files, path)
			f.see(path, info)
			return
		}
		w.looked = info.ModTime()
	}
	switch {
	case w.state != stateDry:
	case info.Size() > w.at && info.Size() != w.tried:
		w.tried = info.Size()
		f.wake(w)
	case w.cut != nil && w.piece.first < f.newest && time.Since(w.dry) >= f.settled:
		f.report(w.cut)
		w.cut = nil
	}
}

// wake reads on in a file that was at its end.
func (f *Follower) wake(w *watched) {
	f.recent = slices.DeleteFunc(f.recent, func(r *watched) bool { return r == w })
	if err := w.piece.file.resume(w.info, f.merge.takeSpare()); err != nil {
		f.endPiece(w.piece, err)
		return
	}
	w.state = stateOpen
	f.merge.start(w.piece)
}

// lose takes note that a file is no longer there, or, if anew is set, was written
// anew in its place.
func (f *Follower) lose(w *watched, anew bool) {
	if w.gone {
		return
	}
	w.gone = true
	err := ErrRemoved
	if anew {
		err = ErrReplaced
	}
	switch w.state {
	case statePending:
		f.merge.drop(w.piece)
		w.state = stateSkip
		if _, copied := os.Stat(w.piece.path + ".gz"); copied != nil {
			f.report(fmt.Errorf("%s: %w", w.piece.path, err))
		}
	case stateOpen:
		if anew {
			f.merge.drop(w.piece)
			f.endPiece(w.piece, fmt.Errorf("%s: %w", w.piece.path, err))
		}
	case stateDry:
		if !anew && slices.Contains(f.recent, w) {
			f.wake(w)
			return
		}
		f.recent = slices.DeleteFunc(f.recent, func(r *watched) bool { return r == w })
		w.piece.file.Close()
		w.state = stateRead
		if w.cut != nil {
			f.report(w.cut)
		}
	}
}

// openPiece opens a file whose time has come, if it is still the one that was
// looked into.
func (f *Follower) openPiece(p *piece) error {
	p.watched.state = stateOpen
	if err := f.merge.openPiece(p); err != nil {
		return err
	}
	if sum, size, _ := f.hash(p.path, p.watched.size); sum != p.watched.head || size != p.watched.size {
		return fmt.Errorf("%s: %w", p.path, ErrReplaced)
	}
	return nil
}

// endPiece puts a file by that has come to its end.
func (f *Follower) endPiece(p *piece, err error) {
	w := p.watched
	cut := errors.Is(err, ErrTruncated)
	w.looked = time.Time{}
	if (err == io.EOF || cut) && p.file.format != nil && !p.file.gzip && !w.gone {
		w.state, w.at, w.dry, w.cut = stateDry, p.file.in.offset(), time.Now(), nil
		if cut {
			w.cut = err
		}
		f.merge.giveBack(p.file.park())
		f.recent = append(f.recent, w)
		if len(f.recent) > keepOpen {
			f.recent[0].piece.file.Close()
			f.recent = slices.Delete(f.recent, 0, 1)
		}
		return
	}
	w.state = stateRead
	if errors.Is(err, os.ErrNotExist) {
		w.state = stateSkip // a compressed copy of it is read instead
	}
	if err != io.EOF {
		f.report(err)
	}
	f.merge.giveBack(p.file)
}
