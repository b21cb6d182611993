//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"edgescan/internal/web"
)

// webAddress returns where the live page is.
func (f *follower) webAddress() string {
	f.t.Helper()
	found := regexp.MustCompile(`live page address=(\S+)`).FindStringSubmatch(f.log.String())
	if found == nil {
		f.t.Fatal("does not say where its page is")
	}
	return found[1]
}

// state returns what the page shows.
func (f *follower) state() (m web.Message) {
	f.t.Helper()
	answer, err := (&http.Client{Timeout: 15 * time.Second}).Get(f.webAddress() + "/state")
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&m); err != nil {
		f.t.Fatal(err)
	}
	return m
}

// press presses a button of the page.
func (f *follower) press(path string, form url.Values) (status int) {
	f.t.Helper()
	q, err := http.NewRequest("POST", f.webAddress()+path, strings.NewReader(form.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	q.Header.Set("X-Edgescan", "test")
	answer, err := (&http.Client{Timeout: 15 * time.Second}).Do(q)
	if err != nil {
		f.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestWebRefuses(t *testing.T) {
	folder := t.TempDir()
	short, long := write(t, "short", []byte("secret\n")), write(t, "long", []byte(strings.Repeat("a", maxToken+1)))
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"an address for all without a token": {[]string{"--web", "0.0.0.0:0"}, "it needs|give --web-token FILE"},
		"a token that is short":              {[]string{"--web", ":0", "--web-token", short}, "want 16 to 4096"},
		"a token that is long":               {[]string{"--web", ":0", "--web-token", long}, "want 16 to 4096"},
		"no token":                           {[]string{"--web", ":0", "--web-token", filepath.Join(folder, "none")}, "no such file"},
		"no port":                            {[]string{"--web", "127.0.0.1"}, "want ADDRESS:PORT"},
		"a token for nothing":                {[]string{"--web-token", short}, "go with --web"},
		"rules for nothing":                  {[]string{"--web-rules", short}, "go with --web"},
		"rules that are none":                {[]string{"--web", ":0", "--web-rules", short}, "--web-rules: .*short: line 1: not a rule"},
	} {
		r := edgescan(t, nil, append([]string{"run", "-r", folder, "--follow"}, test.args...)...)
		if r.code != exitUsage || !regexp.MustCompile(test.says).MatchString(r.stderr) {
			t.Errorf("%s: code %d, %s", name, r.code, r.stderr)
		}
	}
	if r := edgescan(t, nil, "run", "-r", sample, "--web", ":0"); r.code != exitUsage || !strings.Contains(r.stderr, "edgescan report") {
		t.Errorf("of a file: code %d, %s", r.code, r.stderr)
	}
	if r := edgescan(t, nil, "run", "-r", folder, "--follow", "--web", ":0", "--web-rules", filepath.Join(folder, "none", "rules")); r.code != exitFailure || !strings.Contains(r.stderr, "--web-rules") {
		t.Errorf("rules in no folder: code %d, %s", r.code, r.stderr)
	}
}

// TestRulesOfThePageHold has rules of a file, made by hand and by a button, hold at once,
// after SIGHUP, and in the next run.
func TestRulesOfThePageHold(t *testing.T) {
	rules := write(t, "rules", []byte("source=10.50.0.66 reason=\"by hand\"\n"))
	settings := "web: 127.0.0.1:0\nweb-rules: " + rules + "\n"
	f := startFollower(t, settings)
	f.capture("sample.pcap", sampleBytes(t))
	f.wait("two scans", func() bool { return len(f.state().Incidents) == 2 })
	m := f.state()
	if len(m.Rules) != 1 || m.About.Rules != rules {
		t.Errorf("rules %q of %s", m.Rules, m.About.Rules)
	}
	arp := m.Incidents[1]
	if status := f.press("/allow", url.Values{"id": {arp.ID}, "reason": {"the monitoring host"}, "wide": {"1"}}); status != 200 {
		t.Fatalf("allowed: status %d", status)
	}
	if m = f.state(); len(m.Rules) != 2 || m.Incidents[1].Verdict != "allowed" {
		t.Errorf("rules %q, %+v", m.Rules, m.Incidents[1])
	}
	if err := os.WriteFile(rules, []byte("source=10.50.0.67 reason=\"by hand\"\n "+arp.Wide+" reason=\"mine\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.hup("configuration read anew")
	if m = f.state(); len(m.Rules) != 2 || m.Rules[1] != arp.Wide+` reason="mine"` {
		t.Errorf("after SIGHUP: rules %q", m.Rules)
	}
	if status := f.press("/disallow", url.Values{"rule": {m.Rules[0]}}); status != 500 {
		t.Errorf("what was written by hand is removed: status %d", status)
	}

	next := startFollower(t, settings)
	next.capture("sample.pcap", sampleBytes(t))
	next.wait("the scan that no rule allows", func() bool { return len(next.state().Incidents) == 1 })
	if in := next.state().Incidents[0]; in.Who != "10.50.0.66" {
		t.Errorf("the next run names %s", in.Who)
	}
	if status := next.press("/disallow", url.Values{"rule": {m.Rules[1]}}); status != 200 || len(next.state().Rules) != 1 {
		t.Errorf("removed: status %d, rules %q", status, next.state().Rules)
	}
}
