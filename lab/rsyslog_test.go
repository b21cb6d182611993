//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// syslogPort is where the gateway's rsyslogd listens, on its loopback.
const syslogPort = 5514

const rsyslogConfig = `
global(workDirectory=%[1]q)
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="%[2]d")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="%[3]s")
action(type="omfile" file="%[1]s/messages" template="RSYSLOG_SyslogProtocol23Format")
`

// startRsyslog runs a daemon of its own on the gateway and returns the path of
// its log.
func startRsyslog(t *testing.T, gateway *host) (log string) {
	t.Helper()
	dir := t.TempDir()
	runRsyslog(t, gateway, dir, filepath.Join(dir, "log"))
	return filepath.Join(dir, "messages")
}

// runRsyslog runs a daemon that keeps its files in dir and listens on socket
// too, until stop is called or the test ends.
func runRsyslog(t *testing.T, gateway *host, dir, socket string) (stop func()) {
	t.Helper()
	config := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, rsyslogConfig, dir, syslogPort, socket), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := gateway.command(context.Background(), "rsyslogd", "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cmd.Process.Kill()
			cmd.Wait()
			os.Remove(filepath.Join(dir, "pid"))
		})
	}
	t.Cleanup(stop)
	waitFor(t, 10*time.Second, "rsyslogd to listen", func() bool {
		sockets, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", cmd.Process.Pid))
		_, unixErr := os.Stat(socket)
		return err == nil && unixErr == nil && strings.Contains(string(sockets), fmt.Sprintf(":%04X ", syslogPort))
	})
	return stop
}
