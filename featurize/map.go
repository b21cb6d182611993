package featurize

import (
	"math/bits"
	"time"

	"edgescan/capture"
)

// The shape of a map.
//
// Rows are destination hosts, by keyed hash: a host keeps its row, maps of
// parts of the traffic merge by adding, and no attacker can choose rows. Order
// among hosts is lost, which a scan does not need: it shows as a filled column
// (one port of many hosts), a filled row (many ports of one host) or both.
//
// Columns are ports, in groups of which each has its own meaning, see
// Layout.Groups. The ports that ordinary clients use most (80, 443, 53) have
// columns of their own; the other well-known ones are spread by their
// remainder, so that a run of ports draws a line without gaps and the
// favourites of scanners fall apart.
//
// Channels are what the contacts came to. A crawler fills a web column, but in
// the channel of contacts that were answered and carried data; a resolver does
// so in the column of port 53; a BitTorrent client with dead peers sprinkles
// dots over rows and columns, since each peer has a port of its own choosing.
// A scan draws its line in the channels of the contacts that failed.
const (
	Rows     = 16
	Columns  = 48
	Channels = 8
)

// MaxValue is the largest value of a cell.
const MaxValue = 15

// The channels of a map. The first six count distinct contacts.
const (
	ChannelProductive = iota // answered and carried data
	ChannelAnswered          // answered, no data (yet)
	ChannelRefused
	ChannelSilent
	ChannelOdd
	ChannelPending
	ChannelRepeats // the attempts of the cell's most repeated contact
	ChannelWindow  // last column only: which window this is
)

// ChannelNames names the channels in order.
var ChannelNames = [Channels]string{"productive", "answered", "refused", "silent", "odd", "pending", "repeats", "window"}

// Fingerprint names everything about maps that a network depends on. A model
// trained for another one is refused.
const Fingerprint = "edgescan-map/3 16x48x8 windows 10,60,600,3600,21600,86400"

// Windows are the spans of time that maps are drawn for, in nanoseconds: from
// a burst to a probe an hour.
var Windows = [...]int64{
	int64(10 * time.Second), int64(time.Minute), int64(10 * time.Minute),
	int64(time.Hour), int64(6 * time.Hour), int64(24 * time.Hour),
}

// Map is a picture of what one source touched in one window, of DefaultLayout,
// row-major with channels last: cell (r, c) of channel k is at (r*Columns+c)*Channels+k. Every
// value is 0 to MaxValue.
type Map [Rows * Columns * Channels]uint8

// At returns one cell of one channel.
func (m *Map) At(row, column, channel int) uint8 {
	return m[(row*Columns+column)*Channels+channel]
}

// Channel returns the channel of a map that counts the contact.
func (c *Contact) Channel() int {
	switch c.Outcome {
	case Answered:
		if c.CarriedData() {
			return ChannelProductive
		}
		return ChannelAnswered
	case Refused:
		return ChannelRefused
	case Silent:
		return ChannelSilent
	case Odd:
		return ChannelOdd
	}
	return ChannelPending
}

// level puts a count on a scale of 2 to MaxValue, two steps for each doubling:
// 1, 2, 3, 4, 6, 8, ... 64, 91 become 2, 4, 5, 6, 7, 8, ... 14, 15. None is 0.
func level(n uint16) uint8 {
	if n == 0 {
		return 0
	}
	e := bits.Len16(n) - 1
	v := 2 + 2*e
	if e > 0 && n>>(e-1)&1 == 1 {
		v++
	}
	return uint8(min(v, MaxValue))
}

// Summary counts what a map shows.
type Summary struct {
	Contacts int   // drawn
	Doubtful int   // of them, those that are not productive
	Oldest   int64 // the earliest of their latest attempts, Tracker's clock
}

// Builder draws maps of one layout. It owns scratch space and is not safe for
// concurrent use.
type Builder struct {
	layout  Layout
	columns int
	counts  []uint16
	touched []int32
}

// NewBuilder returns a Builder of maps of a layout.
func NewBuilder(l Layout) *Builder {
	return &Builder{layout: l, columns: l.Columns(), counts: make([]uint16, l.Size())}
}

// Survey counts what the maps of a source would show, without drawing them. It
// goes through the contacts once for all windows, and is valid until the Tracker
// changes.
type Survey struct {
	sum   Summary
	since int64
	next  uint32
}

// Survey begins a Survey of the source's contacts that were not attempted
// before since.
func (t *Tracker) Survey(source uint32, since int64) Survey {
	return Survey{since: since, next: t.sources[source].contacts.head}
}

// Extend returns the Summary that Draw would for a window, which must not be
// shorter than the one before.
func (s *Survey) Extend(t *Tracker, window int) Summary {
	for since := max(s.since, t.now-Windows[window]); s.next != 0; {
		c := &t.contacts[s.next]
		if c.Last < since {
			break
		}
		s.sum.add(c)
		s.next = c.bySource.next
	}
	return s.sum
}

// add counts a contact, and reports whether it is drawn.
func (s *Summary) add(c *Contact) bool {
	if c.Expired() {
		return false
	}
	s.Contacts++
	s.Oldest = c.Last
	if !c.Productive() {
		s.Doubtful++
	}
	return true
}

// Draw draws the contacts of a source that were attempted within the window
// that ends now, and not before since, into m, which has the layout's Size.
// Contacts that expired on the way are left out. Where a host's contacts are divided
// in two sources (see ApartFunc), the productive ones of the other are drawn as
// well, but not counted: they are what else the host does, without which it looks
// less ordinary than it is.
func (b *Builder) Draw(m []uint8, t *Tracker, source uint32, window int, since int64) Summary {
	var sum Summary
	b.touched = b.touched[:0]
	since = max(since, t.now-Windows[window])
	t.Each(source, since, func(c *Contact) bool {
		if sum.add(c) {
			b.draw(t, c)
		}
		return true
	})
	if twin := t.twin(source); twin != 0 {
		t.Each(twin, since, func(c *Contact) bool {
			if c.Productive() && !c.Expired() {
				b.draw(t, c)
			}
			return true
		})
	}
	clear(m)
	for _, i := range b.touched {
		n := b.counts[i]
		b.counts[i] = 0
		if int(i)%Channels == ChannelRepeats {
			m[i] = level(n) - level(1)
		} else {
			m[i] = level(n)
		}
	}
	for end := b.columns * Channels; end <= len(m); end += b.columns * Channels {
		m[end-Channels+ChannelWindow] = uint8(MaxValue * (window + 1) / len(Windows))
	}
	return sum
}

// Place returns the row and column of a contact on the maps of a Tracker with a key.
func (l *Layout) Place(key Key, dst *capture.Addr, proto capture.Proto, port uint16) (row, column int) {
	return int(key.addr(dst)>>32) & (l.Rows - 1), l.column(proto, port)
}

// draw counts a contact in its cells.
func (b *Builder) draw(t *Tracker, c *Contact) {
	row, column := b.layout.Place(t.key, &c.Dst, c.Proto, c.Port)
	cell := (row*b.columns + column) * Channels
	b.count(cell+c.Channel(), 0)
	b.count(cell+ChannelRepeats, uint16(c.Attempts))
}

// count adds one to a cell, or raises it to at least n where n is not 0.
func (b *Builder) count(i int, n uint16) {
	if b.counts[i] == 0 {
		b.touched = append(b.touched, int32(i))
	}
	if n == 0 {
		n = min(b.counts[i], 0xfffe) + 1
	}
	b.counts[i] = max(b.counts[i], n)
}
