package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// notifier tells the service manager how things stand (sd_notify(3)); a nil
// one, where there is no manager, tells nobody. It holds a socket that was
// connected before the program gave up what connecting takes.
type notifier struct {
	conn     net.Conn
	watchdog time.Duration // within which to say that all is well; 0: never
}

// openNotifier reaches the manager that the environment names. The environment
// is cleared of it, so that nobody else takes it for theirs.
func openNotifier() (*notifier, error) {
	path, limit, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name)
	}
	if path == "" {
		return nil, nil
	}
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "@") {
		return nil, fmt.Errorf("NOTIFY_SOCKET %q: want a path or @ and a name", path)
	}
	conn, err := net.Dial("unixgram", path) // Go, too, writes abstract names with @
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	n := &notifier{conn: conn}
	if us, err := strconv.ParseInt(limit, 10, 64); err == nil && us > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.watchdog = time.Duration(us) * time.Microsecond
	}
	return n, nil
}

// tell sends lines such as READY=1. Nothing depends on whether it is heard.
func (n *notifier) tell(lines ...string) {
	if n == nil {
		return
	}
	n.conn.SetWriteDeadline(time.Now().Add(time.Second))
	n.conn.Write([]byte(strings.Join(lines, "\n")))
}

// reloading is what the manager is told before the configuration is read anew;
// READY=1 follows when that is done.
func (n *notifier) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err == nil {
		n.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
	}
}

// feed tells the manager at half its interval that all loops turn, as long as
// they do, and how things stand, until ctx ends.
func (n *notifier) feed(ctx context.Context, p *pulse, status func() string) {
	if n == nil {
		return
	}
	const statusInterval = time.Minute
	interval := statusInterval
	if n.watchdog > 0 {
		interval = min(n.watchdog/2, statusInterval)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		lines := []string{"STATUS=" + status()}
		if err := p.check(ctx, max(interval/2, minPulsePatience)); err != nil {
			lines[0] = "STATUS=" + err.Error()
		} else if n.watchdog > 0 {
			lines = append(lines, "WATCHDOG=1")
		}
		if ctx.Err() != nil {
			return
		}
		n.tell(lines...)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
