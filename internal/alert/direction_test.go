package alert

import (
	"strings"
	"testing"
	"time"

	"edgescan/internal/detect"
)

func TestDirectionIsSaidWhereItIsKnown(t *testing.T) {
	var e detect.Event
	for d, want := range map[detect.Direction]string{detect.Undirected: "", detect.Internal: "internal", detect.Outbound: "outbound", detect.Inbound: "inbound", detect.Transit: "transit"} {
		e.Direction = d
		for form, c := range map[string]struct{ text, says, word string }{
			"line":   {Line(e), ", " + want + ", score ", ", " + want},
			"json":   {string(JSON(e)), `"direction":"` + want + `"`, "direction"},
			"syslog": {string(appendRFC5424(nil, e, testHeader())), ` direction="` + want + `"`, "direction"},
		} {
			if want != "" && !strings.Contains(c.text, c.says) || want == "" && form != "line" && strings.Contains(c.text, c.word) {
				t.Errorf("%s of direction %q: %s", form, want, c.text)
			}
		}
	}
	if l := Line(detect.Event{Time: int64(time.Second)}); strings.Contains(l, ", ,") {
		t.Errorf("a line without direction: %s", l)
	}
}

// count is a Sink that counts.
type count int

func (c *count) Alert(detect.Event) error { *c++; return nil }
func (c *count) Close() error             { return nil }

func TestAllowedEventsGoOnlyWhereTheyAreAskedFor(t *testing.T) {
	var all, named count
	fan := Fan{Sinks: []Sink{&all, &named}, Allowed: []Sink{&all}}
	for _, allowed := range []string{"", "because", ""} {
		if err := fan.Alert(detect.Event{Allowed: allowed}); err != nil {
			t.Fatal(err)
		}
	}
	if all != 3 || named != 2 {
		t.Errorf("%d and %d events, want 3 and 2", all, named)
	}
}
