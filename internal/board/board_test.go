package board

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/quant"
)

// TestChangesAddUp has a reader who takes what changes while the sample capture is read
// end with what there is.
func TestChangesAddUp(t *testing.T) {
	network, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := detect.NewNetwork(network)
	if err != nil {
		t.Fatal(err)
	}
	b := &Board{}
	var engine *detect.Engine
	engine, err = detect.NewEngine(detect.Config{Memory: detect.DefaultMemory, Key: featurize.DefaultKey, Threshold: network.Threshold()}, judge, func(e *detect.Event) {
		if e.State == detect.Start {
			e.Name = "named"
		}
		b.Take(e, engine.Evidence())
	})
	if err != nil {
		t.Fatal(err)
	}
	src, err := capture.Open("../../testdata/sample.pcap.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	known, revision, updates := map[string]Incident{}, uint64(0), 0
	read := func() {
		c, _ := b.Since(revision)
		if revision > 0 && c.Full {
			t.Fatal("all anew")
		}
		for _, in := range c.Incidents {
			known[in.Key] = in
			if in.Event.State == detect.Update {
				updates++
			}
		}
		revision = c.Revision
	}
	var frame capture.Frame
	var packet capture.Packet
	for n := 0; src.Next(&frame) == nil; n++ {
		if new(capture.Decoder).Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet) == capture.ReasonOK {
			engine.Add(&packet)
		}
		if n%50 == 0 {
			for _, id := range b.Ongoing() {
				engine.Describe(id, func(e *detect.Event) { b.Take(e, engine.Evidence()) })
			}
			read()
		}
	}
	engine.Close()
	read()
	all, _ := b.Since(0)
	if len(all.Incidents) != 3 || !all.Full || len(known) != 3 || updates < 3 {
		t.Fatalf("%d incidents, %d known, %d updates", len(all.Incidents), len(known), updates)
	}
	for _, in := range all.Incidents {
		if in.Ongoing || in.Event.State != detect.End || in.Event.Name != "named" || in.Picture == 0 || known[in.Key].Picture != in.Picture {
			t.Errorf("%+v", in)
		}
		contacts, err := b.Contacts(in.Key)
		if err != nil || len(contacts) < in.Event.Contacts {
			t.Errorf("%s: %d contacts can be drawn of %d, %v", in.Key, len(contacts), in.Event.Contacts, err)
		}
	}
}

func TestReadersAreWoken(t *testing.T) {
	b := &Board{}
	c, changed := b.Since(0)
	select {
	case <-changed:
		t.Fatal("nothing has changed")
	default:
	}
	b.Add(Sample{Packets: 7})
	<-changed
	if c, _ = b.Since(c.Revision); len(c.Samples) != 1 || c.Samples[0].Packets != 7 {
		t.Errorf("%+v", c)
	}
	if c, _ = b.Since(c.Revision); c.Full || len(c.Samples) != 0 || c.RulesNew {
		t.Errorf("nothing new: %+v", c)
	}
	b.SetRules([]string{"a"})
	if c, _ = b.Since(c.Revision); !c.RulesNew || len(c.Rules) != 1 {
		t.Errorf("rules: %+v", c)
	}
}

func event(i int, state detect.State) *detect.Event {
	a := capture.AddrFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
	return &detect.Event{ID: uint64(i + 1), State: state, Kind: detect.Vertical, Source: a, Prefix: netip.PrefixFrom(a.Netip(), 32), Contacts: i}
}

