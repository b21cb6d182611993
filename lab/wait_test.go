//go:build lab

package lab

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// waitFor waits until ready returns true, and gives up after limit.
func waitFor(t *testing.T, limit time.Duration, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ready(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// hasPacketSocket reports whether somebody in the process's network namespace
// has a packet socket open, which tells that a capture has begun.
func hasPacketSocket(pid int) bool {
	sockets, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/packet", pid))
	return err == nil && strings.Count(string(sockets), "\n") > 1
}
