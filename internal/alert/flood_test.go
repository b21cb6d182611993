package alert

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// incident returns an event of the incident of a number.
func incident(n int, state detect.State, at time.Duration) *detect.Event {
	e := vertical()
	e.ID, e.State, e.Time = uint64(n+1), state, second+int64(at)
	e.Source = capture.AddrFrom(netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}))
	e.TopPorts = []uint16{23, uint16(1000 + n)}
	return &e
}

// collect has a Flood write to lines and counts what comes.
type collect struct {
	states    map[detect.State]int
	summaries []detect.Folded
	lines     []string
}

func (c *collect) take(e *detect.Event) {
	if c.states == nil {
		c.states = map[detect.State]int{}
	}
	c.states[e.State]++
	if e.Folded != nil {
		c.summaries = append(c.summaries, *e.Folded)
	}
	c.lines = append(c.lines, Line(*e))
}

// TestFloodAddsUp has 500 incidents start within 5 s, go on, and end over
// minutes: whatever is not told by itself is in some summary.
func TestFloodAddsUp(t *testing.T) {
	const all, limit = 500, 30
	var got collect
	f := NewFlood(limit, got.take)
	for n := range all {
		f.Take(incident(n, detect.Start, time.Duration(n)*10*time.Millisecond))
	}
	for n := range all {
		f.Take(incident(n, detect.Update, 2*time.Minute+time.Duration(n)*time.Millisecond))
	}
	for n := range all {
		f.Take(incident(n, detect.End, 5*time.Minute+time.Duration(n)*time.Second))
	}
	f.Close(second + int64(time.Hour))
	if len(f.folded) != 0 {
		t.Errorf("%d incidents are remembered after their end", len(f.folded))
	}
	for _, state := range []detect.State{detect.Start, detect.Update, detect.End} {
		if got.states[state] != limit {
			t.Errorf("%d %s lines, want %d: those that were told to start, and only they, are told to go on and to end", got.states[state], state, limit)
		}
	}
	var sum detect.Folded
	for i, s := range got.summaries {
		sum.Started += s.Started
		sum.Updated += s.Updated
		sum.Ended += s.Ended
		sum.Contacts += s.Contacts
		if s.Ongoing != sum.Started-sum.Ended {
			t.Errorf("summary %d: %d go on, want %d", i, s.Ongoing, sum.Started-sum.Ended)
		}
	}
	if want := all - limit; sum.Started != want || sum.Updated != want || sum.Ended != want || sum.Contacts != want*12 {
		t.Errorf("summaries add up to %+v, want %d of each", sum, want)
	}
	if n := len(got.summaries); n > 13 {
		t.Errorf("%d summaries in 14 minutes", n)
	}
	first := got.summaries[0]
	if first.TopPorts[0] != 23 || len(first.TopPorts) != maxPorts || len(first.Examples) != maxExamples {
		t.Errorf("first summary: %+v", first)
	}
}

// TestFloodPassesOnTheOrdinary: as many as are allowed, minute after minute,
// and what started before there was a Flood.
func TestFloodPassesOnTheOrdinary(t *testing.T) {
	var got collect
	f := NewFlood(3, got.take)
	n := 0
	for minute := range 10 {
		for range 3 {
			f.Take(incident(n, detect.Start, time.Duration(minute)*time.Minute))
			f.Take(incident(n, detect.End, time.Duration(minute)*time.Minute+time.Second))
			n++
		}
	}
	f.Take(incident(9999, detect.Update, time.Hour))
	f.Close(second + int64(2*time.Hour))
	if got.states[detect.Start] != 30 || got.states[detect.End] != 30 || got.states[detect.Update] != 1 || len(got.summaries) != 0 {
		t.Errorf("%v", got.states)
	}
}

// TestFloodTellsInTime: the summary comes with the clock, without an event.
func TestFloodTellsInTime(t *testing.T) {
	var got collect
	f := NewFlood(1, got.take)
	for n := range 3 {
		f.Take(incident(n, detect.Start, 0))
	}
	f.Advance(second + int64(59*time.Second))
	if len(got.summaries) != 0 {
		t.Error("a summary before its time")
	}
	f.Advance(second + int64(time.Minute))
	f.Advance(second + int64(3*time.Minute))
	f.Close(second + int64(3*time.Minute))
	want := "2026-11-23 01:07:02 scan summary: 2 more sources began to scan, such as 198.51.0.1, 198.51.0.2 (2 vertical), most of them on ports telnet 23, 1001, 1002; of those not named 0 ended, 2 go on"
	if len(got.lines) != 2 || got.lines[1] != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got.lines, "\n"), want)
	}
}

// TestFloodClockSetBack goes on when the capture's clock is put back.
func TestFloodClockSetBack(t *testing.T) {
	var got collect
	f := NewFlood(1, got.take)
	for n := range 4 {
		f.Take(incident(n, detect.Start, -time.Duration(n)*time.Hour))
	}
	f.Take(incident(4, detect.Start, -3*time.Hour))
	f.Close(second)
	if got.states[detect.Start] != 4 || len(got.summaries) != 1 || got.summaries[0].Started != 1 {
		t.Errorf("%v, %+v", got.states, got.summaries)
	}
}

// TestFloodSummaryFormats has a summary of the longest values in every format.
func TestFloodSummaryFormats(t *testing.T) {
	long := addr("2001:db8:1111:2222:3333:4444:5555:6666")
	e := flooded()
	e.Folded = &detect.Folded{Started: -1 << 63, Updated: -1 << 63, Ended: -1 << 63, Ongoing: -1 << 63, Contacts: -1 << 63,
		Kinds:    map[detect.Kind]int{detect.Vertical: 1 << 62, detect.Horizontal: 1 << 62, detect.Block: 1 << 62, "evil\n": 1},
		TopPorts: make([]uint16, 1000), Examples: []capture.Addr{long, long, long, long, long}}
	for i := range e.Folded.TopPorts {
		e.Folded.TopPorts[i] = 44818
	}
	e.Folded.Started = 1 << 62
	for name, s := range map[string]string{"Line": Line(e), "JSON": string(JSON(e)), "RFC 3164": string(appendRFC3164(nil, e, testHeader())), "RFC 5424": string(appendRFC5424(nil, e, testHeader())), "CEF": string(appendRFC5424(nil, e, headerOfCEF(t)))} {
		limit := 1180
		if name == "CEF" {
			limit = 1440
		}
		if len(s) > limit || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: %d bytes: %q", name, len(s), s)
		}
	}
	if empty := fmt.Sprint(Line(detect.Event{State: detect.Summary})); !strings.Contains(empty, "scan unknown") {
		t.Errorf("a summary of nothing: %s", empty)
	}
}
