package detect

import "edgescan/featurize"

// pool holds the incidents under way and their sketches, both in fixed
// numbers. Nothing in it is allocated after newPool: what it does not use yet
// is address space that the system has not filled.
//
// Incidents are in order of activity, in a ring through number 0, which is
// none: the next of 0 is the one with the latest contact.
type pool struct {
	incidents   []incident
	free        uint32 // through next
	sketches    []sketch
	freeSketch  []uint32
	maxSketches int
}

// sketch counts what the Tracker may forget of a large incident.
type sketch struct{ hosts, ports distinct }

// newPool returns a pool that stays within a number of bytes. Half is for
// incidents, half for the sketches of the larger ones.
func newPool(memory int64) pool {
	const perNumber = 4
	n := memory / 2 / (featurize.Footprint[incident]() + perNumber)
	p := pool{incidents: make([]incident, 1, n+1), maxSketches: int(memory / 2 / (featurize.Footprint[sketch]() + perNumber))}
	p.sketches = make([]sketch, 0, p.maxSketches)
	p.freeSketch = make([]uint32, 0, p.maxSketches)
	return p
}

// take returns the number of an unused incident, empty and the first in order,
// or 0 where all are in use.
func (p *pool) take() uint32 {
	i := p.free
	switch {
	case i != 0:
		p.free = p.incidents[i].next
	case len(p.incidents) < cap(p.incidents):
		i = uint32(len(p.incidents))
		p.incidents = p.incidents[:i+1]
	default:
		return 0
	}
	p.incidents[i] = incident{}
	p.link(i)
	return i
}

// give takes an incident back.
func (p *pool) give(i uint32) {
	p.unlink(i)
	in := &p.incidents[i]
	if in.sketch != 0 {
		p.freeSketch = append(p.freeSketch, in.sketch)
	}
	*in = incident{next: p.free}
	p.free = i
}

// touch makes an incident the first in order.
func (p *pool) touch(i uint32) {
	if p.incidents[0].next != i {
		p.unlink(i)
		p.link(i)
	}
}

func (p *pool) link(i uint32) {
	first := p.incidents[0].next
	p.incidents[i].prev, p.incidents[i].next = 0, first
	p.incidents[first].prev = i
	p.incidents[0].next = i
}

func (p *pool) unlink(i uint32) {
	in := &p.incidents[i]
	p.incidents[in.prev].next = in.next
	p.incidents[in.next].prev = in.prev
}

// takeSketch returns the number of an empty sketch, or 0 where all are in use.
func (p *pool) takeSketch() uint32 {
	if n := len(p.freeSketch); n > 0 {
		s := p.freeSketch[n-1]
		p.freeSketch = p.freeSketch[:n-1]
		p.sketches[s-1] = sketch{}
		return s
	}
	if len(p.sketches) == p.maxSketches {
		return 0
	}
	p.sketches = p.sketches[:len(p.sketches)+1]
	return uint32(len(p.sketches))
}
