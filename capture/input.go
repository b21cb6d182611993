package capture

import (
	"io"
	"math/bits"
)

// Sizes of the read buffer, bytes. It is of the full size, unless many files are
// open at once: then it starts small and grows for a frame that needs more. A
// block that is handed out must fit the largest, with its header and options.
const (
	inputSmall = 64 << 10
	inputSize  = 512 << 10
)

// input is a buffered reader that hands out its own buffer, and knows at
// which byte of the (uncompressed) stream it is.
type input struct {
	r        io.Reader
	buf      []byte
	pos, end int    // what was read and not yet consumed: buf[pos:end]
	base     int64  // offset in the stream of buf[0]
	skip     int64  // bytes that discard has yet to skip
	err      error  // what ended r
	before   func() // is called before a read of r; may be nil
}

func newInput(r io.Reader, size int) *input { return &input{r: r, buf: make([]byte, size)} }

// offset returns the stream offset of the next byte.
func (in *input) offset() int64 { return in.base + int64(in.pos) }

// peek returns the next n bytes, at most inputSize, without consuming them.
// They are valid until the next peek. At the end of the stream it returns
// io.EOF if no byte is left, io.ErrUnexpectedEOF if fewer than n are.
func (in *input) peek(n int) ([]byte, error) {
	if in.end-in.pos < n {
		if err := in.fill(n); err != nil {
			return nil, err
		}
	}
	return in.buf[in.pos : in.pos+n], nil
}

// advance consumes n bytes that peek has returned.
func (in *input) advance(n int) { in.pos += n }

// fill reads until n bytes are there. It takes what one read gives, so that a
// pipe's frames are not held back.
func (in *input) fill(n int) error {
	if in.pos+n > len(in.buf) || in.pos == in.end {
		to := in.buf
		if n > len(to) {
			to = make([]byte, 1<<bits.Len(uint(n-1)))
		}
		in.base += int64(in.pos)
		in.end = copy(to, in.buf[in.pos:in.end])
		in.pos = 0
		in.buf = to
	}
	for empty := 0; in.end-in.pos < n; {
		if in.err == nil && empty == 100 {
			in.err = io.ErrNoProgress
		}
		if in.err != nil {
			if in.err == io.EOF && in.end > in.pos {
				return io.ErrUnexpectedEOF
			}
			return in.err
		}
		if in.before != nil {
			in.before()
		}
		var k int
		k, in.err = in.r.Read(in.buf[in.end:])
		in.end += k
		if k == 0 {
			empty++
		}
	}
	return nil
}

// discard skips n bytes. A stream that ends within them gives
// io.ErrUnexpectedEOF; what is left of them is skipped by the next discard.
func (in *input) discard(n int64) error {
	for in.skip += n; in.skip > 0; {
		if in.pos == in.end {
			if err := in.fill(1); err == io.EOF {
				return io.ErrUnexpectedEOF
			} else if err != nil {
				return err
			}
		}
		k := min(in.skip, int64(in.end-in.pos))
		in.pos += int(k)
		in.skip -= k
	}
	return nil
}