// nothing is a look at a source that has done nothing.
func nothing(t *testing.T) *detect.Look {
	t.Helper()
	e, err := detect.NewEngine(detect.Config{Memory: detect.MinMemory}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.Evidence()
}

func TestBoardIsBounded(t *testing.T) {
	b, l := &Board{}, nothing(t)
	for i := range 3 * maxIncidents {
		b.Take(event(i, detect.Start), l)
		if i == 7 {
			if err := b.Decide(keyOf(event(3, detect.Start)), Dismissed, "no"); err != nil {
				t.Fatal(err)
			}
		}
		if i == 9 {
			b.Take(event(9, detect.End), l)
		}
		if i == maxIncidents+1 { // two are gone
			for _, k := range []int{3, 9} {
				if _, err := b.Find(keyOf(event(k, detect.Start))); !errors.Is(err, ErrUnknown) {
					t.Errorf("%d, which was closed or had ended, is there: %v", k, err)
				}
			}
			if c, _ := b.Since(uint64(i)); c.Full || len(c.Gone) != 2 {
				t.Errorf("a reader hears of %v", c.Gone)
			}
		}
		b.Add(Sample{At: int64(i)})
	}
	c, _ := b.Since(1)
	if !c.Full || len(c.Incidents) != maxIncidents || len(c.Samples) != maxSamples || c.Incidents[maxIncidents-1].Event.Contacts != 3*maxIncidents-1 {
		t.Errorf("full %v, %d incidents, %d samples", c.Full, len(c.Incidents), len(c.Samples))
	}
	for _, err := range []error{b.Decide("x", Open, ""), func() error { _, err := b.Contacts("x"); return err }()} {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
	}
	if size := unsafe.Sizeof(contact{}); size*maxContacts > 1<<20 {
		t.Errorf("contacts take %d bytes", size*maxContacts)
	}
}

// TestContactsAreBounded has incidents of many contacts: the latest have pictures.
func TestContactsAreBounded(t *testing.T) {
	b, l := &Board{}, nothing(t)
	for i := range 20 {
		b.Take(event(i, detect.Start), l)
		b.incidents[i].contacts, b.incidents[i].Picture = make([]contact, maxDrawn), 1
		b.Take(event(i, detect.End), l)
	}
	total := 0
	for i, in := range b.incidents {
		total += cap(in.contacts)
		if has := in.Picture != 0; has != (i >= 20-maxContacts/maxDrawn) || has != (len(in.contacts) > 0) {
			t.Errorf("incident %d: picture %v, %d contacts", i, has, len(in.contacts))
		}
	}
	if total > maxContacts {
		t.Errorf("%d contacts", total)
	}
}

// TestAFullBoardStaysWithinItsMemory fills a Board with all that it keeps.
func TestAFullBoardStaysWithinItsMemory(t *testing.T) {
	l := nothing(t)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	b := &Board{}
	for i := range 2 * maxIncidents {
		e := event(i, detect.Start)
		e.Name, e.Picture = strings.Repeat("n", 60), strings.Repeat("p", 100)
		e.Members, e.Protocols, e.TopPorts = make([]capture.Addr, 5), make([]capture.Proto, 3), make([]uint16, 10)
		b.Take(e, l)
		b.incidents[len(b.incidents)-1].contacts = make([]contact, maxDrawn/4)
		b.Take(event(i, detect.End), l)
		b.Add(Sample{})
	}
	after := heap()
	if after > before+Memory {
		t.Errorf("it takes %d KiB", (after-before)>>10)
	}
	runtime.KeepAlive(b)
}

func TestWhatIsTaken(t *testing.T) {
	b, l := &Board{}, nothing(t)
	allowed := event(1, detect.Start)
	allowed.Allowed = "a rule"
	b.Take(allowed, l)
	summary := &detect.Event{State: detect.Summary, Time: 5, Folded: &detect.Folded{Started: 9}}
	b.Take(summary, nil)
	e := event(2, detect.Start)
	b.Take(e, l)
	before, _ := b.Since(0)
	e.State = detect.Update
	b.Take(e, l) // as it was
	after, _ := b.Since(0)
	var keys []string
	for _, in := range after.Incidents {
		keys = append(keys, in.Key)
	}
	if got := fmt.Sprint(keys); got != "[s0000000000000005 0000000000000003]" || before.Revision != after.Revision {
		t.Errorf("%s, revisions %d and %d", got, before.Revision, after.Revision)
	}
	if in, err := b.Find("s0000000000000005"); err != nil || in.Ongoing || in.Picture != 0 {
		t.Errorf("the summary: %+v, %v", in, err)
	}
	b.Take(event(4, detect.Start), l)
	b.Take(event(5, detect.Start), l)
	b.Take(event(5, detect.End), l)
	b.Take(e, l)
	if got := b.Ongoing(); !slices.Equal(got, []uint64{5, 3}) {
		t.Errorf("%v go on, the first for longest", got)
	}
}
