package alert

import (
	"fmt"
	"io"
	"os"

	"edgescan/internal/detect"
)

// Text writes events as Lines, for a terminal.
type Text struct{ w io.Writer }

// NewText returns a sink that writes to w. Close leaves w open.
func NewText(w io.Writer) *Text { return &Text{w} }

// Alert writes e's Line.
func (t *Text) Alert(e detect.Event) error {
	if _, err := io.WriteString(t.w, Line(e)+"\n"); err != nil {
		return fmt.Errorf("write alert: %w", err)
	}
	return nil
}

// Close does nothing.
func (t *Text) Close() error { return nil }

// Format writes an event as one line without its end.
type Format func(detect.Event) []byte

// Objects writes events as JSON, one object per line.
type Objects struct {
	w      io.Writer
	format Format
}

// NewJSON returns a sink that writes to w. Close leaves w open.
func NewJSON(w io.Writer, format Format) *Objects { return &Objects{w, format} }

// OpenJSON returns a sink that appends to the file at path, created with mode
// 0640, or that writes to standard output where path is "-".
func OpenJSON(path string, format Format) (*Objects, error) {
	if path == "-" {
		return NewJSON(os.Stdout, format), nil
	}
	f := &file{path: path}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("open JSON file: %w", err)
	}
	return NewJSON(f, format), nil
}

// Alert writes e's JSON in a single write, so that lines of several processes
// that append to one file do not mix.
func (s *Objects) Alert(e detect.Event) error {
	if _, err := s.w.Write(append(s.format(e), '\n')); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// Close closes the file that OpenJSON opened.
func (s *Objects) Close() error {
	if f, ok := s.w.(*file); ok {
		return f.close()
	}
	return nil
}

// file appends lines to whatever file its path names at the time: one that
// was renamed or removed (logrotate) is left and a new one made. Where that is
// not allowed, for the program gave up its privileges, the renamed file gets
// the lines on.
type file struct {
	path string
	f    *os.File
	torn bool // the last write ended inside a line
}

func (l *file) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	l.f = f
	return nil
}

// Write appends p, which is whole lines. After a write that was cut short (a
// full disk) it first ends that line.
func (l *file) Write(p []byte) (int, error) {
	if err := l.follow(); err != nil {
		return 0, err
	}
	if l.torn {
		if _, err := l.f.WriteString("\n"); err != nil {
			return 0, err
		}
		l.torn = false
	}
	n, err := l.f.Write(p)
	l.torn = err != nil && n > 0
	return n, err
}

// follow opens the path anew unless it still names the open file. It fails if
// lines would go nowhere: into a file that has no name any more.
func (l *file) follow() error {
	if l.f == nil {
		return l.open()
	}
	open, err := l.f.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Stat(l.path); err == nil && os.SameFile(open, named) {
		return nil
	}
	old := l.f
	if err := l.open(); err != nil {
		if nameless(open) {
			return err
		}
		return nil
	}
	l.torn = false
	return old.Close()
}

func (l *file) close() error {
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f, l.torn = nil, false
	return f.Close()
}
