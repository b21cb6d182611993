package netflow

import (
	"net/netip"
	"slices"
	"unsafe"

	goflow "github.com/netsampler/goflow2/v2/decoders/netflow"

	"edgescan/capture"
)

// Bounds on what is remembered. Templates of real exporters have up to some sixty
// fields, and an exporter up to some dozens of them.
const (
	DefaultMemory = 1 << 20 // bytes, of all exporters together

	maxTemplates = 128 // of one domain
	maxFields    = 512 // of one template
	maxSamplers  = 16  // of one domain

	// perEntry is what an entry of a map costs besides key and value, with what
	// is free in it.
	perEntry = 48
)

// proven is from how many datagrams of records on an exporter is known to be one:
// it is no longer pushed out by others that come.
const proven = 4

// stale is after how long without a datagram a proven exporter can be pushed out
// all the same, nanoseconds.
const stale = int64(3600e9)

// domainKey names what numbers templates and datagrams: an observation domain of
// one exporter.
type domainKey struct {
	exporter netip.Addr
	agent    capture.Addr // sFlow
	id       uint32
	version  uint16
}

// domain is what is remembered of one of them.
type domain struct {
	key       domainKey
	before    *domain // in its queue, used longer ago
	after     *domain
	used      int64 // time of its last datagram
	records   int   // datagrams that had records, up to proven
	size      int   // bytes, with everything in it
	templates map[uint16]*template
	samplers  []sampler
	sampling  uint32 // of records that name no sampler
	sequence  sequence
	initTime  int64 // when its system came up by its own clock, milliseconds; 0 where not told
	ahead     int64 // nanoseconds from its clock to ours
	clocked   bool  // ahead is known
	flagged   bool  // it has told of some TCP flags
}

// sampler is how one of a domain's samplers samples.
type sampler struct {
	id   uint64
	rate uint32 // one packet in so many
}

// template is how the records of one set are read.
type template struct {
	fields  []field
	used    int64 // time of the last datagram with records of it
	least   int   // bytes of a record, at least
	options bool  // its records are of the exporter, not of flows
}

const (
	domainSize   = int(unsafe.Sizeof(domain{})+unsafe.Sizeof(domainKey{})) + perEntry + 256 // with its first map
	templateSize = int(unsafe.Sizeof(template{})) + perEntry
	fieldSize    = int(unsafe.Sizeof(field{}))
	samplerSize  = int(unsafe.Sizeof(sampler{}))
)

// memory holds the domains within a number of bytes.
type memory struct {
	limit   int
	size    int
	domains map[domainKey]*domain
	// Queues, least recently used first: of those that may be pushed out by any
	// other, and of those that are proven.
	fresh, kept queue
	evicted     uint64 // domains and templates that were pushed out, or found no room
}

// queue is a list of domains.
type queue struct{ first, last *domain }

func (q *queue) add(d *domain) {
	d.before, d.after = q.last, nil
	if q.last == nil {
		q.first = d
	} else {
		q.last.after = d
	}
	q.last = d
}

func (q *queue) remove(d *domain) {
	if d.before == nil {
		q.first = d.after
	} else {
		d.before.after = d.after
	}
	if d.after == nil {
		q.last = d.before
	} else {
		d.after.before = d.before
	}
}

// domain returns the domain of a datagram that came at a time, and nil if there is
// no room for it.
func (m *memory) domain(k domainKey, at int64) *domain {
	if d := m.domains[k]; d != nil {
		d.used = max(d.used, at)
		m.queue(d).remove(d)
		m.queue(d).add(d)
		return d
	}
	if !m.room(domainSize, nil, at) {
		return nil
	}
	d := &domain{key: k, used: at, size: domainSize}
	m.size += domainSize
	m.domains[k] = d
	m.fresh.add(d)
	return d
}

// queue returns the one that a domain is in.
func (m *memory) queue(d *domain) *queue {
	if d.records >= proven {
		return &m.kept
	}
	return &m.fresh
}

// prove notes that a datagram of a domain had records.
func (m *memory) prove(d *domain) {
	if d.records >= proven {
		return
	}
	m.queue(d).remove(d)
	d.records++
	m.queue(d).add(d)
}

// room makes room for more bytes, and reports whether it could. It leaves the
// domain spare alone.
func (m *memory) room(more int, spare *domain, now int64) bool {
	for m.size+more > m.limit {
		victim := m.fresh.first
		if victim == spare && victim != nil {
			victim = victim.after
		}
		if victim == nil {
			victim = m.kept.first
			if victim == nil || victim == spare || victim.used > now-stale {
				m.evicted++
				return false
			}
		}
		m.forget(victim)
		m.evicted++
	}
	return true
}

