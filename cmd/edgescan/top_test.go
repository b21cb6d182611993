//go:build unix && !device

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tmuxTerminal is a real one, in which tmux runs a command.
type tmuxTerminal struct {
	t      *testing.T
	socket string
}

// openTerminal runs edgescan with arguments in a terminal of 80 columns and 24 lines.
// What is left of it at its end stays to be read.
func openTerminal(t *testing.T, locale string, args ...string) *tmuxTerminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("needs tmux (Debian: tmux)")
	}
	term := &tmuxTerminal{t, filepath.Join(t.TempDir(), "tmux")}
	command := fmt.Sprintf("env %s=1 LC_ALL=%s TERM=xterm-256color %s %s; echo ended with $?; sleep 60", asProgram, locale, os.Args[0], strings.Join(args, " "))
	if out, err := term.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "edgescan", command); err != nil {
		t.Fatalf("tmux: %v, %s", err, out)
	}
	t.Cleanup(func() { term.tmux("kill-server") })
	return term
}

func (term *tmuxTerminal) tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-u", "-S", term.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// keys sends keys by tmux's names of them.
func (term *tmuxTerminal) keys(names ...string) {
	term.t.Helper()
	if out, err := term.tmux(append([]string{"send-keys", "-t", "edgescan"}, names...)...); err != nil {
		term.t.Fatalf("tmux: %v, %s", err, out)
	}
}

// typed types a text, after which comes Enter.
func (term *tmuxTerminal) typed(text string) {
	term.t.Helper()
	term.keys("-l", text)
	term.keys("Enter")
}

func (term *tmuxTerminal) screen() string {
	out, _ := term.tmux("capture-pane", "-p", "-t", "edgescan")
	return out
}

// shows waits until all texts are on the screen.
func (term *tmuxTerminal) shows(texts ...string) {
	term.t.Helper()
	var screen string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		screen = term.screen()
		missing := false
		for _, text := range texts {
			missing = missing || !strings.Contains(screen, text)
		}
		if !missing {
			return
		}
	}
	term.t.Fatalf("waited for %q, the terminal shows\n%s", texts, screen)
}

// TestTopInATerminal drives top in a real terminal, with scans that come while it is open.
func TestTopInATerminal(t *testing.T) {
	token := write(t, "token", []byte("sixteen characters\n"))
	f := startFollower(t, "web: 127.0.0.1:0\nweb-token: "+token+"\n")
	term := openTerminal(t, "C.UTF-8", "top", "--url", f.webAddress(), "--token", token)
	term.shows("no scan goes on", "Nothing scans.", "q quit")
	f.capture("sample.pcap", sampleBytes(t))
	term.shows("3 scans go on", "10.50.0.68", "10.50.0.67", "10.50.0.66", "255 hosts such as", "▪ silent 245", "a allow", "█")
	if lines := strings.Count(term.screen(), "\n"); lines != 24 {
		t.Errorf("%d lines", lines)
	}
	term.keys("j", "j")
	term.shows("> goes on   11-23 07:19  10.50.0.66", "× refused 292")
	term.keys("d")
	term.shows("Reason:")
	term.typed("our own test")
	term.shows("2 scans go on", "Dismissed and allowed (1)")
	term.keys("Tab")
	term.shows("contacts productive answered refused silent odd pending", "> 10.50.0.66            301          1        8     292", "× refused 292")
	term.keys("Down")
	term.shows("> 10.50.0.68")
	term.keys("Tab")
	term.shows("> dismissed", "dismissed: our own test.", "r restore")
	term.keys("r")
	term.shows("Nothing was put aside.")
	term.keys("Tab", "Tab", "a")
	term.shows("w all: source=10.50.0.66")
	term.keys("w")
	term.shows("7 a week")
	term.keys("7")
	term.shows("Reason:")
	term.typed("the monitoring host")
	term.shows("Rules (1)", "Dismissed and allowed (1)")
	term.keys("BTab")
	term.shows("> source=10.50.0.66 until=", "reason=\"the monitoring host\"", "x remove")
	term.keys("x")
	term.shows("There is no rule.", "Rules (0)")
	term.keys("Tab", "d", "Escape", "d")
	term.typed("") // without a reason
	term.shows("400 Bad Request: bad request: reason: it is empty")

	if out, err := term.tmux("resize-window", "-t", "edgescan", "-x", "40", "-y", "8"); err != nil {
		t.Fatal(err, out)
	}
	term.keys("Down")
	term.shows("> goes on   11-23 07:19  10.50.0.67")
	if lines := strings.Count(term.screen(), "\n"); lines != 8 {
		t.Errorf("%d lines of 8", lines)
	}
	if err := f.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	f.cmd.Wait()
	term.shows("connection lost")
	term.keys("q")
	term.shows("ended with 0")
}

