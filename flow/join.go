package flow

import (
	"bytes"
	"cmp"
	"math"
	"time"

	"edgescan/capture"
)

// Hold is how long a Joiner waits for the other half of a connection: exporters
// whose halves expire apart send them within a few seconds.
const Hold = int64(5 * time.Second)

// maxLate is how much older than the latest record one may be. A larger step back
// means that a clock was set, or that another log follows.
const maxLate = int64(2 * time.Hour)

// DefaultHeld is how many flows a Joiner holds by default: 2 MiB.
const DefaultHeld = 8192

// Joiner puts the two records of a connection into one, turns it so that Src is
// who began, and hands flows on in the order in which they began, as far as they
// come within Hold of each other: a log has them in the order in which they ended.
// It holds a fixed number of flows; if more come, the earliest go on without
// waiting. It is pure, as packages featurize and detect are: time comes with
// records.
type Joiner struct {
	emit  func(*Record)
	held  []held
	free  []uint32
	by    map[key]uint32
	heap  []uint32 // of held, the first to go on first
	clock int64    // latest Time
	floor int64    // latest Start that was handed on
	stats JoinStats
}

// JoinStats counts what a Joiner has done.
type JoinStats struct {
	Records uint64 // that came
	Joined  uint64 // of them, those that were put into another
	Early   uint64 // flows handed on before Hold was over, for want of room
}

// held is a flow that waits.
type held struct {
	Record
	due       int64 // when it is its turn, see Record.due
	backStart int64 // of the half from Dst to Src; math.MaxInt64 where there is none
	at        int   // in the heap
}

// key names a connection, whichever way a record of it goes.
type key struct {
	low, high         capture.Addr
	lowPort, highPort uint16 // ICMP: lowPort is the type of the request
	proto             capture.Proto
}

// NewJoiner returns a Joiner of at most n flows that gives them to emit, which must
// not keep them.
func NewJoiner(n int, emit func(*Record)) *Joiner {
	j := &Joiner{
		emit:  emit,
		held:  make([]held, n),
		free:  make([]uint32, n),
		by:    make(map[key]uint32, n),
		heap:  make([]uint32, 0, n),
		clock: math.MinInt64,
		floor: math.MinInt64,
	}
	for i := range j.free {
		j.free[i] = uint32(n - 1 - i)
	}
	return j
}

// Stats returns what was done so far.
func (j *Joiner) Stats() JoinStats { return j.stats }

// Add takes a record, which it does not keep.
func (j *Joiner) Add(r *Record) {
	j.stats.Records++
	if j.clock != math.MinInt64 && r.Time < j.clock-maxLate {
		j.Flush()
		j.clock, j.floor = math.MinInt64, math.MinInt64
	}
	j.Advance(r.Time)
	complete := r.complete()
	var k key
	if !complete {
		k = keyOf(r)
		if i, ok := j.by[k]; ok {
			j.stats.Joined++
			j.join(i, r)
			return
		}
	}
	if len(j.free) == 0 {
		j.stats.Early++
		j.next()
	}
	i := j.free[len(j.free)-1]
	j.free = j.free[:len(j.free)-1]
	h := &j.held[i]
	*h = held{Record: *r, backStart: math.MaxInt64}
	h.Start = min(h.Start, h.Time)
	h.due = r.due()
	if !complete {
		h.Facts &^= Both
		j.by[k] = i
	}
	j.push(i)
}

// complete reports whether r tells both ways, so that there is nothing to join. An
// ICMP error, or a reply alone, belongs to what another record tells.
func (r *Record) complete() bool {
	_, asks := replyTo(r.Proto, r.Type)
	return r.Facts.Has(Both) && (asks || !isICMP(r.Proto))
}

// due returns when it is a record's turn: at its Start, if that is not too far before
// Time. An ICMP error outlasts what it is about, which may have begun in the same
// second.
func (r *Record) due() int64 {
	due := max(min(r.Start, r.Time), r.Time-Hold)
	if _, asks := replyTo(r.Proto, Request(r.Proto, r.Type)); isICMP(r.Proto) && !asks {
		due += Hold
	}
	return due
}

// join adds a record to one that is held of the same connection.
func (j *Joiner) join(i uint32, r *Record) {
	h := &j.held[i]
	start := min(r.Start, r.Time)
	h.Facts &= r.Facts // what both say
	h.State = max(h.State, r.State)
	h.Sampling = max(h.Sampling, r.Sampling)
	if r.Src == h.Src && r.SrcPort == h.SrcPort && (!isICMP(r.Proto) || r.Type == h.Type) {
		h.Out.add(&r.Out)
		h.Back.add(&r.Back)
		h.Start = min(h.Start, start)
	} else {
		h.Out.add(&r.Back)
		h.Back.add(&r.Out)
		h.backStart = min(h.backStart, start)
	}
	if due := r.due(); due < h.due {
		h.due = due
		j.rise(h.at)
	}
}

// Advance moves the clock on without a record.
func (j *Joiner) Advance(now int64) {
	j.clock = max(j.clock, now)
	for len(j.heap) > 0 && j.held[j.heap[0]].due <= j.clock-2*Hold {
		j.next()
	}
}

// Flush hands on everything that is held.
func (j *Joiner) Flush() {
	for len(j.heap) > 0 {
		j.next()
	}
}

