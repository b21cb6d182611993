package capture

import "errors"

// ErrTimeout is what Next of a live source returns when no frame arrived for
// a poll interval, so that its caller can advance its clock and look whether
// it should stop. It ends nothing: the next Next goes on waiting.
var ErrTimeout = errors.New("no packet within the poll interval")

// Frame is one captured frame as its source holds it.
type Frame struct {
	Time int64    // capture time, nanoseconds since 1970-01-01 UTC
	Link LinkType // what Data begins with
	Data []byte   // the captured bytes; they belong to the source and are valid until its next Next or Close
	Wire int      // length on the wire, bytes; at least len(Data)
	Tag  Tag      // of live captures only
}

// Tag is the outermost VLAN tag (IEEE 802.1Q), which the kernel takes out of a
// frame that comes in and keeps beside it. TPID is 0 where there was none.
type Tag struct {
	TPID uint16 // ethertype of the tag
	TCI  uint16 // priority and VLAN
}

// Source yields frames in the order of capture. It serves one goroutine.
type Source interface {
	// Next fills f with the next frame. At the end of a file it returns
	// io.EOF; a live source never ends, but returns ErrTimeout when nothing
	// arrived for a while. Any other error is final.
	Next(f *Frame) error
	// Stats counts from the source's opening.
	Stats() Stats
	// Close frees what the source holds, f.Data of the last Next included.
	Close() error
}

// Stats counts what a source has seen.
type Stats struct {
	Frames  uint64 // that a file has delivered, or that passed an interface's filter
	Dropped uint64 // of these lost because the reader was slower than the interface
	Shed    uint64 // flows of UDP that the kernel was told to drop, each for a while, because they were bulk
}
