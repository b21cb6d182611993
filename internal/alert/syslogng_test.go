package alert

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const syslogNGConfig = `@version: current
source s { syslog(transport("tcp") ip("127.0.0.1") port(%[2]d)); unix-dgram("%[1]s/log"); };
destination d { file("%[1]s/out" template("${FACILITY}|${PRIORITY}|${PROGRAM}|${PID}|${.SDATA.scan@32473.src_ip}|${MESSAGE}\n")); };
log { source(s); destination(d); };
`

// TestSyslogNG sends by TCP and to a local socket.
func TestSyslogNG(t *testing.T) {
	program, err := exec.LookPath("syslog-ng")
	if err != nil {
		t.Skip("syslog-ng is not installed (Debian: apt-get install syslog-ng-core, which takes rsyslog's place)")
	}
	dir, port := t.TempDir(), freePort(t)
	config := filepath.Join(dir, "conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, syslogNGConfig, dir, port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-F", "-f", config, "-R", filepath.Join(dir, "persist"), "-p", filepath.Join(dir, "pid"), "-c", filepath.Join(dir, "ctl"), "--no-caps")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	send(t, testSyslog(t, "unix://"+filepath.Join(dir, "log"), inMemory), vertical())
	send(t, testSyslog(t, fmt.Sprintf("tcp://127.0.0.1:%d", port), inMemory), block())
	send(t, testCEF(t, "unix://"+filepath.Join(dir, "log")), named())
	send(t, testCEF(t, fmt.Sprintf("tcp://127.0.0.1:%d", port)), prefixScan(), flooded())
	for _, want := range []string{
		"daemon|warning|edgescan|42||" + string(appendCEF(nil, named(), testHeader())),
		"daemon|warning|edgescan|42||" + string(appendCEF(nil, prefixScan(), testHeader())),
		"daemon|warning|edgescan|42||" + string(appendCEF(nil, flooded(), testHeader())),
		"daemon|warning|edgescan|42||" + message(vertical()),
		"daemon|notice|edgescan|42|10.50.0.66|" + message(block()),
	} {
		waitUntil(t, "for "+want, func() bool {
			out, _ := os.ReadFile(filepath.Join(dir, "out"))
			return strings.Contains(string(out), want+"\n")
		})
	}
}
