package web

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"edgescan/internal/board"
	"edgescan/internal/detect"
	"edgescan/internal/httpd"
	"edgescan/internal/policy"
)

// maxDays is for how long a rule may apply, but for one that has no end.
const maxDays = 3650

// errRequest marks what is wrong with a request.
var errRequest = errors.New("bad request")

// post does what a button asks for.
func (s *Server) post(q *httpd.Request) httpd.Answer {
	form, err := url.ParseQuery(string(q.Body))
	if err != nil {
		return httpd.Text(400, "bad form\n")
	}
	if q.Path == "/login" {
		return s.login(form)
	}
	if !s.knows(q) {
		return unknownReader
	}
	do := map[string]func(url.Values) error{"/dismiss": s.dismiss, "/restore": s.restore, "/allow": s.allow, "/disallow": s.disallow}[q.Path]
	if do == nil {
		return httpd.Text(404, "no such page\n")
	}
	switch err := do(form); {
	case errors.Is(err, board.ErrUnknown):
		return httpd.Text(404, err.Error()+"\n")
	case errors.Is(err, errRequest):
		return httpd.Text(400, err.Error()+"\n")
	case err != nil:
		return httpd.Text(500, err.Error()+"\n")
	}
	return answerJSON(struct{}{})
}

// dismiss puts an incident aside.
func (s *Server) dismiss(form url.Values) error {
	reason := form.Get("reason")
	if err := policy.CheckReason(reason); err != nil {
		return fmt.Errorf("%w: reason: %w", errRequest, err)
	}
	return s.decide("dismissed", form.Get("id"), board.Dismissed, reason)
}

// restore takes that back.
func (s *Server) restore(form url.Values) error {
	return s.decide("restored", form.Get("id"), board.Open, "")
}

func (s *Server) decide(decision, key string, v board.Verdict, reason string) error {
	err := s.Board.Decide(key, v, reason)
	if err == nil {
		s.Tell(decision, key, reason)
	}
	return err
}

// allow makes a rule of an incident: of just what it tried or, if wide, of its source.
func (s *Server) allow(form url.Values) error {
	in, err := s.Board.Find(form.Get("id"))
	if err != nil {
		return err
	}
	if in.Event.State == detect.Summary {
		return fmt.Errorf("%w: a summary has no source to allow", errRequest)
	}
	until := int64(0)
	if text := form.Get("days"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > maxDays {
			return fmt.Errorf("%w: days: want 1 to %d, or nothing for a rule without an end", errRequest, maxDays)
		}
		until = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, days+1).UnixNano() // when a day begins
	}
	rules, wide := policy.Allowing(in.Event, until, form.Get("reason"))
	if form.Get("wide") != "" {
		rules = []policy.Rule{wide}
	}
	for i, r := range rules {
		if rules[i], err = policy.ParseRule(r.String()); err != nil {
			return fmt.Errorf("%w: %w", errRequest, err)
		}
	}
	if err := s.Allow(rules); err != nil {
		return err
	}
	return s.decide("allowed", in.Key, board.Allowed, form.Get("reason"))
}

// disallow takes a rule back. Incidents that it put aside stay there.
func (s *Server) disallow(form url.Values) error {
	err := s.Disallow(form.Get("rule"))
	if err == nil {
		s.Tell("rule removed", "", form.Get("rule"))
	}
	return err
}
