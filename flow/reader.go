package flow

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"

	"edgescan/capture"
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
	maxLine    = 1 << 20 // bytes of a line; longer ones are malformed
	lineBuffer = 64 << 10
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
	{"Zeek conn.log", detectZeekTSV},
	{"Zeek conn.log in JSON", detectZeekJSON},
	{"Suricata EVE", detectSuricata},
	{"AWS VPC flow log", detectAWS},
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
	begun   bool // it is known whether it is compressed
	grows   bool // it is never compressed
	format  format
	kind    string
	part    []byte // what has been read of a line that is not whole
	unknown int    // lines before the first that some format knew
	stats   Stats
	err     error
}

// Stats counts what a Reader has read.
type Stats struct {
	Records   uint64
	Malformed uint64 // lines that should have been records, and were left out
}

// Open opens a flow log; "-" is standard input, whose Reader may have nothing for a
// while, see Next.
func Open(path string) (*Reader, error) {
	if path == "-" {
		return NewReader(newPipe(os.Stdin), "standard input"), nil
	}
	file, err := openLog(path)
	if err != nil {
		return nil, err
	}
	r := NewReader(file, path)
	r.closer = file
	return r, nil
}

func openLog(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, fmt.Errorf("%s: %w: it is a folder", path, ErrFormat)
	}
	return file, nil
}

// NewReader reads a flow log from r, of a name for messages. Close leaves r open.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{name: name, lines: bufio.NewReaderSize(r, lineBuffer)}
}

// begin looks whether the log is compressed.
func (r *Reader) begin() error {
	magic, err := r.lines.Peek(2)
	if errors.Is(err, capture.ErrTimeout) {
		return err
	}
	r.begun = true
	if r.grows || len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return nil
	}
	unzipped, err := gzip.NewReader(patient{r.lines})
	if err != nil {
		return fmt.Errorf("%s: %w: %w", r.name, ErrTruncated, err)
	}
	r.lines = bufio.NewReaderSize(unzipped, lineBuffer)
	return nil
}

// Next fills rec with the next record. It returns io.EOF at the end; other errors
// wrap ErrFormat or ErrTruncated, or are the stream's. Malformed lines are counted
// and left out. Of what is written while it is read, it returns capture.ErrTimeout
// when nothing came for a fifth of a second.
func (r *Reader) Next(rec *Record) error {
	for r.err == nil {
		line, err := r.line()
		if errors.Is(err, capture.ErrTimeout) {
			return err
		}
		if err != nil && len(line) == 0 {
			r.err = r.ended(err)
			break
		}
		if len(line) >= maxLine {
			r.stats.Malformed++
			continue
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
	case err == io.EOF, errors.Is(err, ErrTruncated):
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
	if !r.begun {
		if err := r.begin(); err != nil {
			return nil, err
		}
	}
	line, err := r.lines.ReadSlice('\n')
	if err != nil || len(r.part) > 0 {
		return r.whole(line, err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// whole puts a line together that did not fit the buffer, or is not written to its
// end yet. Of one that is too long the beginning is returned.
func (r *Reader) whole(line []byte, err error) ([]byte, error) {
	for {
		if len(r.part) < maxLine {
			r.part = append(r.part, line...)
		}
		if err != bufio.ErrBufferFull {
			break
		}
		line, err = r.lines.ReadSlice('\n')
	}
	if errors.Is(err, capture.ErrTimeout) {
		return nil, err
	}
	line, r.part = r.part, r.part[:0]
	return bytes.TrimRight(line, "\r\n"), err
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
