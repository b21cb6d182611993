package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestLogToSyslog sends what the program says of itself where alerts go.
func TestLogToSyslog(t *testing.T) {
	for name, test := range map[string]struct {
		to     string
		stderr bool // what was sent is on standard error too
	}{
		"syslog alone": {"syslog", false},
		"both":         {"both", true},
	} {
		t.Run(name, func(t *testing.T) {
			collector, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer collector.Close()
			r := edgescan(t, nil, "run", "-r", sample, "--syslog", "udp://"+collector.LocalAddr().String(), "--log", test.to)
			if r.code != 0 || !strings.Contains(r.stderr, "summary") || strings.Contains(r.stderr, "stopping") != test.stderr {
				t.Errorf("code %d: %s", r.code, r.stderr)
			}
			var lines []string
			buffer := make([]byte, 1<<16)
			for {
				collector.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
				n, _, err := collector.ReadFrom(buffer)
				if err != nil {
					break
				}
				lines = append(lines, string(buffer[:n]))
			}
			if len(lines) != 7 || !strings.HasPrefix(lines[6], "<30>1 ") || !strings.HasSuffix(lines[6], " log - stopping") {
				t.Errorf("six alerts, and that it stops, are not what came:\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}
