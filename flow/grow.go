package flow

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"edgescan/capture"
)

// ErrCompressed says that a log which is to be followed is compressed.
var ErrCompressed = errors.New("a compressed log cannot be followed")

// pollInterval is how long a Reader waits for more.
const pollInterval = 200 * time.Millisecond

// Follow opens a flow log that another program writes. When its Reader comes to
// the end it waits for more, and goes on with the file that takes its place when
// the log is rotated: renamed and made anew, or emptied. What was rotated before
// is not read.
func Follow(path string) (*Reader, error) {
	file, err := openLog(path)
	if err != nil {
		return nil, err
	}
	var magic [2]byte
	if n, _ := file.ReadAt(magic[:], 0); n == 2 && magic == [2]byte{0x1f, 0x8b} {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrCompressed)
	}
	tail := &tail{path: path, file: file}
	r := NewReader(tail, path)
	r.closer, r.grows = tail, true
	return r, nil
}

// tail reads a file that grows. At its end it returns capture.ErrTimeout, after
// waiting.
type tail struct {
	path   string
	file   *os.File
	read   int64 // bytes of it
	inLine bool  // the last of them ended no line
}

func (t *tail) Read(b []byte) (int, error) {
	if n, err := t.more(b); n > 0 || err != io.EOF {
		return n, err
	}
	time.Sleep(pollInterval)
	if n, err := t.more(b); n > 0 || err != io.EOF {
		return n, err
	}
	turned, err := t.turn()
	switch {
	case err != nil:
		return 0, err
	case turned && t.inLine && len(b) > 0: // what was its last line is none of the next file
		t.inLine = false
		b[0] = '\n'
		return 1, nil
	}
	return 0, capture.ErrTimeout
}

func (t *tail) more(b []byte) (int, error) {
	n, err := t.file.Read(b)
	if n > 0 {
		t.read += int64(n)
		t.inLine = b[n-1] != '\n'
	}
	return n, err
}

// turn goes to the beginning if the file was emptied, or to the file that has taken
// its place, and reports whether it did. A new file in which is nothing yet is
// left alone: who writes may not know of it.
func (t *tail) turn() (bool, error) {
	open, err := t.file.Stat()
	if err != nil {
		return false, err
	}
	if open.Size() < t.read {
		t.read = 0
		_, err := t.file.Seek(0, io.SeekStart)
		return true, err
	}
	named, err := os.Stat(t.path)
	if err != nil || os.SameFile(open, named) || named.Size() == 0 {
		return false, nil // in the middle of a rotation there is none
	}
	file, err := os.Open(t.path)
	if err != nil {
		return false, err
	}
	t.file.Close()
	t.file, t.read = file, 0
	return true, nil
}

func (t *tail) Close() error { return t.file.Close() }

// pipe reads what may not come for long: where nothing does, it returns
// capture.ErrTimeout.
type pipe struct {
	chunks <-chan []byte
	free   chan<- []byte
	chunk  []byte // what is left of the one that is read
	whole  []byte
	err    error // after the last chunk, once chunks is closed
}

// newPipe returns a pipe that reads from on a goroutine of its own, which ends when
// from does.
func newPipe(from io.Reader) *pipe {
	chunks, free := make(chan []byte), make(chan []byte, 2)
	p := &pipe{chunks: chunks, free: free}
	for range cap(free) {
		free <- make([]byte, lineBuffer)
	}
	go func() {
		defer close(chunks)
		for b := range free {
			n, err := from.Read(b[:lineBuffer])
			if n > 0 {
				chunks <- b[:n]
			} else if err == nil {
				free <- b
			}
			if err != nil {
				p.err = err
				return
			}
		}
	}()
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	if len(p.chunk) == 0 {
		if p.whole != nil {
			p.free <- p.whole
			p.whole = nil
		}
		select {
		case chunk, ok := <-p.chunks:
			if !ok {
				return 0, p.err
			}
			p.chunk, p.whole = chunk, chunk
		case <-time.After(pollInterval):
			return 0, capture.ErrTimeout
		}
	}
	n := copy(b, p.chunk)
	p.chunk = p.chunk[n:]
	return n, nil
}

// patient waits as long as there is nothing: who unpacks cannot go on after an
// error.
type patient struct{ io.Reader }

func (p patient) Read(b []byte) (int, error) {
	for {
		n, err := p.Reader.Read(b)
		if n > 0 || !errors.Is(err, capture.ErrTimeout) {
			return n, err
		}
	}
}