// next hands on the flow whose turn it is.
func (j *Joiner) next() {
	i := j.pop()
	h := &j.held[i]
	if !h.Facts.Has(Both) {
		delete(j.by, keyOf(&h.Record))
	}
	j.free = append(j.free, i)
	h.orient()
	if h.Proto == capture.ProtoUDP && h.Back.Packets == 0 && h.State == StateUnknown && j.refused(&h.Record) {
		h.State = StateRefused
	}
	h.Start = max(min(h.Start, h.backStart), j.floor)
	j.floor = h.Start
	j.emit(&h.Record)
}

// refused reports whether the addressee of a datagram has sent ICMP errors to who
// sent it of which none was counted yet, and counts one. They do not tell what
// they quote: of several datagrams, the first is taken to be refused.
func (j *Joiner) refused(r *Record) bool {
	e := Record{Src: r.Dst, Dst: r.Src}
	e.Proto, e.Type, _ = unreachablePort(&r.Src)
	i, ok := j.by[keyOf(&e)]
	if !ok {
		return false
	}
	errors := &j.held[i].Out
	if j.held[i].Src != r.Dst {
		errors = &j.held[i].Back // the hosts sent each other some
	}
	if errors.Packets == 0 {
		return false
	}
	errors.Packets--
	return true
}

// orient turns a flow so that Src is who began, as far as that can be told: who
// sent a SYN alone, who sent a SYN at all, who asked, who sent first, who has the
// port that clients have.
func (h *held) orient() {
	if h.Facts.Has(Oriented) {
		return
	}
	if h.replies() > 0 {
		h.Turn()
		h.Start, h.backStart = h.backStart, h.Start
		if isICMP(h.Proto) {
			h.Type = Request(h.Proto, h.Type)
		}
	}
}

// replies is above 0 where Out is the answer, below where it is not.
func (h *held) replies() int {
	switch {
	case isICMP(h.Proto):
		if Request(h.Proto, h.Type) != h.Type {
			return 1
		}
		return -1
	case h.Proto == capture.ProtoTCP && !h.Facts.Has(NoFlags):
		if c := cmp.Compare(h.Back.begins(), h.Out.begins()); c != 0 {
			return c
		}
	}
	if h.Back.Packets > 0 && h.backStart != math.MaxInt64 {
		if c := cmp.Compare(h.Start, h.backStart); c != 0 {
			return c
		}
	}
	return cmp.Compare(portRank(h.DstPort), portRank(h.SrcPort))
}

// begins ranks the flags of one half of a TCP flow by how sure they are of who
// begins. A SYN with ACK in a single packet is an answer; in several, the client's
// own ACKs may be among them.
func (h *Half) begins() int {
	switch syn, ack := h.Flags&capture.SYN != 0, h.Flags&capture.ACK != 0; {
	case h.Packets == 0:
		return 0
	case syn && !ack:
		return 3
	case syn && h.Packets > 1:
		return 1
	case syn, h.Flags&capture.RST != 0:
		return -1
	case !ack:
		return 2 // FIN, NULL, XMAS
	}
	return 0
}

// portRank is higher for ports that clients take.
func portRank(port uint16) int {
	switch {
	case port < 1024:
		return 0
	case port < 32768:
		return 1
	}
	return 2
}

// keyOf returns what names a record's connection.
func keyOf(r *Record) key {
	k := key{low: r.Src, high: r.Dst, lowPort: r.SrcPort, highPort: r.DstPort, proto: r.Proto}
	if c := bytes.Compare(r.Src[:], r.Dst[:]); c > 0 || c == 0 && r.SrcPort > r.DstPort {
		k.low, k.high, k.lowPort, k.highPort = r.Dst, r.Src, r.DstPort, r.SrcPort
	}
	if isICMP(r.Proto) {
		k.lowPort, k.highPort = uint16(Request(r.Proto, r.Type)), 0
	}
	return k
}

func isICMP(p capture.Proto) bool { return p == capture.ProtoICMP || p == capture.ProtoICMPv6 }

// The heap of those that wait, whose turn is next first; of those due at the same
// time, whose flow began first.

func (j *Joiner) before(a, b uint32) bool {
	x, y := &j.held[a], &j.held[b]
	return cmp.Or(cmp.Compare(x.due, y.due), cmp.Compare(min(x.Start, x.backStart), min(y.Start, y.backStart))) < 0
}

func (j *Joiner) push(i uint32) {
	j.heap = append(j.heap, i)
	j.held[i].at = len(j.heap) - 1
	j.rise(len(j.heap) - 1)
}

func (j *Joiner) pop() uint32 {
	first, last := j.heap[0], len(j.heap)-1
	j.set(0, j.heap[last])
	j.heap = j.heap[:last]
	j.sink()
	return first
}

func (j *Joiner) set(at int, i uint32) {
	j.heap[at] = i
	j.held[i].at = at
}

// rise moves what is at a place to where it belongs, nearer to the first.
func (j *Joiner) rise(at int) {
	i := j.heap[at]
	for at > 0 {
		parent := (at - 1) / 2
		if !j.before(i, j.heap[parent]) {
			break
		}
		j.set(at, j.heap[parent])
		at = parent
	}
	j.set(at, i)
}

// sink moves the first to where it belongs.
func (j *Joiner) sink() {
	if len(j.heap) == 0 {
		return
	}
	i, at := j.heap[0], 0
	for {
		child := 2*at + 1
		if child+1 < len(j.heap) && j.before(j.heap[child+1], j.heap[child]) {
			child++
		}
		if child >= len(j.heap) || !j.before(j.heap[child], i) {
			break
		}
		j.set(at, j.heap[child])
		at = child
	}
	j.set(at, i)
}
