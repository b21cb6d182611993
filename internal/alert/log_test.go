package alert

import (
	"testing"
	"time"

	"edgescan/internal/detect"
)

// TestLogLeavesTheQueueToAlerts has nothing about the program itself wait for a
// receiver that is away.
func TestLogLeavesTheQueueToAlerts(t *testing.T) {
	c := newCollector(t, "127.0.0.1:0")
	address := c.listener.Addr().String()
	c.stop()
	s := testSyslog(t, "tcp://"+address, inMemory)
	send(t, s, numbered(0))
	waitUntil(t, "for the sender to know that nobody listens", s.away.Load)
	for range 1000 {
		s.Log(time.Now(), 6, "it goes on")
	}
	if n := s.Waiting(); n != 1 {
		t.Errorf("%d lines wait, want the alert alone", n)
	}
	newCollector(t, address)
	waitDelivered(t, s)
}

// TestLogIsOfSyslogAlone sends no line about the program to who expects JSON.
func TestLogIsOfSyslogAlone(t *testing.T) {
	s := NewSocketJSON(t.TempDir()+"/nobody", func(detect.Event) []byte { return nil })
	startSender(t, s, inMemory)
	s.Log(time.Now(), 6, "it goes on")
	if n := s.Waiting(); n != 0 {
		t.Errorf("%d lines wait", n)
	}
}
