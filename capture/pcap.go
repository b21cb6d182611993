package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Magic numbers of the pcap format, as the writing host's byte order has them.
const (
	pcapMicroseconds = 0xa1b2c3d4
	pcapNanoseconds  = 0xa1b23c4d
	pcapModified     = 0xa1b2cd34 // Kuznetzov's patch: microseconds, longer record headers
)

// Sizes of the pcap headers, bytes.
const (
	pcapFileHeader     = 24
	pcapRecordHeader   = 16
	pcapModifiedHeader = 24
)

// pcap reads the classic format (draft-ietf-opsawg-pcap).
type pcap struct {
	link   LinkType
	header int   // length of a record header
	unit   int64 // nanoseconds of a timestamp's fraction
	big    bool  // big-endian
}

// newPcap reads the file header, of which magic is the start.
func newPcap(in *input, magic [4]byte) (*pcap, error) {
	p := &pcap{header: pcapRecordHeader, unit: 1000}
	number := binary.LittleEndian.Uint32(magic[:])
	switch swapped := bits.ReverseBytes32(number); swapped {
	case pcapMicroseconds, pcapNanoseconds, pcapModified:
		number, p.big = swapped, true
	}
	switch number {
	case pcapMicroseconds:
	case pcapNanoseconds:
		p.unit = 1
	case pcapModified:
		p.header = pcapModifiedHeader
	default:
		return nil, fmt.Errorf("%w: it starts with %x, not with the magic number of pcap, pcapng or gzip", ErrNotCapture, magic)
	}
	h, err := in.peek(pcapFileHeader)
	if err != nil {
		return nil, err
	}
	p.link = LinkType(order(h[20:], p.big) & 0x03ffffff) // above it: the length of frame check sequences
	in.advance(pcapFileHeader)
	return p, nil
}

// damage returns nil: behind a record whose header is wrong nobody knows where the
// next begins.
func (p *pcap) damage() error { return nil }

// next reads one record.
func (p *pcap) next(in *input, f *Frame) error {
	h, err := in.peek(p.header)
	if err != nil {
		return err
	}
	seconds, fraction := order(h, p.big), order(h[4:], p.big)
	captured, original := order(h[8:], p.big), order(h[12:], p.big)
	if captured > maxFrame {
		return fmt.Errorf("%w: a record claims %d bytes, more than the %d that one may have", ErrDamaged, captured, maxFrame)
	}
	n := p.header + int(captured)
	b, err := in.peek(n)
	if err != nil {
		return err
	}
	f.Time = int64(seconds)*1e9 + int64(fraction)*p.unit
	f.Link = p.link
	f.Data = b[p.header:n:n]
	f.Wire = wireLength(original, int(captured))
	in.advance(n)
	return nil
}

// order reads four bytes in the byte order of a file's writer.
func order(b []byte, big bool) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}
