//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// syslogPort is where the gateway's rsyslogd listens, on its loopback.
const syslogPort = 5514

const rsyslogConfig = `
global(workDirectory=%[1]q)
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="%[2]d")
action(type="omfile" file="%[1]s/messages" template="RSYSLOG_SyslogProtocol23Format")
`

// startRsyslog runs a daemon of its own on the gateway and returns the path of
// its log.
func startRsyslog(t *testing.T, gateway *host) (log string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, rsyslogConfig, dir, syslogPort), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := gateway.command(context.Background(), "rsyslogd", "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	waitFor(t, 10*time.Second, "rsyslogd to listen", func() bool {
		sockets, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", cmd.Process.Pid))
		return err == nil && strings.Contains(string(sockets), fmt.Sprintf(":%04X ", syslogPort))
	})
	return filepath.Join(dir, "messages")
}