// TestTopOfOldTerminals has nothing but ASCII shown where the locale has no more.
func TestTopOfOldTerminals(t *testing.T) {
	f := startFollower(t, "web: 127.0.0.1:0\n")
	f.capture("sample.pcap", sampleBytes(t))
	term := openTerminal(t, "C", "top", "--url", f.webAddress())
	term.shows("3 scans go on", ". silent 245", "--------")
	if i := strings.IndexFunc(term.screen(), func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("more than ASCII: %q", term.screen()[i:])
	}
	term.keys("C-c")
	term.shows("ended with 0")
}

// TestTopDistrusts has another server answer with sequences that move a cursor and set
// a title.
func TestTopDistrusts(t *testing.T) {
	const evil = `\u001b[2J\u001b]0;title\u0007\u009b31m`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, "/incidents/") {
			fmt.Fprint(w, "\x1b[31mred\x1b[0m \x1b[2Jcleared \x1b]0;title\x07 done\n")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"full\":true,\"about\":{\"program\":\"%[1]sprogram\",\"watching\":[\"%[1]s\"]},\"rules_changed\":true,\"rules\":[\"%[1]srule\"],"+
			"\"incidents\":[{\"id\":\"1%[1]s\",\"who\":\"%[1]swho\",\"what\":\"%[1]swhat\",\"line\":\"%[1]sline\",\"picture\":1,\"ongoing\":true,\"wide\":\"%[1]s\",\"alert\":{\"scan\":{\"kind\":\"%[1]skind\"}}}]}\n\n", evil)
		w.(http.Flusher).Flush()
		<-q.Context().Done()
	}))
	defer server.Close()
	term := openTerminal(t, "C.UTF-8", "top", "--url", server.URL)
	term.shows("?[2J?]0;title??31mprogram: 1 scan goes on", "?[2J?]0;title??31mline", "red ?[2Jcleared ?]0;title? done")
	if title, err := term.tmux("display-message", "-p", "-t", "edgescan", "#{pane_title}"); err != nil || strings.TrimSpace(title) != "edgescan" {
		t.Errorf("the title is %q, %v", title, err)
	}
	term.keys("q")
	term.shows("ended with 0")
	server.CloseClientConnections()
}

// TestTopRefuses says what to do where there is nothing to show.
func TestTopRefuses(t *testing.T) {
	token := write(t, "token", []byte("sixteen characters\n"))
	asks := startFollower(t, "web: 127.0.0.1:0\nweb-token: "+token+"\n")
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for name, test := range map[string]struct{ url, says string }{
		"nobody answers":      {nobody.URL, "refused (is 'edgescan run --web' there?)"},
		"without the token":   {asks.webAddress(), "give --token FILE"},
		"another server":      {other.URL, "404 Not Found"},
		"what is no address":  {"127.0.0.1:8469", "want an address as http://"},
		"what is no web page": {"ftp://127.0.0.1", "want an address as http://"},
	} {
		t.Run(name, func(t *testing.T) {
			term := openTerminal(t, "C.UTF-8", "top", "--url", test.url)
			term.shows("ended with")
			if screen := strings.ReplaceAll(term.screen(), "\n", ""); !strings.Contains(screen, test.says) || strings.Contains(screen, "ended with 0") {
				t.Errorf("it says %s", screen)
			}
		})
	}
	if r := edgescan(t, nil, "top"); r.code != exitUsage || !strings.Contains(r.stderr, "needs a terminal") {
		t.Errorf("without a terminal: code %d, %s", r.code, r.stderr)
	}
}
