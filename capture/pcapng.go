package capture

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Block types and option codes of pcapng (draft-ietf-opsawg-pcapng).
const (
	ngSection   = 0x0a0d0d0a // the same in both byte orders
	ngInterface = 1
	ngPacket    = 2 // obsolete
	ngSimple    = 3
	ngEnhanced  = 6

	ngByteOrder = 0x1a2b3c4d

	ngEndOfOptions = 0
	ngTSResolution = 9
	ngTSOffset     = 14
)

const (
	ngOverhead      = 12      // block type, length, and the length again
	ngSectionHeader = 28      // the shortest section header block
	ngMaxInterfaces = 1 << 16 // of one section
	ngMicroseconds  = 6       // if_tsresol where an interface states none
)

// pcapng reads the block format: sections, each with interfaces that have
// their own link types and clocks.
type pcapng struct {
	big        bool
	interfaces []ngClock
	last       int64 // time of the frame before: simple packet blocks have none
	left       leftOut
}

// leftOut counts the blocks of a file whose lengths are right, so that what comes
// behind them can be read, and whose content is not.
type leftOut struct {
	blocks int
	first  error // which wraps ErrDamaged
	at     int64 // where, bytes
}

// add counts a block.
func (l *leftOut) add(err error, at int64) {
	if l.blocks == 0 {
		l.first, l.at = err, at
	}
	l.blocks++
}

// ngClock is what an interface description says about its packets.
type ngClock struct {
	link       LinkType
	snaplen    uint32 // 0: none
	resolution uint8  // if_tsresol: a negative power of ten, or of two if the high bit is set
	offset     int64  // if_tsoffset, seconds
}

// isPcapng reports whether a file that starts with these four bytes is one.
func isPcapng(magic []byte) bool { return binary.BigEndian.Uint32(magic) == ngSection }

// damage tells of the blocks that were left out.
func (p *pcapng) damage() error {
	switch p.left.blocks {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("a block at byte %d was left out: %w", p.left.at, p.left.first)
	}
	return fmt.Errorf("%d blocks were left out, the first at byte %d: %w", p.left.blocks, p.left.at, p.left.first)
}

// next skips to the next packet block that can be read.
func (p *pcapng) next(in *input, f *Frame) error {
	for {
		if err := in.discard(0); err != nil {
			return err // still within a block that is skipped
		}
		b, kind, err := p.block(in)
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		found := false
		body := b[8 : len(b)-4]
		switch kind {
		case ngInterface:
			err = p.describe(body)
		case ngEnhanced:
			found, err = true, p.enhanced(body, f)
		case ngSimple:
			found, err = true, p.simple(body, f)
		case ngPacket:
			found, err = true, p.obsolete(body, f)
		}
		if err != nil {
			p.left.add(err, in.offset())
		}
		in.advance(len(b))
		if found && err == nil {
			return nil
		}
	}
}

// block returns the next block if it is of a kind that is read, and otherwise
// skips it and returns nil. A section header is consumed here.
func (p *pcapng) block(in *input) (b []byte, kind uint32, err error) {
	h, err := in.peek(8)
	if err != nil {
		return nil, 0, err
	}
	kind = order(h, p.big)
	if kind == ngSection {
		return nil, 0, p.section(in)
	}
	size := order(h[4:], p.big)
	if size < ngOverhead || size%4 != 0 {
		return nil, 0, fmt.Errorf("%w: a block of %d bytes", ErrDamaged, size)
	}
	switch kind {
	case ngInterface, ngEnhanced, ngSimple, ngPacket:
	default:
		return nil, 0, p.skip(in, size)
	}
	if size > inputSize {
		return nil, 0, fmt.Errorf("%w: a block claims %d bytes, more than the %d that one may have", ErrDamaged, size, inputSize)
	}
	if b, err = in.peek(int(size)); err != nil {
		return nil, 0, err
	}
	return b, kind, p.sameLength(b, size)
}

// sameLength compares the two lengths that a block states.
func (p *pcapng) sameLength(b []byte, size uint32) error {
	if again := order(b[size-4:], p.big); again != size {
		return fmt.Errorf("%w: a block's length is %d at its start and %d at its end", ErrDamaged, size, again)
	}
	return nil
}

// skip consumes a block that is not read. The lengths of one that fits the
// buffer are compared: a wrong one would go on in the middle of another block,
// and find packets there that never were.
func (p *pcapng) skip(in *input, size uint32) error {
	if size > inputSmall {
		return in.discard(int64(size))
	}
	b, err := in.peek(int(size))
	if err != nil {
		return err
	}
	if err := p.sameLength(b, size); err != nil {
		return err
	}
	in.advance(int(size))
	return nil
}

// section starts a section: a byte order, and no interfaces yet.
func (p *pcapng) section(in *input) error {
	h, err := in.peek(ngSectionHeader)
	if err != nil {
		return err
	}
	switch {
	case binary.LittleEndian.Uint32(h[8:]) == ngByteOrder:
		p.big = false
	case binary.BigEndian.Uint32(h[8:]) == ngByteOrder:
		p.big = true
	default:
		return fmt.Errorf("%w: a section's byte order mark is %x", ErrDamaged, h[8:12])
	}
	size := order(h[4:], p.big)
	if size < ngSectionHeader || size%4 != 0 {
		return fmt.Errorf("%w: a section header of %d bytes", ErrDamaged, size)
	}
	p.interfaces = p.interfaces[:0]
	return p.skip(in, size)
}

