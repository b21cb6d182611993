package featurize

import (
	"slices"
	"strconv"
	"testing"

	"edgescan/capture"
)

// layouts are the default one, a finer one and the coarsest there is.
func layouts() map[string]Layout {
	return map[string]Layout{
		"default":  DefaultLayout(),
		"fine":     {Rows: 64, TCP: Spread{21, 11, 6}, UDP: Spread{8, 6, 4}},
		"coarsest": {Rows: 1, TCP: Spread{1, 1, 1}, UDP: Spread{1, 1, 1}},
	}
}

func TestDefaultLayoutIsThatOfAMap(t *testing.T) {
	l := DefaultLayout()
	if l.Rows != Rows || l.Columns() != Columns || l.Size() != len(Map{}) {
		t.Errorf("%d rows, %d columns, %d values; the map has %d, %d, %d", l.Rows, l.Columns(), l.Size(), Rows, Columns, len(Map{}))
	}
}

// TestEveryContactHasAColumnOfItsGroup checks column against the groups, which
// are what a picture's reader goes by.
func TestEveryContactHasAColumnOfItsGroup(t *testing.T) {
	for name, l := range layouts() {
		var groups []string // of each column
		for _, g := range l.Groups() {
			groups = append(groups, slices.Repeat([]string{g.Name}, g.Width)...)
		}
		if len(groups) != l.Columns() {
			t.Errorf("%s: groups are %d columns wide, the map %d", name, len(groups), l.Columns())
		}
		check := func(proto capture.Proto, port uint16, want string) {
			t.Helper()
			if got := groups[l.column(proto, port)]; got != want {
				t.Errorf("%s: %v port %d is in group %q, want %q", name, proto, port, got, want)
			}
		}
		check(capture.ProtoICMP, 8, "icmp")
		check(capture.ProtoICMPv6, 128, "icmp")
		check(capture.ProtoARP, 0, "arp")
		for proto, text := range map[capture.Proto]string{capture.ProtoTCP: "tcp", capture.ProtoUDP: "udp"} {
			for port := range 1 << 16 {
				check(proto, uint16(port), text+" "+portGroup(text, port))
			}
		}
	}
}

// portGroup names the group of a port.
func portGroup(proto string, port int) string {
	switch {
	case port == 443, port == 80 && proto == "tcp", port == 53 && proto == "udp":
		return strconv.Itoa(port)
	case port < 1024:
		return "<1024"
	case port < 32768:
		return "<32768"
	}
	return "high"
}

// TestFinerMapsShowTheSame draws one scan in every layout.
func TestFinerMapsShowTheSame(t *testing.T) {
	tracker := newTracker(t)
	for i := range 200 {
		p := tcp(int64(i), client, spoofed(i), 40000, 23, syn, 1, 0, 0)
		tracker.Add(&p)
	}
	for name, l := range layouts() {
		m := make([]uint8, l.Size())
		NewBuilder(l).Draw(m, tracker, tracker.findSource(&client), 0, 0)
		rows := 0
		for r := range l.Rows {
			cell := m[(r*l.Columns()+l.column(capture.ProtoTCP, 23))*Channels:]
			if cell[ChannelPending] > 0 {
				rows++
			}
		}
		if rows < l.Rows*9/10 {
			t.Errorf("%s: 200 hosts fill %d of %d rows", name, rows, l.Rows)
		}
	}
}

func TestLevel(t *testing.T) {
	want := map[uint16]uint8{0: 0, 1: 2, 2: 4, 3: 5, 4: 6, 6: 7, 8: 8, 64: 14, 96: 15, 128: 15, 65535: 15}
	for n, v := range want {
		if got := level(n); got != v {
			t.Errorf("level(%d) = %d, want %d", n, got, v)
		}
	}
	for n := uint16(1); n < 1000; n++ {
		if level(n) < level(n-1) {
			t.Errorf("level falls at %d", n)
		}
	}
}

// draw plays packets and draws the client's map in the longest window.
func draw(t *testing.T, packets ...capture.Packet) (*Map, Summary) {
	t.Helper()
	tracker := newTracker(t)
	for i := range packets {
		tracker.Add(&packets[i])
	}
	var m Map
	sum := NewBuilder(DefaultLayout()).Draw(m[:], tracker, tracker.findSource(&client), len(Windows)-1, 0)
	return &m, sum
}

