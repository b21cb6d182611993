package alert

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rsyslogConfig takes messages from a socket and a UDP port, and writes the
// fields that rsyslog's parsers found, one message per line.
const rsyslogConfig = `
global(workDirectory=%[1]q)
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="%[1]s/log" CreatePath="off" UseSysTimeStamp="off")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="%[2]d")
template(name="fields" type="string" string="%%syslogfacility-text%%|%%syslogseverity-text%%|%%programname%%|%%procid%%|%%msgid%%|%%structured-data%%|%%msg%%\n")
action(type="omfile" file="%[1]s/out" template="fields")
`

// startRsyslog runs a daemon of its own in dir and returns its UDP address.
func startRsyslog(t *testing.T, dir string) string {
	t.Helper()
	daemon, err := exec.LookPath("rsyslogd")
	if err != nil {
		if daemon, err = exec.LookPath("/usr/sbin/rsyslogd"); err != nil {
			t.Skip("rsyslogd is not installed (Debian: apt-get install rsyslog)")
		}
	}
	port := freePort(t)
	config := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, rsyslogConfig, dir, port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "-n", "-f", config, "-i", filepath.Join(dir, "pid"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func freePort(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// TestRsyslog sends both headers, with text and with CEF, to a real daemon and
// reads what it made of them.
func TestRsyslog(t *testing.T) {
	dir := t.TempDir()
	address := startRsyslog(t, dir)
	local, remote := testSyslog(t, "unix://"+filepath.Join(dir, "log"), inMemory), testSyslog(t, "udp://"+address, inMemory)
	localCEF, remoteCEF := testCEF(t, "unix://"+filepath.Join(dir, "log")), testCEF(t, "udp://"+address)
	want := []string{
		"daemon|info|edgescan|42|-|-| receiving flows address=[::]:2055",
		"daemon|err|edgescan|42|log|-|configuration not changed error=a?b",
		"daemon|warning|edgescan|42|-|-| " + string(appendCEF(nil, prefixScan(), testHeader())),
		"daemon|warning|edgescan|42|scan|-|" + string(appendCEF(nil, named(), testHeader())),
		"daemon|warning|edgescan|42|scan_summary|-|" + string(appendCEF(nil, flooded(), testHeader())),
		"daemon|warning|edgescan|42|-|-| " + message(vertical()),
		`daemon|notice|edgescan|42|scan|[scan@32473 id="0000000000000007" state="end" kind="block" src_ip="10.50.0.66" score="0.998" ` +
			`first_seen="2026-11-23T01:01:02.841483Z" last_seen="2026-11-23T01:06:02.841483Z" window_s="60" contacts="640" hosts="32" ports="20" answered="3" refused="600" silent="0" odd="37" ` +
			`protocols="tcp,udp" top_ports="22,80,8081" example_dst="10.60.0.5"]|` + message(block()),
	}
	// What is sent before the daemon listens is lost: send again.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		sendErr := errors.Join(local.Alert(vertical()), remote.Alert(block()),
			localCEF.Alert(prefixScan()), remoteCEF.Alert(named()), remoteCEF.Alert(flooded()))
		local.Log(time.Now(), 6, "receiving flows address=[::]:2055")
		remote.Log(time.Now(), 3, "configuration not changed error=a\nb")
		out, _ := os.ReadFile(filepath.Join(dir, "out"))
		if containsAll(string(out), want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("rsyslogd wrote\n%s\nwant\n%s\nlast error: %v", out, strings.Join(want, "\n"), sendErr)
		}
	}
}

func containsAll(s string, lines []string) bool {
	for _, l := range lines {
		if !strings.Contains(s, l+"\n") {
			return false
		}
	}
	return true
}
