package detect

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
)

// tally sums up the contacts that the Tracker remembers of an incident. It is
// used again for each report, so that a flood of incidents makes no garbage.
type tally struct {
	contacts int
	all      Shape
	doubtful Shape          // those that are not productive
	news     Shape          // of them, those since the latest event
	since    int64          // when that was
	members  []uint32       // of a group: who tried doubtful contacts, one entry a contact
	known    []capture.Addr // some of them
	protos   [256]int
	ports    []uint16
	top      []portCount
	example  Flow
	shared   int // bits that the destinations of doubtful contacts have in common with the last one
	last     capture.Addr
}

type portCount struct {
	port  uint16
	times int
}

// newTally returns a tally with room for a number of contacts: 126 bytes each,
// host and port in either part of the three Shapes, the port and the member
// once more.
func newTally(contacts int) *tally {
	t := &tally{ports: make([]uint16, 0, contacts), members: make([]uint32, 0, contacts)}
	for _, s := range []*Shape{&t.all, &t.doubtful, &t.news} {
		for _, g := range []*grid{&s.transport, &s.discovery} {
			g.hosts, g.ports = make([]capture.Addr, 0, contacts), make([]uint32, 0, contacts)
		}
	}
	return t
}

// reset empties the tally for another report, of an incident whose latest
// event was at since.
func (t *tally) reset(since int64) {
	t.all.reset()
	t.doubtful.reset()
	t.news.reset()
	t.since, t.members, t.known = since, t.members[:0], nil
	t.contacts, t.protos, t.ports, t.example, t.shared = 0, [256]int{}, t.ports[:0], Flow{}, 0
}

// add takes a contact, and from where it was tried: the zero Addr where that is
// not known.
func (t *tally) add(c *featurize.Contact, from capture.Addr) {
	t.contacts++
	t.protos[c.Proto]++
	t.all.Add(c)
	if c.Proto.HasPorts() {
		t.ports = append(t.ports, c.Port)
	}
	if !c.Productive() {
		t.doubtful.Add(c)
		if c.First > t.since {
			t.news.Add(c)
		}
		if t.doubtful.Contacts() == 1 {
			t.shared = hostBits
		} else {
			t.shared = min(t.shared, commonBits(&t.last, &c.Dst))
		}
		t.last = c.Dst
		t.setExample(c, from)
	}
}

// hostBits is the length of an address, IPv4 or IPv6.
const hostBits = 128

// commonBits returns how many leading bits two addresses have in common.
func commonBits(a, b *capture.Addr) int {
	for i := range a {
		if d := a[i] ^ b[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return hostBits
}

// targets returns the least prefix that holds the destinations of doubtful
// contacts, an invalid one where these are of IPv4 and IPv6.
func (t *tally) targets() netip.Prefix {
	bits := t.shared
	if t.last.Is4() {
		bits -= hostBits - 32
	}
	return netip.PrefixFrom(t.last.Netip(), bits).Masked()
}

// setExample makes a contact the example, unless it would be one that is only
// half known in place of one that is known.
func (t *tally) setExample(c *featurize.Contact, from capture.Addr) {
	if from == (capture.Addr{}) && t.example.Src != from {
		return
	}
	t.example = Flow{Src: from, Dst: c.Dst, SrcPort: c.SrcPort, DstPort: c.Port, Proto: c.Proto}
}

// addMember takes who tried a contact of a group, and returns the address where
// it is known.
func (t *tally) addMember(tr *featurize.Tracker, c *featurize.Contact) (from capture.Addr) {
	if c.Productive() {
		return from
	}
	id, source := tr.Member(c)
	t.members = append(t.members, id)
	if source == 0 {
		return from
	}
	from = tr.Source(source).Addr
	if len(t.known) < maxMembers && !slices.Contains(t.known, from) {
		t.known = append(t.known, from)
	}
	return from
}

func (t *tally) fill(ev *Event) {
	ev.Hosts, ev.Ports = t.all.size()
	slices.Sort(t.members)
	ev.Sources, ev.Members = runs(t.members, nil), t.known
	ev.Kind = t.doubtful.Kind()
	if ev.State == Update && t.news.Contacts() >= minDoubtful {
		ev.Kind = t.news.Kind()
	}
	ev.Example, ev.Targets = t.example.Dst, t.targets()
	if t.example.Src != (capture.Addr{}) {
		ev.Flow = t.example
	}
	ev.Protocols = t.protocols()
	ev.TopPorts = t.topPorts()
}

// protocols returns the protocols, the most frequent first, equals in order.
func (t *tally) protocols() []capture.Proto {
	var found []capture.Proto
	for p, n := range t.protos {
		if n > 0 {
			found = append(found, capture.Proto(p))
		}
	}
	slices.SortStableFunc(found, func(a, b capture.Proto) int { return cmp.Compare(t.protos[b], t.protos[a]) })
	return found
}

// topPorts returns the most contacted ports, the most frequent first, equals
// in order.
func (t *tally) topPorts() []uint16 {
	slices.Sort(t.ports)
	t.top = t.top[:0]
	runs(t.ports, func(port uint16, times int) {
		at, _ := slices.BinarySearchFunc(t.top, times, func(c portCount, times int) int {
			if c.times >= times {
				return -1
			}
			return 1
		})
		if at < maxTopPorts {
			t.top = slices.Insert(t.top[:min(len(t.top), maxTopPorts-1)], at, portCount{port, times})
		}
	})
	ports := make([]uint16, len(t.top))
	for i := range t.top {
		ports[i] = t.top[i].port
	}
	return ports
}