// describe reads an interface description block. One that is too short counts as
// an interface all the same, lest those that follow get wrong numbers.
func (p *pcapng) describe(b []byte) error {
	if len(p.interfaces) == ngMaxInterfaces {
		return fmt.Errorf("%w: more than %d interfaces", ErrDamaged, ngMaxInterfaces)
	}
	if len(b) < 8 {
		p.interfaces = append(p.interfaces, ngClock{link: linkTypeUnknown, resolution: ngMicroseconds})
		return fmt.Errorf("%w: an interface description of %d bytes", ErrDamaged, len(b))
	}
	c := ngClock{link: LinkType(p.u16(b)), snaplen: order(b[4:], p.big), resolution: ngMicroseconds}
	for b = b[8:]; len(b) >= 4; {
		code, size := p.u16(b), int(p.u16(b[2:]))
		b = b[4:]
		if code == ngEndOfOptions || size > len(b) {
			break
		}
		switch {
		case code == ngTSResolution && size >= 1:
			c.resolution = b[0]
		case code == ngTSOffset && size >= 8:
			c.offset = int64(p.u64(b))
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	p.interfaces = append(p.interfaces, c)
	return nil
}

// enhanced reads an enhanced packet block.
func (p *pcapng) enhanced(b []byte, f *Frame) error {
	if len(b) < 20 {
		return fmt.Errorf("%w: a packet block of %d bytes", ErrDamaged, len(b))
	}
	return p.packet(order(b, p.big), b[4:], f)
}

// obsolete reads a packet block of the format's first versions, whose
// interface number has 16 bits.
func (p *pcapng) obsolete(b []byte, f *Frame) error {
	if len(b) < 20 {
		return fmt.Errorf("%w: a packet block of %d bytes", ErrDamaged, len(b))
	}
	return p.packet(uint32(p.u16(b)), b[4:], f)
}

// packet reads what enhanced and obsolete blocks have in common: timestamp,
// lengths, data.
func (p *pcapng) packet(number uint32, b []byte, f *Frame) error {
	if uint64(number) >= uint64(len(p.interfaces)) {
		return fmt.Errorf("%w: a packet of interface %d, of which there are %d", ErrDamaged, number, len(p.interfaces))
	}
	c := &p.interfaces[number]
	captured := order(b[8:], p.big)
	if captured > maxFrame || int(captured) > len(b)-16 {
		return fmt.Errorf("%w: a packet claims %d bytes in a block with room for %d", ErrDamaged, captured, len(b)-16)
	}
	n := 16 + int(captured)
	p.last = c.time(uint64(order(b, p.big))<<32 | uint64(order(b[4:], p.big)))
	f.Time = p.last
	f.Link = c.link
	f.Data = b[16:n:n]
	f.Wire = wireLength(order(b[12:], p.big), int(captured))
	return nil
}

// simple reads a simple packet block: of the first interface, with no time,
// cut to the interface's snaplen.
func (p *pcapng) simple(b []byte, f *Frame) error {
	if len(b) < 4 || len(p.interfaces) == 0 {
		return fmt.Errorf("%w: a simple packet block without interface or length", ErrDamaged)
	}
	c := &p.interfaces[0]
	original := order(b, p.big)
	captured := min(original, uint32(len(b)-4))
	if c.snaplen != 0 {
		captured = min(captured, c.snaplen)
	}
	if captured > maxFrame {
		return fmt.Errorf("%w: a packet of %d bytes, more than the %d that one may have", ErrDamaged, captured, maxFrame)
	}
	n := 4 + int(captured)
	f.Time = p.last
	f.Link = c.link
	f.Data = b[4:n:n]
	f.Wire = wireLength(original, int(captured))
	return nil
}

func (p *pcapng) u16(b []byte) uint16 {
	if p.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (p *pcapng) u64(b []byte) uint64 {
	if p.big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// time converts a timestamp to nanoseconds since 1970. What int64 cannot hold
// becomes the latest or earliest time that it can.
func (c *ngClock) time(ticks uint64) int64 {
	const second = 1_000_000_000
	var high, ns uint64 // 128 bits
	exponent := uint(c.resolution & 0x7f)
	switch {
	case c.resolution&0x80 != 0:
		high, ns = bits.Mul64(ticks, second)
		high, ns = shiftRight(high, ns, exponent)
	case exponent <= 9:
		high, ns = bits.Mul64(ticks, powerOfTen(9-exponent))
	case exponent-9 <= 19:
		ns = ticks / powerOfTen(exponent-9)
	}
	if high != 0 || ns > math.MaxInt64 {
		return math.MaxInt64
	}
	t := int64(ns)
	const limit = math.MaxInt64 / second
	offset := max(-limit, min(limit, c.offset)) * second
	if offset > 0 && t > math.MaxInt64-offset {
		return math.MaxInt64
	}
	return t + offset
}

// powerOfTen returns 10^n, n at most 19.
func powerOfTen(n uint) uint64 {
	power := uint64(1)
	for range n {
		power *= 10
	}
	return power
}

// shiftRight shifts a number of 128 bits right by n, at most 127.
func shiftRight(high, low uint64, n uint) (uint64, uint64) {
	if n >= 64 {
		return 0, high >> (n - 64)
	}
	return high >> n, high<<(64-n) | low>>n
}
