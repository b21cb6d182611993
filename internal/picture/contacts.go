package picture

import (
	"cmp"
	"fmt"
	"image"
	"io"
	"net/netip"
	"slices"
	"sort"

	"edgescan/capture"
	"edgescan/featurize"
)

// Contact is one contact of a source, to be drawn.
type Contact struct {
	Host    netip.Addr
	Proto   capture.Proto
	Port    uint16 // TCP and UDP
	Channel int    // of a map, as featurize.Contact says: how it was answered
}

// ContactOf returns what is drawn of a contact that a Tracker knows.
func ContactOf(c *featurize.Contact) Contact {
	return Contact{Host: c.Dst.Netip(), Proto: c.Proto, Port: c.Port, Channel: c.Channel()}
}

// measures say how large the parts of a plot are, in pixels or in letters.
type measures struct {
	width, height int // of all cells at most
	least, most   int // side of a cell
	gap           int // between protocols
	letter        int // width of one
}

var pixels = measures{width: 720, height: 400, least: 3, most: 16, gap: 6, letter: glyphWidth}

// What else a picture in pixels needs to know.
const (
	leastPlot   = 280 // wide
	leastMark   = 5
	minShaped   = 9  // smallest cell in which marks have shapes
	mostLabel   = 22 // letters of a host's or port's label
	columnLabel = 14 // what an upright label takes of the width
)

// Contacts draws what a source touched as a person plots it: hosts down in the order
// of their addresses, ports across in the order of their numbers, protocols beside
// each other, and a mark in the colour and, where there is room, the shape of each
// outcome. Hosts and ports that were not touched have no place, so that a scan is a
// line however far its targets lie apart. Where there are more than fit,
// neighbours share a row or column. Below comes opt.Map, if there is one.
func Contacts(w io.Writer, contacts []Contact, opt Options) error {
	p := newPlot(contacts, pixels)
	labels := p.labels(opt.PortName)
	left, top := margin+labels.X, margin+titleHeight(opt.Title)+titleHeight(opt.Note)+lineHeight
	p.area = image.Rect(0, 0, max(p.span, leastPlot), max(len(p.rows), 1)*p.cell.Y).Add(image.Pt(left, top))
	width := p.area.Max.X + margin + columnLabel
	if opt.Map != nil {
		width = max(width, mapSize(mapCell).X)
	}
	bottom := p.area.Max.Y + labels.Y + margin
	height := bottom + p.entries().height(width)
	below := height
	if opt.Map != nil {
		height += lineHeight + mapSize(mapCell).Y
	}
	c := newCanvas(width, height, opt.Format, fmt.Sprintf("%s: %d contacts with %d hosts on %d ports", opt.Title, len(contacts), p.hosts.n, p.ports))
	c.text(margin, margin, width-2*margin, opt.Title)
	c.text(margin, margin+titleHeight(opt.Title), width-2*margin, opt.Note)
	p.drawRuling(c)
	p.drawMarks(c)
	p.drawLabels(c, opt.PortName)
	p.drawTally(c, bottom)
	if opt.Map != nil {
		c.text(margin, below, width-2*margin, "as the network sees it:")
		c.wholeMap(below+lineHeight, opt.Map, mapCell)
	}
	return c.surface.encode(w)
}

// bins puts n things in order into rows or columns.
type bins struct{ n, bins int }

func newBins(n, most int) bins { return bins{n, min(n, most)} }

// of returns the bin of the ith thing.
func (b bins) of(i int) int { return i * b.bins / b.n }

// first returns the first thing of a bin.
func (b bins) first(bin int) int { return (bin*b.n + b.bins - 1) / b.bins }

// group is the columns of one protocol.
type group struct {
	name   string
	ports  []uint16 // one that stands for all where there are no ports
	ported bool
	bins   bins
	x      int // in the plot
}

