// Package explain says why the network takes a source for a scanner, or does not:
// by occlusion (Zeiler and Fergus 2014), parts of its map are emptied one by one,
// and the odds of a scan are compared with those of the whole map.
//
// A map, the contacts that it was drawn of and a network come in, an Explanation goes
// out, the same for the same.
package explain

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/picture"
	"edgescan/quant"
)

// Explanation is what parts of a map do to the odds of a scan. All odds are
// logarithms, in nats; the effect of a part is by how much they fall without it,
// less than 0 where they rise.
type Explanation struct {
	Odds     float64
	Classes  []float64 // probability of each of the network's classes, 0 to 1
	Cells    [featurize.Rows * featurize.Columns]float64
	Rows     []Part // the occupied ones, those with the largest effect in either direction first
	Columns  []Part
	Outcomes []Part
}

// Part is a row, column or colour of a map, and the contacts in it.
type Part struct {
	Index    int // of the row, column or channel
	Effect   float64
	Contacts []picture.Contact
}

// Explain explains what a network makes of a map. key is that of the Tracker whose
// map it is. It fails where the map is not one for the network.
func Explain(n *quant.Network, key featurize.Key, m *featurize.Map, contacts []picture.Contact) (*Explanation, error) {
	o := &occluder{net: n, scratch: n.NewScratch(), logits: make([]int32, n.Arch().Classes())}
	x := &Explanation{Odds: o.odds(m)}
	x.Classes = softmax(o.logits)
	placed := place(key, contacts)
	for row := range featurize.Rows {
		for column := range featurize.Columns {
			if i := row*featurize.Columns + column; occupied(m, i) {
				x.Cells[i] = x.Odds - o.without(m, func(at value) bool { return at.row == row && at.column == column })
			}
		}
	}
	x.Rows = o.parts(x.Odds, m, placed, featurize.Rows, func(at value) int { return at.row })
	x.Columns = o.parts(x.Odds, m, placed, featurize.Columns, func(at value) int { return at.column })
	x.Outcomes = o.parts(x.Odds, m, placed, featurize.ChannelPending+1, func(at value) int { return at.channel })
	return x, o.err
}

// value is where a map has one.
type value struct{ row, column, channel int }

// placedContact is a contact and the value that counts it.
type placedContact struct {
	picture.Contact
	at value
}

// place finds the contacts on the map of a Tracker with a key.
func place(key featurize.Key, contacts []picture.Contact) []placedContact {
	layout := featurize.DefaultLayout()
	placed := make([]placedContact, len(contacts))
	for i, c := range contacts {
		dst := capture.AddrFrom(c.Host)
		row, column := layout.Place(key, &dst, c.Proto, c.Port)
		placed[i] = placedContact{c, value{row, column, c.Channel}}
	}
	return placed
}

// occluder runs a network on maps of which parts are missing.
type occluder struct {
	net     *quant.Network
	scratch *quant.Scratch
	logits  []int32
	partial featurize.Map
	err     error // the first
}

// odds returns the logarithm of the odds of a scan of any kind.
func (o *occluder) odds(m *featurize.Map) float64 {
	if err := o.net.Run(o.logits, m[:], o.scratch); err != nil && o.err == nil {
		o.err = err
	}
	return logSum(o.logits[1:]) - float64(o.logits[0])/quant.LogitScale
}

// without returns the odds of a map without the values that gone says.
func (o *occluder) without(m *featurize.Map, gone func(value) bool) float64 {
	o.partial = *m
	for i := range o.partial {
		cell, channel := i/featurize.Channels, i%featurize.Channels
		if channel != featurize.ChannelWindow && gone(value{cell / featurize.Columns, cell % featurize.Columns, channel}) {
			o.partial[i] = 0
		}
	}
	return o.odds(&o.partial)
}

// parts returns the effect of each of n parts of a map that hold contacts. partOf says
// to which a value belongs.
func (o *occluder) parts(odds float64, m *featurize.Map, contacts []placedContact, n int, partOf func(value) int) (parts []Part) {
	held := make([][]picture.Contact, n)
	for _, c := range contacts {
		i := partOf(c.at)
		held[i] = append(held[i], c.Contact)
	}
	for i := range n {
		if len(held[i]) > 0 {
			parts = append(parts, Part{i, odds - o.without(m, func(at value) bool { return partOf(at) == i }), held[i]})
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)) })
	return parts
}

// occupied reports whether a cell counts any contact.
func occupied(m *featurize.Map, cell int) bool {
	for k := range featurize.ChannelPending + 1 {
		if m[cell*featurize.Channels+k] > 0 {
			return true
		}
	}
	return false
}

// logSum returns the logarithm of the sum of the exponentials of logits, in nats.
func logSum(logits []int32) float64 {
	largest := float64(slices.Max(logits)) / quant.LogitScale
	var sum float64
	for _, l := range logits {
		sum += math.Exp(float64(l)/quant.LogitScale - largest)
	}
	return largest + math.Log(sum)
}

// softmax returns the probabilities of logits.
func softmax(logits []int32) (p []float64) {
	all := logSum(logits)
	for _, l := range logits {
		p = append(p, math.Exp(float64(l)/quant.LogitScale-all))
	}
	return p
}

// Hosts returns the hosts of a part, each once, in the order of their addresses.
func (p *Part) Hosts() []netip.Addr {
	hosts := make([]netip.Addr, len(p.Contacts))
	for i, c := range p.Contacts {
		hosts[i] = c.Host
	}
	slices.SortFunc(hosts, netip.Addr.Compare)
	return slices.Compact(hosts)
}

// Ports returns the ports of a part, each once, in their order: of TCP and UDP those
// of the destination, of other protocols 0.
func (p *Part) Ports() []Port {
	ports := make([]Port, len(p.Contacts))
	for i, c := range p.Contacts {
		if ports[i].Proto = c.Proto; c.Proto.HasPorts() {
			ports[i].Number = c.Port
		}
	}
	slices.SortFunc(ports, func(a, b Port) int { return cmp.Or(cmp.Compare(a.Proto, b.Proto), cmp.Compare(a.Number, b.Number)) })
	return slices.Compact(ports)
}

// Port is a port of a protocol.
type Port struct {
	Proto  capture.Proto
	Number uint16
}
