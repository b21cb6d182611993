package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSpoolOutlivesTheProgram reads the sample while the receiver is away, and
// then something else once it is there: all of the first comes first.
func TestSpoolOutlivesTheProgram(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	args := []string{"run", "-r", sample, "--syslog", "tcp://" + address, "--spool", filepath.Join(t.TempDir(), "spool"), "--syslog-app"}
	r := edgescan(t, nil, append(args, "first")...)
	for _, want := range []string{"receiver away", "left in the spool", "alerts=6", "undelivered_alerts=0"} {
		if r.code != 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("exit code %d, no %q in %s", r.code, want, r.stderr)
		}
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Skip("the port was taken meanwhile:", err)
	}
	defer l.Close()
	received := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			received <- err.Error()
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		all, _ := io.ReadAll(conn)
		received <- string(all)
	}()
	if r = edgescan(t, nil, append(args, "later")...); r.code != 0 || !strings.Contains(r.stderr, "undelivered_alerts=0") || strings.Contains(r.stderr, "left in the spool for") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	all := <-received
	first, later := strings.Count(all, " first "), strings.Count(all, " later ")
	if first != 6 || later != 6 || strings.LastIndex(all, " first ") > strings.Index(all, " later ") {
		t.Error(fmt.Sprintf("%d lines of the first run, %d of the second, want 6 and then 6: ", first, later), all)
	}
}
