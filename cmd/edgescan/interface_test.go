package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
)

// TestDropWarnings has one drop after another: the first is told at once, the
// others are summed up until a minute is over.
func TestDropWarnings(t *testing.T) {
	var out bytes.Buffer
	report := &interfaceLog{log: zerolog.New(&out)}
	l := ringLog{to: report}
	var stats capture.Stats
	asked := 0
	ask := func() capture.Stats { asked++; return stats }
	second := time.Second.Nanoseconds()
	now := 1_800_000_000 * second
	l.drops(now, ask)
	for range 10 {
		stats.Dropped += 5
		now += second
		for range 1000 {
			l.drops(now, ask)
		}
	}
	if asked != 11 {
		t.Errorf("the kernel was asked %d times in 10 seconds", asked)
	}
	now -= 3600 * second // the clock is put back
	report.warned = report.warned.Add(-warnInterval)
	l.drops(now, ask)
	l.drops(now+second, ask)
	want := []string{`"drops":5,`, `"drops":45,`}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("want %d lines:\n%s", len(want), &out)
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) {
			t.Errorf("no %s in %s", want[i], line)
		}
	}
	if n := testing.AllocsPerRun(1000, func() { l.drops(now, ask) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// TestDropWarningsOfRings has two rings lose packets: one warning tells of both,
// a minute later.
func TestDropWarningsOfRings(t *testing.T) {
	var out bytes.Buffer
	report := &interfaceLog{log: zerolog.New(&out)}
	rings := [2]ringLog{{to: report}, {to: report}}
	now := time.Now().UnixNano()
	for second := range int64(5) {
		for i := range rings {
			dropped := uint64(10*i+1) * uint64(second+1)
			rings[i].drops(now+second*time.Second.Nanoseconds(), func() capture.Stats { return capture.Stats{Dropped: dropped} })
		}
	}
	report.warned = report.warned.Add(-warnInterval)
	rings[0].drops(now+time.Minute.Nanoseconds(), func() capture.Stats { return capture.Stats{Dropped: 5} })
	if got, want := strings.Count(out.String(), "\n"), 2; got != want || !strings.Contains(out.String(), `"drops":1,`) || !strings.Contains(out.String(), `"drops":59,`) {
		t.Errorf("want 1 drop told, then 59:\n%s", &out)
	}
}
