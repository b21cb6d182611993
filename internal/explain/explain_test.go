package explain

import (
	"math"
	"net/netip"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
	"edgescan/internal/record"
	"edgescan/quant"
)

// seen returns the shipped network, and what it saw of a source of the sample.
func seen(t *testing.T, source string) (*quant.Network, record.View, []picture.Contact) {
	t.Helper()
	network, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		t.Fatal(err)
	}
	party := record.Host(netip.MustParseAddr(source))
	r := record.New(judge, party)
	engine, err := r.NewEngine(detect.Config{Memory: detect.DefaultMemory, Key: featurize.DefaultKey, Threshold: network.Threshold()}, r.Event)
	if err != nil {
		t.Fatal(err)
	}
	src, err := capture.Open("../../testdata/sample.pcap.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := detect.Replay(engine, src, nil); err != nil {
		t.Fatal(err)
	}
	view := r.Find(party).Best
	return network, view, view.Drawable()
}

func TestTheLineExplainsTheScan(t *testing.T) {
	for _, c := range []struct {
		name, source string
		class        int
		line         func(*Explanation) Part // where the line is
		holds        func(*Part) bool
	}{
		{"vertical", "10.50.0.66", 1, func(x *Explanation) Part { return x.Rows[0] }, func(p *Part) bool {
			return p.Hosts()[0] == netip.MustParseAddr("10.60.0.5") && len(p.Ports()) == 300
		}},
		{"horizontal", "10.50.0.67", 2, func(x *Explanation) Part { return x.Columns[0] }, func(p *Part) bool {
			return len(p.Hosts()) == 64 && len(p.Ports()) == 1 && p.Ports()[0] == Port{capture.ProtoTCP, 23}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			network, view, contacts := seen(t, c.source)
			x, err := Explain(network, featurize.DefaultKey, &view.Map, contacts)
			if err != nil {
				t.Fatal(err)
			}
			if x.Classes[c.class] < 0.9 {
				t.Errorf("classes %v", x.Classes)
			}
			line := c.line(x)
			if !c.holds(&line) || line.Effect < 5 {
				t.Errorf("the line has an effect of %v, with %d hosts and %d ports", line.Effect, len(line.Hosts()), len(line.Ports()))
			}
			if probability := 1 - x.Classes[0]; math.Abs(math.Log(probability/x.Classes[0])-x.Odds) > 1e-6 {
				t.Errorf("odds %v of a probability %v", x.Odds, probability)
			}
		})
	}
}

// TestEveryContactHasItsPart: what is drawn lies where the contacts are said to be.
func TestEveryContactHasItsPart(t *testing.T) {
	network, view, contacts := seen(t, "10.50.0.66")
	x, err := Explain(network, featurize.DefaultKey, &view.Map, contacts)
	if err != nil {
		t.Fatal(err)
	}
	rows, columns, outcomes := map[int]bool{}, map[int]bool{}, map[int]bool{}
	for cell := range featurize.Rows * featurize.Columns {
		if occupied(&view.Map, cell) {
			rows[cell/featurize.Columns], columns[cell%featurize.Columns] = true, true
		} else if x.Cells[cell] != 0 {
			t.Errorf("the empty cell %d has an effect", cell)
		}
		for k := range featurize.ChannelPending + 1 {
			if view.Map[cell*featurize.Channels+k] > 0 {
				outcomes[k] = true
			}
		}
	}
	for name, c := range map[string]struct {
		drawn map[int]bool
		parts []Part
	}{"rows": {rows, x.Rows}, "columns": {columns, x.Columns}, "outcomes": {outcomes, x.Outcomes}} {
		sum := 0
		for _, p := range c.parts {
			sum += len(p.Contacts)
			if !c.drawn[p.Index] {
				t.Errorf("%s: contacts are said to be in %d, where nothing is drawn", name, p.Index)
			}
		}
		if sum != len(contacts) || len(c.parts) != len(c.drawn) {
			t.Errorf("%s: %d of %d contacts in %d of %d parts", name, sum, len(contacts), len(c.parts), len(c.drawn))
		}
	}
}

func TestAnEmptyMapHasNoParts(t *testing.T) {
	network, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	x, err := Explain(network, featurize.DefaultKey, new(featurize.Map), nil)
	if err != nil || len(x.Rows)+len(x.Columns)+len(x.Outcomes) > 0 || x.Odds > 0 {
		t.Errorf("%v, %+v", err, x)
	}
}
