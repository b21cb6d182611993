package picture

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextShowsTheLine(t *testing.T) {
	for _, c := range []struct {
		name     string
		contacts []Contact
		want     string
	}{
		{"vertical", ports(12), `
          tcp          arp
10.60.0.1              #
10.60.0.5 oxxxxxxxxxxx
          1  4  7  10
          # productive 1  o answered 1  x refused 11
`},
		{"horizontal", sweep(4), `
          tcp
10.60.0.0 .
10.60.0.3 .
10.60.0.6 .
10.60.0.9 .
          23
          . silent 4
`},
		{"nothing", nil, ""},
	} {
		if got := Text(c.contacts, TextStyle{ASCII: true}); got != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("%s:\n%s", c.name, got)
		}
	}
}

func TestTextFitsATerminal(t *testing.T) {
	for name, contacts := range map[string][]Contact{"vertical": ports(3000), "horizontal": sweep(3000), "every": everyOutcome(), "crowd": crowd(4000)} {
		for _, style := range []TextStyle{{}, {ASCII: true}} {
			lines := strings.Split(strings.TrimSuffix(Text(contacts, style), "\n"), "\n")
			if len(lines) > 12 {
				t.Errorf("%s: %d lines", name, len(lines))
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > 80 {
					t.Errorf("%s: %d letters in %q", name, n, line)
				}
			}
		}
	}
	if text := Text(sweep(3), TextStyle{Colour: true}); !strings.Contains(text, "\x1b[38;5;178m▪\x1b[0m") {
		t.Errorf("without colour: %q", text)
	}
}
