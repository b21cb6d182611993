//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// receiverConfig takes TCP, in the clear and by TLS.
const receiverConfig = `
global(workDirectory=%[1]q defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/server.pem" defaultNetstreamDriverKeyFile="%[1]s/server.key")
module(load="imtcp" StreamDriver.Name=%[2]q StreamDriver.Mode="%[3]d" StreamDriver.AuthMode="anon")
input(type="imtcp" address="127.0.0.1" port="%[4]d")
action(type="omfile" file="%[1]s/messages" template="RSYSLOG_SyslogProtocol23Format")
`

// TestLabDelivery lets the receiver be away while a scan is found, by edgescan as it
// ships: confined, and started anew in between.
func TestLabDelivery(t *testing.T) {
	needRoot(t, "nmap", "rsyslogd", "openssl")
	binary := build(t)
	for _, test := range []struct {
		scheme, driver string
		mode           int
	}{{"tcp", "ptcp", 0}, {"tls", "gtls", 1}} {
		t.Run(test.scheme, func(t *testing.T) {
			if found, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_" + test.driver + ".so"); len(found) == 0 {
				t.Skip("rsyslogd has no TLS (Debian: apt-get install rsyslog-gnutls)")
			}
			n := newNetwork(t)
			n.join(wan, "server", 5)
			first, second, third := n.join(lan, "first", firstScanner), n.join(lan, "second", firstScanner+1), n.join(lan, "third", firstScanner+2)
			logs, public := t.TempDir(), publicFolder(t)
			certificates(t, logs)
			config := filepath.Join(logs, "rsyslog.conf")
			if err := os.WriteFile(config, fmt.Appendf(nil, receiverConfig, logs, test.driver, test.mode, syslogPort), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"--user", fmt.Sprint(ordinary), "--syslog", fmt.Sprintf("%s://localhost:%d", test.scheme, syslogPort), "--spool", filepath.Join(public, "spool")}
			if test.scheme == "tls" {
				args = append(args, "--syslog-ca", filepath.Join(logs, "ca.pem"))
			}
			stop := runReceiver(t, n.gateway, config)
			edgescan := watch(t, n.gateway, binary, args...)
			checkConfined(t, edgescan, fmt.Sprint(ordinary))
			expectScan(t, edgescan, first, logs)
			stop()
			findScan(t, edgescan, second)
			if code := edgescan.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit code %d after SIGTERM, want 0", code)
			}
			for _, want := range []string{"receiver away", "left in the spool", "undelivered_alerts=0"} {
				if !strings.Contains(edgescan.stderr.String(), want) {
					t.Errorf("no %q in what edgescan said", want)
				}
			}

			edgescan = watch(t, n.gateway, binary, args...)
			checkConfined(t, edgescan, fmt.Sprint(ordinary))
			runReceiver(t, n.gateway, config)
			expectLine(t, logs, second)
			expectScan(t, edgescan, third, logs)
			if code := edgescan.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit code %d after SIGTERM, want 0", code)
			}
			expectLine(t, logs, third)
			messages, err := os.ReadFile(filepath.Join(logs, "messages"))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range []*host{first, second, third} {
				if n := strings.Count(string(messages), "start "+h.addr+" "); n != 1 {
					t.Errorf("%d lines tell the start of %s", n, h.addr)
				}
			}
		})
	}
}

// certificates makes an authority and a server's certificate for localhost.
func certificates(t *testing.T, dir string) {
	t.Helper()
	key := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"}
	for _, args := range [][]string{
		append([]string{"req", "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"}, key...),
		append([]string{"req", "-x509", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem"}, key...),
	} {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl: %v\n%s", err, out)
		}
	}
}

// runReceiver runs a daemon on the gateway until stop or the test's end.
func runReceiver(t *testing.T, gateway *host, config string) (stop func()) {
	t.Helper()
	pid := config + ".pid"
	cmd := gateway.command(context.Background(), "rsyslogd", "-n", "-f", config, "-i", pid)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
			os.Remove(pid)
		}
	}
	t.Cleanup(stop)
	waitFor(t, 10*time.Second, "rsyslogd to listen", func() bool {
		sockets, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", cmd.Process.Pid))
		return err == nil && strings.Contains(string(sockets), fmt.Sprintf(":%04X 00000000:0000 0A", syslogPort))
	})
	return stop
}
