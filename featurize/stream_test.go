package featurize

import (
	"slices"
	"testing"

	"edgescan/capture"
)

func TestOneWayStreamIsNoProbe(t *testing.T) {
	tracker := newTracker(t)
	for i := range int64(20) {
		p := udp(i*20, client, server, 40000, 20002, 172)
		tracker.Add(&p)
	}
	p := silence(5000)
	tracker.Add(&p)
	if got, want := describe(tracker, client), "udp/20002 answered data"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRetriesAreOneContact(t *testing.T) {
	tracker := newTracker(t)
	for i := range int64(5) {
		p := tcp(i*1000, client, server, 40000+uint16(i), 80, syn, uint32(i), 0, 0)
		tracker.Add(&p)
	}
	all := contactsOf(tracker, client)
	if len(all) != 1 || all[0].Attempts != 5 {
		t.Errorf("%d contacts, %v; want one of five attempts", len(all), all)
	}
}

func TestTime(t *testing.T) {
	const day = 24 * 3600 * 1000
	probe := func(ms int64, port uint16) capture.Packet { return tcp(ms, client, server, 40000, port, syn, 1, 0, 0) }
	cases := []struct {
		name    string
		packets []capture.Packet
		want    string
	}{
		{"equal times", []capture.Packet{probe(0, 1), probe(0, 2)}, "tcp/2 pending, tcp/1 pending"},
		{"slightly out of order", []capture.Packet{probe(500, 1), probe(0, 2)}, "tcp/2 pending, tcp/1 pending"},
		{"back by a day", []capture.Packet{probe(day, 1), probe(0, 2), silence(2500)}, "tcp/2 silent, tcp/1 silent"},
		{"a stray packet from the future", []capture.Packet{probe(0, 1), probe(1000*day, 2), probe(10, 3)}, "tcp/3 pending, tcp/2 pending, tcp/1 silent"},
		{"descending", []capture.Packet{probe(900, 1), probe(600, 2), probe(300, 3), silence(3000)}, "tcp/3 silent, tcp/2 silent, tcp/1 silent"},
		{"forwards by years", []capture.Packet{probe(0, 1), probe(3650*day, 2)}, "tcp/2 pending, tcp/1 silent"},
		{"before 1970", []capture.Packet{probe(-30000*day, 1), probe(0, 2)}, "tcp/2 pending, tcp/1 silent"},
		{"two clocks far apart", slices.Repeat([]capture.Packet{probe(0, 1), probe(30000*day, 2)}, 9), "tcp/1 pending, tcp/2 pending"},
		{"forgotten after an hour", []capture.Packet{probe(0, 1), silence(2 * 3600 * 1000), probe(2*3600*1000, 1)}, "tcp/1 pending"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tracker := newTracker(t)
			for i := range c.packets {
				tracker.Add(&c.packets[i])
			}
			if got := describe(tracker, client); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
