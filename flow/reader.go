package flow

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// Errors of a Reader.
var (
	// ErrFormat says that nothing in a file looks like a flow record.
	ErrFormat = errors.New("no flow log that is understood")
	// ErrTruncated says that a compressed file is cut off or damaged.
	ErrTruncated = errors.New("flow log is cut off")
)

// errMalformed is what a format says of a line that should be a record and is none.
var errMalformed = errors.New("malformed line")

// Bounds on what a Reader takes from a file.
const (
	maxLine    = 1 << 20 // bytes of a line that are looked at
	lineBuffer = 256 << 10
	maxUnknown = 2000 // lines that no format knows, until the file is given up
)

// format reads the lines of one kind of log. It may keep what lines before have
// said, such as which column is which.
type format interface {
	// parse reads one line, without its end, into r, which is zero before. It
	// reports false where the line is none of a flow, such as a comment. The
	// error is errMalformed.
	parse(line []byte, r *Record) (bool, error)
}

// formats are all kinds of log, each with what makes a format of the first line
// that is of its kind, or nil of any other. That line is given to parse again.
var formats = [...]struct {
	name   string
	detect func(line []byte) format
}{
	// In the order in which they are asked.
	{"nfdump CSV", detectNfdump},
	{"Argus ra CSV", detectArgus},
	{"conntrack -E -o timestamp", detectConntrack},
	{"iptables or nftables log", detectNetfilter},
}

// Reader reads a flow log, plain or compressed with gzip. Which one it is follows
// from the first line that can be understood.
type Reader struct {
	name    string
	lines   *bufio.Reader
	closer  io.Closer
	format  format
	kind    string
	long    []byte // a line that the buffer was too small for
	unknown int    // lines before the first that some format knew
	stats   Stats
	err     error
}

// Stats counts what a Reader has read.
type Stats struct {
	Records   uint64
	Malformed uint64 // lines that should have been records, and were left out
}

// Open opens a flow log; "-" is standard input.
func Open(path string) (*Reader, error) {
	if path == "-" {
		return NewReader(os.Stdin, "standard input")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, fmt.Errorf("%s: %w: it is a folder", path, ErrFormat)
	}
	r, err := NewReader(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	r.closer = file
	return r, nil
}

// NewReader reads a flow log from r, of a name for messages. Close leaves r open.
func NewReader(r io.Reader, name string) (*Reader, error) {
	lines := bufio.NewReaderSize(r, lineBuffer)
	if magic, _ := lines.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(lines)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, ErrTruncated, err)
		}
		lines = bufio.NewReaderSize(unzipped, lineBuffer)
	}
	return &Reader{name: name, lines: lines}, nil
}

// Next fills rec with the next record. It returns io.EOF at the end; other errors
// wrap ErrFormat or ErrTruncated, or are the stream's. Malformed lines are counted
// and left out.
func (r *Reader) Next(rec *Record) error {
	for r.err == nil {
		line, err := r.line()
		if err != nil && len(line) == 0 {
			r.err = r.ended(err)
			break
		}
		if r.format == nil && !r.detect(line) {
			continue
		}
		*rec = Record{}
		switch ok, err := r.format.parse(line, rec); {
		case err != nil:
			r.stats.Malformed++
		case ok:
			r.stats.Records++
			return nil
		}
	}
	return r.err
}

// detect finds the format of a line, and reports whether there is one.
func (r *Reader) detect(line []byte) bool {
	for _, f := range formats {
		if r.format = f.detect(line); r.format != nil {
			r.kind = f.name
			return true
		}
	}
	if r.unknown++; r.unknown >= maxUnknown {
		r.err = r.ended(io.EOF)
	}
	return false
}

// ended says how the file ended.
func (r *Reader) ended(err error) error {
	switch {
	case err == io.EOF && r.format == nil:
		return fmt.Errorf("%s: %w: want one of %s", r.name, ErrFormat, kinds())
	case err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("%s: %w: %w", r.name, ErrTruncated, err)
	}
	return fmt.Errorf("%s: %w", r.name, err)
}

// kinds lists the formats.
func kinds() string {
	var b bytes.Buffer
	for i, f := range formats {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.name)
	}
	return b.String()
}

// line returns the next line without its end, valid until the next call. The last
// one may come with an error.
func (r *Reader) line() ([]byte, error) {
	line, err := r.lines.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = r.rest(line)
	}
	return bytes.TrimRight(line, "\r\n"), err
}

// rest reads on in a line that did not fit the buffer. Of one that is too long
// the beginning is returned.
func (r *Reader) rest(line []byte) ([]byte, error) {
	r.long = append(r.long[:0], line...)
	for {
		line, err := r.lines.ReadSlice('\n')
		if len(r.long) < maxLine {
			r.long = append(r.long, line...)
		}
		if err != bufio.ErrBufferFull {
			return r.long, err
		}
	}
}

// Kind names the format, once the first record was read.
func (r *Reader) Kind() string { return r.kind }

// Stats counts what was read so far.
func (r *Reader) Stats() Stats { return r.stats }

// Close closes the file that Open has opened.
func (r *Reader) Close() error {
	r.err = os.ErrClosed
	if r.closer == nil {
		return nil
	}
	closer := r.closer
	r.closer = nil
	return closer.Close()
}
