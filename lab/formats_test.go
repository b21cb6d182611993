//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabFormats has a confined edgescan write what real nmap does as ECS to its
// file, and as CEF to a real rsyslogd, by its socket and by UDP.
func TestLabFormats(t *testing.T) {
	needRoot(t, "nmap", "rsyslogd")
	n := newNetwork(t)
	serve(n.join(wan, "server", serverNumbers()...))
	scanner := n.join(lan, "scanner", firstScanner)
	public, logs := publicFolder(t), t.TempDir()
	socket := filepath.Join(public, "log")
	runRsyslog(t, n.gateway, logs, socket)
	edgescan := watch(t, n.gateway, build(t), "--json-format", "ecs", "--syslog-format", "cef",
		"--syslog", "unix://"+socket, "--syslog", fmt.Sprintf("udp://127.0.0.1:%d", syslogPort))
	checkConfined(t, edgescan, `[1-9]\d*`)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	nmap(ctx, t, scanner, "-sS", "-Pn", "--top-ports", "100", "10.60.0.5")

	start := func(line string) bool {
		return strings.Contains(line, "CEF:0|edgescan|edgescan|") && strings.Contains(line, "|scan-vertical|vertical scan|5|rt=") &&
			strings.Contains(line, " act=scan-start ") && strings.Contains(line, " src="+scanner.addr+" ") && strings.Contains(line, " msg=scan start "+scanner.addr+" ")
	}
	waitFor(t, 20*time.Second, "the start in CEF, twice", func() bool {
		messages, _ := os.ReadFile(filepath.Join(logs, "messages"))
		found := 0
		for line := range strings.Lines(string(messages)) {
			if start(line) {
				found++
			}
		}
		return found == 2
	})
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	checkECS(t, edgescan.json, scanner.addr)
}

// checkECS wants lines of ECS alone, that src began to scan among them.
func checkECS(t *testing.T, path, src string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for line := range strings.Lines(string(file)) {
		var e struct {
			Event  struct{ Kind, Action string }
			Source struct{ IP string }
			Rule   struct{ ID string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Event.Kind != "alert" {
			t.Errorf("%v in %q", err, line)
		}
		found = found || e.Event.Action == "scan-start" && e.Source.IP == src && e.Rule.ID == "scan-vertical"
	}
	if !found {
		t.Errorf("no start of %s in %s", src, file)
	}
}