// plot is a picture of contacts in the making.
type plot struct {
	measures
	hosts    bins
	rows     []netip.Addr // the first host of each row
	groups   []*group
	ports    int
	span     int // of all groups, from left to right
	cell     image.Point
	area     image.Rectangle
	marks    map[image.Point]*[len(colours)]int // by place in area and row
	contacts [len(colours)]int                  // of each outcome
}

// order is that of protocols from left to right.
func order(p capture.Proto) int {
	return slices.Index([]capture.Proto{capture.ProtoTCP, capture.ProtoUDP, capture.ProtoICMP, capture.ProtoICMPv6, capture.ProtoARP}, p)
}

// newPlot finds a place for every contact.
func newPlot(contacts []Contact, m measures) *plot {
	p := &plot{measures: m, marks: map[image.Point]*[len(colours)]int{}}
	hosts := unique(contacts, func(c Contact) netip.Addr { return c.Host }, netip.Addr.Compare)
	p.hosts = newBins(len(hosts), p.height/p.least)
	for row := range p.hosts.bins {
		p.rows = append(p.rows, hosts[p.hosts.first(row)])
	}
	p.cell.Y = p.cellSize(p.height, p.hosts.bins)
	byProto := map[capture.Proto][]Contact{}
	for _, c := range contacts {
		byProto[c.Proto] = append(byProto[c.Proto], c)
	}
	protocols := unique(contacts, func(c Contact) capture.Proto { return c.Proto }, func(a, b capture.Proto) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a, b))
	})
	columns := 0
	for _, proto := range protocols {
		g := &group{name: proto.String(), ports: []uint16{0}, ported: proto.HasPorts()}
		if g.ported {
			g.ports = unique(byProto[proto], func(c Contact) uint16 { return c.Port }, cmp.Compare)
			p.ports += len(g.ports)
		}
		columns += len(g.ports)
		p.groups = append(p.groups, g)
	}
	p.placeGroups(columns)
	for i, proto := range protocols {
		for _, c := range byProto[proto] {
			p.mark(p.groups[i], hosts, c)
		}
	}
	return p
}

// unique returns the keys of contacts in order, each once.
func unique[K any](contacts []Contact, key func(Contact) K, compare func(a, b K) int) []K {
	keys := make([]K, len(contacts))
	for i, c := range contacts {
		keys[i] = key(c)
	}
	sort.Slice(keys, func(i, j int) bool { return compare(keys[i], keys[j]) < 0 }) // an instance of slices.SortFunc for each K weighs 6 KiB
	return slices.CompactFunc(keys, func(a, b K) bool { return compare(a, b) == 0 })
}

// cellSize divides a length among n cells.
func (m *measures) cellSize(length, n int) int {
	return min(max(length/max(n, 1), m.least), m.most)
}

// placeGroups divides the width among the groups, each by its share of the columns.
func (p *plot) placeGroups(columns int) {
	room := p.width - p.gap*len(p.groups)
	most, total := room/p.least, 0
	for _, g := range p.groups {
		g.bins = newBins(len(g.ports), max(1, min(len(g.ports), most*len(g.ports)/columns)))
		total += g.bins.bins
	}
	p.cell.X = p.cellSize(room, total)
	for _, g := range p.groups {
		g.x = p.span + p.gap
		p.span = g.x + max(g.bins.bins*p.cell.X, p.letter*len(g.name))
	}
	p.span += p.gap
}

// mark counts a contact at its place.
func (p *plot) mark(g *group, hosts []netip.Addr, c Contact) {
	row, _ := slices.BinarySearchFunc(hosts, c.Host, netip.Addr.Compare)
	column := 0
	if g.ported {
		column, _ = slices.BinarySearch(g.ports, c.Port)
	}
	at := image.Pt(g.x+g.bins.of(column)*p.cell.X, p.hosts.of(row))
	if p.marks[at] == nil {
		p.marks[at] = new([len(colours)]int)
	}
	outcome := min(max(c.Channel, 0), len(colours)-1)
	p.marks[at][outcome]++
	p.contacts[outcome]++
}
