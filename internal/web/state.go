package web

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"edgescan/internal/alert"
	"edgescan/internal/board"
	"edgescan/internal/detect"
	"edgescan/internal/httpd"
	"edgescan/internal/policy"
)

// Message is what changed since the one before, as /events sends it, and what there is,
// as /state tells it. Users script against the names of its JSON.
type Message struct {
	Full      bool       `json:"full"`            // all that there is, in place of what was known before
	About     *About     `json:"about,omitempty"` // with what is full
	Incidents []Incident `json:"incidents"`       // new or changed, in the order in which they began
	Gone      []string   `json:"gone,omitempty"`  // IDs of those that are not shown any more
	Samples   []Sample   `json:"samples"`         // the oldest first
	Rules     []string   `json:"rules,omitempty"` // that were made here, all of them
	RulesNew  bool       `json:"rules_changed"`   // rules are as they are now, else nothing is said of them
}

// Incident is one scan, or, without an alert's scan, a summary of many.
type Incident struct {
	ID      string          `json:"id"`
	Line    string          `json:"line"` // the alert as text
	Who     string          `json:"who,omitempty"`
	What    string          `json:"what,omitempty"`
	Ports   string          `json:"ports,omitempty"`
	Ongoing bool            `json:"ongoing"`
	Verdict board.Verdict   `json:"verdict,omitempty"` // dismissed or allowed
	Reason  string          `json:"reason,omitempty"`
	Picture uint64          `json:"picture,omitempty"` // changes when /incidents/ID.svg does; 0: there is none
	Narrow  []string        `json:"narrow,omitempty"`  // rules that allow just this, without reason and end
	Wide    string          `json:"wide,omitempty"`    // a rule that allows all of the source
	Alert   json.RawMessage `json:"alert"`             // as --json writes it
}

// Sample is how much came within a second or so.
type Sample struct {
	Time    int64  `json:"time"` // milliseconds since 1970
	Packets uint64 `json:"packets"`
	Drops   uint64 `json:"drops"`
	Sources int    `json:"sources"` // that tried something within the last minute
}

// message puts changes into words.
func (s *Server) message(c board.Changes) *Message {
	m := &Message{Full: c.Full, Incidents: []Incident{}, Gone: c.Gone, Samples: []Sample{}, Rules: c.Rules, RulesNew: c.RulesNew}
	if c.Full {
		m.About = &s.About
	}
	for i := range c.Incidents {
		m.Incidents = append(m.Incidents, incidentOf(&c.Incidents[i]))
	}
	for _, f := range c.Samples {
		m.Samples = append(m.Samples, Sample{f.At / int64(time.Millisecond), f.Packets, f.Drops, f.Sources})
	}
	return m
}

func incidentOf(in *board.Incident) Incident {
	e := in.Event
	out := Incident{
		ID: in.Key, Line: alert.Line(e), Ongoing: in.Ongoing, Verdict: in.Verdict, Reason: in.Reason, Picture: in.Picture, Alert: alert.JSON(e),
	}
	if e.State == detect.Summary {
		return out
	}
	out.Who = alert.Who(e)
	out.What, out.Ports = alert.Targets(e)
	narrow, wide := policy.Allowing(e, 0, "")
	for _, r := range narrow {
		out.Narrow = append(out.Narrow, scopeOf(r))
	}
	out.Wide = scopeOf(wide)
	return out
}

// scopeOf writes a rule without its reason.
func scopeOf(r policy.Rule) string {
	scope, _, _ := strings.Cut(r.String(), "reason=")
	return strings.TrimSpace(scope)
}

func answerJSON(v any) httpd.Answer {
	body, err := json.Marshal(v)
	if err != nil { // of what is marshalled here nothing can fail
		return httpd.Text(500, err.Error()+"\n")
	}
	return httpd.Answer{Status: 200, Type: "application/json", Body: append(body, '\n')}
}

// coalescing is for how long changes are put together, if to put them into words did not
// take so long that more of it would take more than a quarter of a core.
const coalescing = 250 * time.Millisecond

// stream sends what there is, and what changes, as server-sent events.
func (s *Server) stream(ctx context.Context, write func([]byte) error) {
	s.readers.Add(1)
	defer s.readers.Add(-1)
	s.refresh()
	for revision := uint64(0); ; {
		start := time.Now()
		changes, next := s.Board.Since(revision)
		revision = changes.Revision
		data := answerJSON(s.message(changes)).Body // one line
		if write(bytes.Join([][]byte{[]byte("data: "), data, {'\n'}}, nil)) != nil {
			return
		}
		rest := time.After(max(coalescing, 3*time.Since(start)))
		if !arrives(ctx, next) || !arrives(ctx, rest) {
			return
		}
	}
}

// arrives waits until something comes, or the channel is closed, and reports whether that
// was before ctx ended.
func arrives[T any](ctx context.Context, c <-chan T) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}