func (m *memory) forget(d *domain) {
	m.queue(d).remove(d)
	delete(m.domains, d.key)
	m.size -= d.size
}

// grow counts bytes to a domain.
func (m *memory) grow(d *domain, bytes int) {
	d.size += bytes
	m.size += bytes
}

// learn keeps a template of a domain, if there is room.
func (m *memory) learn(d *domain, id uint16, t *template, now int64) {
	if old := d.templates[id]; old != nil {
		if slices.Equal(old.fields, t.fields) && old.options == t.options {
			return
		}
		t.used = old.used
		m.unlearn(d, id)
	}
	if len(d.templates) >= maxTemplates && !m.drop(d, now) {
		return
	}
	size := templateSize + cap(t.fields)*fieldSize
	if !m.room(size, d, now) {
		return
	}
	if d.templates == nil {
		d.templates = make(map[uint16]*template)
	}
	d.templates[id] = t
	m.grow(d, size)
}

// drop makes room for a template in a domain that has the most it may have, if one
// of them was not used for long.
func (m *memory) drop(d *domain, now int64) bool {
	m.evicted++
	oldest, since := uint16(0), now-stale
	for id, t := range d.templates {
		if t.used < since || t.used == since && id < oldest {
			oldest, since = id, t.used
		}
	}
	if since == now-stale {
		return false
	}
	m.unlearn(d, oldest)
	return true
}

// unlearn forgets a template that is there.
func (m *memory) unlearn(d *domain, id uint16) {
	m.grow(d, -templateSize-cap(d.templates[id].fields)*fieldSize)
	delete(d.templates, id)
}

// withdraw forgets a template, or all of a kind where its number is that of the
// set that defines them (RFC 7011, 8.1).
func (m *memory) withdraw(d *domain, id uint16, options bool) {
	for known, t := range d.templates {
		if known == id || id < firstTemplate && t.options == options {
			m.unlearn(d, known)
		}
	}
}

// sample keeps how a sampler samples. Of too many, the oldest goes.
func (m *memory) sample(d *domain, s sampler, now int64) {
	for i := range d.samplers {
		if d.samplers[i].id == s.id {
			d.samplers[i].rate = s.rate
			return
		}
	}
	if len(d.samplers) == maxSamplers {
		m.evicted++
		d.samplers = append(d.samplers[:0], d.samplers[1:]...)
	}
	if cap(d.samplers) == 0 {
		if !m.room(maxSamplers*samplerSize, d, now) {
			return
		}
		d.samplers = make([]sampler, 0, maxSamplers)
		m.grow(d, maxSamplers*samplerSize)
	}
	d.samplers = append(d.samplers, s)
}

// rate returns one packet in how many a sampler looks at.
func (d *domain) rate(id uint64, told bool) uint32 {
	if told {
		for i := range d.samplers {
			if d.samplers[i].id == id {
				return d.samplers[i].rate
			}
		}
	}
	return d.sampling
}

// firstTemplate is the lowest number of a template.
const firstTemplate = 256

// compile turns a template into what is read of it, or returns nil if no record
// can be read by it.
func compile(version uint16, scopes, fields []goflow.Field, options bool) *template {
	if len(scopes)+len(fields) > maxFields {
		return nil
	}
	t := &template{options: options}
	compact := make([]field, 0, 24)
	if options && version == 9 {
		// A scope's numbers are not those of fields.
		for _, f := range scopes {
			compact = addField(compact, field{f.Length, skipped})
		}
		scopes = nil
	}
	for _, list := range [...][]goflow.Field{scopes, fields} {
		for _, f := range list {
			compact = addField(compact, field{f.Length, slotFor(version, f)})
		}
	}
	for _, f := range compact {
		if f.length == variable {
			t.least++
		} else {
			t.least += int(f.length)
		}
	}
	if t.least == 0 || t.least >= variable {
		return nil
	}
	t.fields = slices.Clip(slices.Clone(compact))
	return t
}

// slotFor returns where a template's field is kept.
func slotFor(version uint16, f goflow.Field) slot {
	element := f.Type
	if version == 10 {
		element &= 0x7fff // which says that there is an enterprise
	}
	switch {
	case !f.PenProvided:
		return slotOf(element)
	case f.Pen == reversePEN:
		return reverseSlot(element)
	}
	return skipped
}

// addField appends a field, to the one before if both are skipped.
func addField(to []field, f field) []field {
	if f.length == 0 {
		return to
	}
	if n := len(to); n > 0 && f.slot == skipped && to[n-1].slot == skipped &&
		f.length != variable && to[n-1].length != variable && int(f.length)+int(to[n-1].length) < variable {
		to[n-1].length += f.length
		return to
	}
	return append(to, f)
}
