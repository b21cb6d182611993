package alert

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"edgescan/internal/detect"
)

// sdID names the structured data element. 32473 is the enterprise number that
// IANA reserves for documentation (RFC 5612): the project has none of its own.
const sdID = "scan@32473"

// Header is what users choose of the lines of syslog, and what ECS tells of the
// observer with it.
type Header struct {
	Facility int                  // 0 to 23 (RFC 5424, 6.2.1)
	Severity map[detect.State]int // 0 to 7, of each state
	Host     string               // as RFC 5424 writes it; - if it is not known
	App      string               // also the tag of RFC 3164
	Version  string               // of the program
	cef      bool                 // in place of the text and its fields
	pid      int
	zone     *time.Location // of RFC 3164, which has local time
}

// NewHeader returns the header that nothing was chosen for. The facility is
// daemon: a scan is no authentication event, and what reads auth.log expects
// lines of login programs. The start of a scan is a warning, for it asks for
// attention; what follows only adds to it.
func NewHeader() Header {
	host, err := os.Hostname()
	if err != nil || !printable(host, maxHost) {
		host = "-"
	}
	return Header{
		Facility: slices.Index(facilities, "daemon"),
		Severity: map[detect.State]int{detect.Start: warning, detect.Update: notice, detect.End: notice},
		Host:     host,
		App:      "edgescan",
		pid:      os.Getpid(),
		zone:     time.Local,
	}
}

// JSONFormats are the names that JSONFormat takes, the default first.
var JSONFormats = []string{"eve", "ecs"}

// JSONFormat returns what writes an event as a JSON object.
func (h Header) JSONFormat(name string) (Format, error) {
	switch name {
	case "eve":
		return JSON, nil
	case "ecs":
		return func(e detect.Event) []byte { return ECS(e, h) }, nil
	}
	return nil, fmt.Errorf("%w: JSON format %q: use %s", ErrHeader, name, strings.Join(JSONFormats, " or "))
}

// ErrHeader is what the errors of Header's Set methods wrap.
var ErrHeader = errors.New("bad syslog header")

// The longest names that RFC 5424 allows in a header, bytes.
const (
	maxHost = 255
	maxApp  = 48
)

// SetHost sets the host name.
func (h *Header) SetHost(name string) error {
	if !printable(name, maxHost) {
		return fmt.Errorf("%w: host name %q: use 1 to %d letters of printable ASCII without space", ErrHeader, name, maxHost)
	}
	h.Host = name
	return nil
}

// SetApp sets the name of the program. Beside what RFC 5424 allows, what ends
// the tag of RFC 3164 is refused.
func (h *Header) SetApp(name string) error {
	if !printable(name, maxApp) || strings.ContainsAny(name, ":[]") {
		return fmt.Errorf("%w: app name %q: use 1 to %d letters of printable ASCII without space, colon and brackets", ErrHeader, name, maxApp)
	}
	h.App = name
	return nil
}

// SyslogFormats are the names that SetFormat takes, the default first.
var SyslogFormats = []string{"text", "cef"}

// SetFormat sets what a line says behind its header.
func (h *Header) SetFormat(name string) error {
	if !slices.Contains(SyslogFormats, name) {
		return fmt.Errorf("%w: format %q: use %s", ErrHeader, name, strings.Join(SyslogFormats, " or "))
	}
	h.cef = name == "cef"
	return nil
}

// SetFacility sets the facility by its name, as daemon or local0.
func (h *Header) SetFacility(name string) error {
	n := slices.Index(facilities, name)
	if n < 0 || name == "" {
		return fmt.Errorf("%w: facility %q: use one of %s", ErrHeader, name, strings.Join(slices.DeleteFunc(slices.Clone(facilities), func(s string) bool { return s == "" }), ", "))
	}
	h.Facility = n
	return nil
}

// SetSeverity sets the severity of a state, both by name, as start and alert.
func (h *Header) SetSeverity(state, severity string) error {
	n := slices.Index(severities, severity)
	if n < 0 {
		return fmt.Errorf("%w: severity %q: use one of %s", ErrHeader, severity, strings.Join(severities, ", "))
	}
	if _, ok := h.Severity[detect.State(state)]; !ok {
		return fmt.Errorf("%w: severity of %q: use start, update or end", ErrHeader, state)
	}
	h.Severity[detect.State(state)] = n
	return nil
}

// facilities are the names of syslog(3) in the order of their numbers; 12 to
// 15 have none that all systems agree upon.
var facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

var severities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

const (
	warning = 4
	notice  = 5
)

func (h Header) priority(s detect.State) int { return h.Facility*8 + h.severity(s) }

// severity returns the severity of a state, 0 to 7.
func (h Header) severity(s detect.State) int {
	if s == detect.Summary {
		s = detect.Start
	}
	severity, ok := h.Severity[s]
	if !ok {
		severity = notice
	}
	return severity
}

// levels are the severities of CEF, and of ECS's events, for those of syslog:
// low to 3, medium to 6, high to 8, very high above.
var levels = [8]int{10, 9, 8, 7, 5, 3, 2, 1}

// appendRFC3164 appends e as local daemons take it from syslog(3): local time
// without a year, no host name, tag and process.
func appendRFC3164(b []byte, e detect.Event, h Header) []byte {
	b = fmt.Appendf(b, "<%d>%s %s[%d]: ", h.priority(e.State),
		time.Unix(0, e.Time).In(h.zone).Format(time.Stamp), h.App, h.pid)
	if h.cef {
		return appendCEF(b, e, h)
	}
	return appendText(b, message(e))
}

// appendRFC5424 appends e with the fields of its JSON as structured data. The
// text is ASCII, so that no byte order mark is due.
func appendRFC5424(b []byte, e detect.Event, h Header) []byte {
	id := "scan"
	if isSummary(e) {
		id = "scan_summary"
	}
	b = fmt.Appendf(b, "<%d>1 %s %s %s %d %s ", h.priority(e.State), timestamp(e.Time), h.Host, h.App, h.pid, id)
	if h.cef {
		return appendCEF(append(b, "- "...), e, h)
	}
	b = append(append(b, '['), sdID...)
	for _, f := range dataFields(&e) {
		b = append(append(append(b, ' '), f.name...), '=')
		b = appendValue(b, textOf(f.value))
	}
	return appendText(append(b, "] "...), message(e))
}

// dataFields are the fields of structured data, in an order of its own.
func dataFields(e *detect.Event) (l fields) {
	if isSummary(*e) {
		return summaryFields(e)
	}
	l.addIncident(e)
	l.add("src_ip", sourceIP(*e))
	l.addFigures(e)
	l.addText("src_name", sourceName(e))
	l.addText("community_id", communityID(e.Flow))
	l.addGroup(e)
	l.addContext(e)
	return l
}

// appendValue appends a value of structured data in quotes, escaped as RFC
// 5424 wants it (6.3.3). Of what packets say nothing else may come into a line,
// so that what is not printable ASCII becomes a question mark.
func appendValue(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range []byte(s) {
		if c == '"' || c == '\\' || c == ']' {
			b = append(b, '\\')
		}
		b = append(b, clean(c))
	}
	return append(b, '"')
}

// appendText appends a message as one line of printable ASCII.
func appendText(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		b = append(b, clean(c))
	}
	return b
}

func clean(c byte) byte {
	if c < ' ' || c > '~' {
		return '?'
	}
	return c
}

// printable reports whether s is 1 to limit bytes as RFC 5424 allows them in a
// header.
func printable(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
}
