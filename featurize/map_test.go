package featurize

import (
	"testing"

	"edgescan/capture"
)

func TestColumnGroupsFillTheMap(t *testing.T) {
	sum := 0
	for _, g := range ColumnGroups {
		sum += g.Width
	}
	if sum != Columns {
		t.Errorf("groups are %d columns wide, the map %d", sum, Columns)
	}
}

func TestEveryPortHasAColumnOfItsGroup(t *testing.T) {
	for port := range 1 << 16 {
		for _, proto := range []capture.Proto{capture.ProtoTCP, capture.ProtoUDP} {
			c := column(proto, uint16(port))
			if c < columnTCP || c >= columnICMP || (c >= columnUDP) != (proto == capture.ProtoUDP) {
				t.Fatalf("%v port %d in column %d", proto, port, c)
			}
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
	var b Builder
	var m Map
	sum := b.Draw(&m, tracker, tracker.findSource(&client), len(Windows)-1)
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
	var b Builder
	var m Map
	for window, want := range []int{1, 3, 4, 4} {
		if got := b.Draw(&m, tracker, tracker.findSource(&client), window).Contacts; got != want {
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
	var builder Builder
	var m Map
	s := tracker.findSource(&client)
	for b.Loop() {
		builder.Draw(&m, tracker, s, 0)
	}
}
