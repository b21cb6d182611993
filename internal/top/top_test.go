package top

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"edgescan/internal/web"
)

// FuzzView takes any message of the other end, any picture and any keys, in a terminal of
// any size: what is shown fits into it, and moves no cursor.
func FuzzView(f *testing.F) {
	const message = `{"full":true,"about":{"program":"edgescan","watching":["eth0"]},"incidents":[{"id":"1","who":"10.0.0.9","what":"many","line":"scan","picture":2,"ongoing":true,"wide":"source=10.0.0.9","alert":{"scan":{"kind":"vertical","first_seen":"2026-11-23T07:19:01.129795Z"}}},{"id":"s1","line":"summary","verdict":"dismissed","reason":"x","alert":{}}],"rules":["a"],"rules_changed":true,"samples":[{"time":1000,"packets":7},{"time":1000,"packets":7}],"gone":["2"]}`
	f.Add(message, "\x1b[31mred\x1b[0m\n\x1b[2J", "jkda\tx\tw7 \rq", 80, 24)
	f.Add(`{"incidents":[{"id":"1"}],"gone":["1"]}`, "", "\tjG", 1, 1)
	f.Add(message, "漢字\u202e\n\u0300", "d漢\r", 17, 7)
	f.Fuzz(func(t *testing.T, text, picture, keys string, width, height int) {
		m := newModel(context.Background(), &Client{URL: "http://127.0.0.1:0"}, Options{ASCII: len(keys)%2 == 0})
		m.Update(tea.WindowSizeMsg{Width: 1 + abs(width)%300, Height: 1 + abs(height)%100})
		var taken web.Message
		if json.Unmarshal([]byte(text), &taken) == nil {
			m.Update(&taken)
		}
		m.Update(busiest{list: []web.BusySource{{Address: text, Contacts: width, Outcomes: map[string]int{"silent": height}}}})
		for _, k := range keys[:min(len(keys), 40)] {
			m.Update(tea.KeyPressMsg(keyOf(k)))
			m.Update(drawn{subject: m.subject(), text: cleanLines(picture)})
			checkView(t, m)
		}
		m.Update(lost{errors.New(text)})
		m.Update(pressed{errors.New(picture)})
		checkView(t, m)
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

func keyOf(k rune) tea.Key {
	switch k {
	case '\t':
		return tea.Key{Code: tea.KeyTab}
	case '\r':
		return tea.Key{Code: tea.KeyEnter}
	}
	return tea.Key{Code: k, Text: string(k)}
}

// controls are control characters, C1 too.
var controls = regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f]")

func checkView(t *testing.T, m *model) {
	t.Helper()
	content := m.View().Content
	lines := strings.Split(content, "\n")
	if len(lines) != m.height {
		t.Errorf("%d lines for %d", len(lines), m.height)
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > m.width {
			t.Errorf("%q is %d wide, for %d", line, w, m.width)
		}
	}
	if bare := colours.ReplaceAllString(content, ""); controls.MatchString(bare) {
		t.Errorf("control characters in %q", bare)
	}
}

// TestEndsOfALongerList goes to both ends of a list that is longer than the others.
func TestEndsOfALongerList(t *testing.T) {
	m := newModel(context.Background(), &Client{URL: "http://127.0.0.1:0"}, Options{})
	m.Update(busiest{list: []web.BusySource{{Address: "10.0.0.1"}, {Address: "10.0.0.2"}, {Address: "10.0.0.3"}}})
	m.Update(tea.KeyPressMsg(keyOf('\t')))
	for _, test := range []struct {
		key  rune
		want string
	}{{'G', "10.0.0.3"}, {'g', "10.0.0.1"}} {
		m.Update(tea.KeyPressMsg(keyOf(test.key)))
		if got := m.selected[listSources]; got != test.want {
			t.Errorf("%c selects %q, want %q", test.key, got, test.want)
		}
	}
}
