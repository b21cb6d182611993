package capture

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/klauspost/compress/gzip"
)

// What is wrong with a file. Errors of Next that wrap ErrDamaged or
// ErrTruncated name the byte, counted in the uncompressed file; the frames
// before it have been delivered, and those behind a block of pcapng that could
// be left out.
var (
	ErrNotCapture = errors.New("not a capture file")
	ErrDamaged    = errors.New("damaged capture file")
	ErrTruncated  = errors.New("capture file is cut off")
)

// maxFrame bounds the captured bytes of one frame, whatever a header says; it
// is the largest snaplen that libpcap and Wireshark accept too.
const maxFrame = 256 << 10

// format reads the frames of one file format. Its errors are io.EOF at the
// clean end, those of input, or wrap ErrDamaged.
type format interface {
	next(in *input, f *Frame) error
	// damage tells what next has had to leave out, if anything. It wraps
	// ErrDamaged, and says where.
	damage() error
}

// File reads a pcap or pcapng stream, plain or compressed with gzip. It
// implements Source, and gopacket.ZeroCopyPacketDataSource.
type File struct {
	name    string
	in      *input
	format  format
	gzip    bool
	regular bool      // a file on a disk, whose end is reached without waiting
	closer  io.Closer // nil if the stream is the caller's
	frames  uint64
	parked  input // where to read on, see park
	err     error // what ended the stream
}

var (
	_ Source                            = (*File)(nil)
	_ gopacket.ZeroCopyPacketDataSource = (*File)(nil)
)

// Open opens a capture file; "-" is standard input. The error wraps
// ErrNotCapture, ErrDamaged or ErrTruncated, or is the operating system's.
func Open(path string) (*File, error) {
	f := &File{}
	if err := f.open(path); err != nil {
		return nil, err
	}
	return f, nil
}

// NewReader reads a capture from r, as Open does. Close leaves r open.
func NewReader(r io.Reader) (*File, error) {
	f := &File{name: "capture"}
	if err := f.detect(r); err != nil {
		return nil, f.describe(err)
	}
	return f, nil
}

// open makes f, which is new or closed, read another file. It uses the buffer
// that f has.
func (f *File) open(path string) error {
	*f = File{name: path, in: f.in}
	file := os.Stdin
	if path == "-" {
		f.name = "standard input"
	} else {
		var err error
		if file, err = os.Open(path); err != nil {
			return err
		}
		f.closer = file
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%w: it is a folder", ErrNotCapture)
	}
	if err == nil {
		f.regular = info.Mode().IsRegular()
		err = f.detect(file)
	}
	if err != nil {
		err = f.describe(err)
		f.Close()
		return err
	}
	return nil
}

// detect looks through gzip and reads the file's first magic number.
func (f *File) detect(r io.Reader) error {
	raw := bufio.NewReaderSize(r, 16<<10)
	f.read(raw)
	if magic, _ := raw.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(raw)
		if err != nil {
			return err
		}
		f.gzip = true
		f.read(unzipped)
	}
	magic, err := f.in.peek(4)
	if err == io.EOF {
		return fmt.Errorf("%w: it is empty", ErrNotCapture)
	}
	if err == io.ErrUnexpectedEOF && f.in.err == io.EOF {
		return fmt.Errorf("%w: it has fewer than 4 bytes", ErrNotCapture)
	}
	if err != nil {
		return err
	}
	if isPcapng(magic) {
		f.format = &pcapng{}
		return nil
	}
	f.format, err = newPcap(f.in, [4]byte(magic))
	return err
}

// read makes f read r from its beginning, into the buffer that it has, if any.
func (f *File) read(r io.Reader) {
	if f.in == nil {
		f.in = newInput(r, inputSize)
		return
	}
	*f.in = input{r: r, buf: f.in.buf}
}

// describe turns an error of the formats, the buffer or gzip into one that
// names the file, and the byte where that helps.
func (f *File) describe(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == io.EOF:
		return err
	case err == io.ErrUnexpectedEOF:
		return fmt.Errorf("%s: %w after byte %d", f.name, ErrTruncated, f.in.offset())
	case err == gzip.ErrChecksum, err == gzip.ErrHeader, errors.As(err, &corrupt):
		return fmt.Errorf("%s: %w: %w at byte %d", f.name, ErrDamaged, err, f.in.offset())
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%s: at byte %d: %w", f.name, f.in.offset(), err)
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

// Next reads the next frame. At the clean end of the file it returns io.EOF;
// other errors wrap ErrDamaged or ErrTruncated, or are the stream's. Once it
// has returned an error it returns the same for ever.
func (f *File) Next(fr *Frame) error {
	if f.err != nil {
		return f.err
	}
	if err := f.format.next(f.in, fr); err != nil {
		f.err = f.describe(err)
		if damage := f.format.damage(); damage != nil && err == io.EOF {
			f.err = fmt.Errorf("%s: %w", f.name, damage)
		} else if damage != nil {
			f.err = fmt.Errorf("%w; before that, %w", f.err, damage)
		}
		return f.err
	}
	fr.Tag = Tag{}
	f.frames++
	return nil
}

// ZeroCopyReadPacketData is Next in the form of gopacket, which has no room
// for the link type.
func (f *File) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	var fr Frame
	if err := f.Next(&fr); err != nil {
		return nil, gopacket.CaptureInfo{}, err
	}
	return fr.Data, gopacket.CaptureInfo{
		Timestamp:     time.Unix(0, fr.Time).UTC(),
		CaptureLength: len(fr.Data),
		Length:        fr.Wire,
	}, nil
}

// BeforeRead makes Next do call, which may be nil, each time before it reads on
// from the stream and may have to wait: who gathers frames then hands on what
// there is. A file on a disk never has to wait. call must not use the File.
func (f *File) BeforeRead(call func()) {
	if !f.regular {
		f.in.before = call
	}
}

// Stats counts the frames that Next has delivered.
func (f *File) Stats() Stats { return Stats{Frames: f.frames} }

// Close closes the file that Open has opened.
func (f *File) Close() error {
	f.err = os.ErrClosed
	if f.closer == nil {
		return nil
	}
	closer := f.closer
	f.closer = nil
	return closer.Close()
}

// park frees the buffer of a file that has come to its end, which may grow, and
// returns it as a File of its own.
func (f *File) park() *File {
	spare := &File{in: f.in}
	f.in, f.parked = nil, *f.in
	f.parked.buf = nil
	return spare
}

// resume reads on where park has left off, with the buffer of spare: in the file
// if it is still open, and else in the one of its name, which must be that of
// info. It is for plain files only.
func (f *File) resume(info os.FileInfo, spare *File) error {
	file, open := f.closer.(*os.File)
	if !open {
		var err error
		if file, err = os.Open(f.name); err != nil {
			return err
		}
		f.closer = file
		if now, err := file.Stat(); err != nil || !os.SameFile(now, info) {
			return fmt.Errorf("%s: %w", f.name, ErrReplaced)
		}
	}
	at := f.parked.offset()
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return err
	}
	f.in = spare.in
	f.read(file)
	f.in.base, f.in.skip = at, f.parked.skip
	f.err = nil
	return nil
}

// wireLength takes a header's original length, which may be anything, to
// a plausible one: no less than what was captured, and within an int32.
func wireLength(original uint32, captured int) int {
	return max(int(min(original, math.MaxInt32)), captured)
}