// filled counts the rows and the columns with a mark in a channel.
func filled(m *Map, channel int) (rows, columns int) {
	var byColumn [Columns]bool
	for r := range Rows {
		any := false
		for c := range Columns {
			if m.At(r, c, channel) > 0 {
				any, byColumn[c] = true, true
			}
		}
		if any {
			rows++
		}
	}
	for _, b := range byColumn {
		if b {
			columns++
		}
	}
	return rows, columns
}

func TestAVerticalScanFillsARow(t *testing.T) {
	var packets []capture.Packet
	for port := uint16(1); port <= 100; port++ {
		packets = append(packets, tcp(int64(port), client, server, 40000, port, syn, 1, 0, 0),
			tcp(int64(port), server, client, port, 40000, rstack, 0, 2, 0))
	}
	m, sum := draw(t, packets...)
	if rows, columns := filled(m, ChannelRefused); rows != 1 || columns != 15 {
		t.Errorf("%d rows, %d columns; want one row of 15 columns", rows, columns)
	}
	if sum.Contacts != 100 || sum.Doubtful != 100 {
		t.Errorf("summary %v", sum)
	}
}

func TestAHorizontalScanFillsAColumn(t *testing.T) {
	var packets []capture.Packet
	for i := range 256 {
		packets = append(packets, tcp(int64(i), client, spoofed(i), 40000, 23, syn, 1, 0, 0))
	}
	m, _ := draw(t, append(packets, silence(5000))...)
	if rows, columns := filled(m, ChannelSilent); rows != Rows || columns != 1 {
		t.Errorf("%d rows, %d columns; want %d rows of one column", rows, columns, Rows)
	}
}

func TestWindowsEnd(t *testing.T) {
	tracker := newTracker(t)
	for i := range 4 {
		p := tcp(int64(i)*30_000, client, server, 40000, uint16(i+1), syn, 1, 0, 0)
		tracker.Add(&p)
	}
	b := NewBuilder(DefaultLayout())
	var m Map
	for window, want := range []int{1, 3, 4, 4} {
		if got := b.Draw(m[:], tracker, tracker.findSource(&client), window, 0).Contacts; got != want {
			t.Errorf("window %d: %d contacts, want %d", window, got, want)
		}
	}
}

// TestMapsDoNotDependOnOrder draws the same contacts made in two orders.
func TestMapsDoNotDependOnOrder(t *testing.T) {
	var there, back []capture.Packet
	for i := range 50 {
		there = append(there, tcp(0, client, spoofed(i), 40000, uint16(i*7), syn, 1, 0, 0))
	}
	for i := range there {
		back = append(back, there[len(there)-1-i])
	}
	a, _ := draw(t, there...)
	b, _ := draw(t, back...)
	if *a != *b {
		t.Error("maps differ")
	}
}

func BenchmarkDraw(b *testing.B) {
	tracker := newTracker(b)
	for i := range 64 {
		p := tcp(int64(i), client, spoofed(i), 40000, uint16(i*11), syn, 1, 0, 0)
		tracker.Add(&p)
	}
	builder := NewBuilder(DefaultLayout())
	var m Map
	s := tracker.findSource(&client)
	for b.Loop() {
		builder.Draw(m[:], tracker, s, 0, 0)
	}
}

// TestSurveyCountsWhatDrawDoes compares the two for every window, also for
// contacts that are not drawn.
func TestSurveyCountsWhatDrawDoes(t *testing.T) {
	tracker := newTracker(t)
	for i := range int64(200) {
		p := tcp(i*i*1500, client, spoofed(int(i%150)), 40000, uint16(i%7), syn, 1, 0, 0)
		tracker.Add(&p)
		if i%3 == 0 {
			p = tcp(i*i*1500+1, spoofed(int(i%150)), client, uint16(i%7), 40000, syn|ack, 1, 2, 0)
			tracker.Add(&p)
		}
	}
	s := tracker.findSource(&client)
	tracker.contacts[tracker.sources[s].contacts.head].marks |= markExpired
	b := NewBuilder(DefaultLayout())
	m := make([]uint8, len(Map{}))
	for _, since := range []int64{0, tracker.Now() - Windows[3]} {
		survey := tracker.Survey(s, since)
		for window := range Windows {
			want := b.Draw(m, tracker, s, window, since)
			if got := survey.Extend(tracker, window); got != want {
				t.Errorf("window %d since %d: %+v, drawn %+v", window, since, got, want)
			}
		}
	}
}
