// Package web is the page that shows a running program: its incidents as they start,
// what they look like, figures of the last minutes, and buttons to dismiss and to allow.
//
// Requests come in, answers go out; what is shown is on a Board. The page is of static
// files that a Content-Security-Policy holds to this server. Nothing of the network is
// markup in it: it comes as JSON, and is shown as text.
package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"edgescan/internal/board"
	"edgescan/internal/httpd"
	"edgescan/internal/picture"
	"edgescan/internal/policy"
)

// MinToken is how long a token must be, in bytes.
const MinToken = 16

// Config is what a Server shows, and what its buttons do.
type Config struct {
	Board *board.Board
	About About
	Token string // what a reader must know; empty: nothing, and only who calls the server by a name of this machine is answered

	// Refresh brings what is on the Board up to date. It is called while somebody
	// watches, once a second or so.
	Refresh func()
	// Busiest returns that many sources that have most contacts, the most first.
	Busiest func(n int) []Source
	// Touched returns what a source touched; nothing where it is not known.
	Touched func(netip.Addr) []picture.Contact
	// Allow puts rules into force, and keeps them.
	Allow func([]policy.Rule) error
	// Disallow takes a rule back that Allow was given.
	Disallow func(rule string) error
	// Tell is told what a reader decided.
	Tell func(decision, incident, reason string)
}

// About is what does not change.
type About struct {
	Program   string   `json:"program"` // with its version
	Watching  []string `json:"watching"`
	Threshold float64  `json:"threshold"`       // probability from which a source is named
	Rules     string   `json:"rules,omitempty"` // the file that keeps rules; empty: they are kept until the program ends
}

// Server answers requests. Make it with New.
type Server struct {
	Config
	cookie    string // name of the one that says who knows the token
	session   string // its value
	readers   atomic.Int32
	drawing   sync.Mutex // one picture at a time
	refreshed struct {
		sync.Mutex
		at time.Time
	}
	busiest struct {
		sync.Mutex
		at   time.Time
		list []Source
	}
}

// New returns a Server.
func New(c Config) *Server {
	var key [32]byte
	rand.Read(key[:]) // never fails, crypto/rand says
	sign := func(text string) string {
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte(text))
		return hex.EncodeToString(h.Sum(nil))
	}
	return &Server{Config: c, cookie: "edgescan-" + sign("name")[:8], session: sign("session " + c.Token)}
}

// Tick takes figures, and brings the Board up to date where somebody watches. It is to be
// called once a second.
func (s *Server) Tick(sample board.Sample) {
	if s.readers.Load() > 0 {
		s.refresh()
	}
	s.Board.Add(sample)
}

// refresh is Refresh, not more often than is of use.
func (s *Server) refresh() {
	s.refreshed.Lock()
	defer s.refreshed.Unlock()
	if time.Since(s.refreshed.at) < 500*time.Millisecond {
		return
	}
	s.Refresh()
	s.refreshed.at = time.Now()
}

//go:embed page.html page.js style.css icon.svg
var files embed.FS

// fileOf are the files by their paths, with their types.
var fileOf = map[string]struct{ name, kind string }{
	"/":          {"page.html", "text/html; charset=utf-8"},
	"/page.js":   {"page.js", "text/javascript; charset=utf-8"},
	"/style.css": {"style.css", "text/css; charset=utf-8"},
	"/icon.svg":  {"icon.svg", svgType},
}

const svgType = "image/svg+xml"

// securityHeader goes with every answer: what is shown comes from here, and nobody else
// may frame or read it.
var securityHeader = [][2]string{
	{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cache-Control", "no-store"},
}

// Answer is an httpd.Handler.
func (s *Server) Answer(ctx context.Context, q *httpd.Request) httpd.Answer {
	a := s.route(q)
	a.Header = append(a.Header, securityHeader...)
	return a
}

// route finds who answers a request that may be made.
func (s *Server) route(q *httpd.Request) httpd.Answer {
	if refused := s.refusal(q); refused != "" {
		return httpd.Text(403, refused+"\n")
	}
	if q.Method == "POST" {
		return s.post(q)
	}
	if q.Method != "GET" && q.Method != "HEAD" {
		a := httpd.Text(405, "only GET, HEAD and POST\n")
		a.Header = [][2]string{{"Allow", "GET, HEAD, POST"}}
		return a
	}
	if file, ok := fileOf[q.Path]; ok {
		body, _ := files.ReadFile(file.name) // it is there: see files
		return httpd.Answer{Status: 200, Type: file.kind, Body: body}
	}
	if q.Path == "/session" {
		return answerJSON(map[string]bool{"known": s.knows(q)})
	}
	if !s.knows(q) {
		return unknownReader
	}
	incident, ofIncident := strings.CutPrefix(q.Path, "/incidents/")
	source, ofSource := strings.CutPrefix(q.Path, "/sources/")
	switch {
	case q.Path == "/events":
		return httpd.Answer{Status: 200, Type: "text/event-stream", Stream: s.stream}
	case q.Path == "/state":
		s.refresh()
		changes, _ := s.Board.Since(0)
		return answerJSON(s.message(changes))
	case q.Path == "/sources":
		return answerJSON(s.sources())
	case ofIncident:
		return s.ofIncident(incident, q.Query)
	case ofSource:
		return s.ofSource(source, q.Query)
	}
	return httpd.Text(404, "no such page\n")
}

var unknownReader = httpd.Text(401, "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN'\n")

// refusal says why a request is not answered, whoever makes it; nothing where it is. A
// browser can be had to make requests by any page that it shows: such are told by what
// browsers say of them, and by the name that they call the server by, which for pages
// that pose as this server (DNS rebinding) is their own.
func (s *Server) refusal(q *httpd.Request) string {
	host := q.Header.Get("host")
	if s.Token == "" && !ofThisMachine(host) {
		return "without a token only this machine is served, by the name localhost or its address: see --web-token"
	}
	site := q.Header.Get("sec-fetch-site")
	isLink := q.Method == "GET" && q.Path == "/" // which may be anywhere
	if (site == "cross-site" || site == "same-site") && !isLink {
		return "another site asks for this"
	}
	if q.Method != "POST" {
		return ""
	}
	if origin := q.Header.Get("origin"); origin != "" && origin != "http://"+host && origin != "https://"+host {
		return "another site asks for this"
	}
	if q.Header.Get("x-edgescan") == "" { // which no other site can have a browser send
		return "the header X-Edgescan is missing"
	}
	return ""
}

// ofThisMachine reports whether a Host header names this machine as such. Its port is of
// no interest: that of a tunnel is another.
func ofThisMachine(host string) bool {
	name := host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name = host[:i]
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return strings.EqualFold(name, "localhost") || err == nil && a.IsLoopback()
}

// knows reports whether who asks knows the token, or none is needed.
func (s *Server) knows(q *httpd.Request) bool {
	if s.Token == "" {
		return true
	}
	if bearer, ok := strings.CutPrefix(q.Header.Get("authorization"), "Bearer "); ok {
		return s.isToken(bearer)
	}
	for _, pair := range strings.Split(q.Header.Get("cookie"), ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(pair), s.cookie+"="); ok && equal(value, s.session) {
			return true
		}
	}
	return false
}

// equal compares in a time that tells nothing of where texts differ.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return hmac.Equal(x[:], y[:])
}

// tokenPause is what a wrong token costs who tries it, and the place among clients that
// is held meanwhile: some tries a second are all that there can be.
const tokenPause = time.Second

// isToken reports whether a text is the token.
func (s *Server) isToken(text string) bool {
	if equal(text, s.Token) {
		return true
	}
	time.Sleep(tokenPause)
	return false
}

// login gives who knows the token a cookie, which goes to no other site and no script.
func (s *Server) login(form url.Values) httpd.Answer {
	if s.Token != "" && !s.isToken(form.Get("token")) {
		return answerJSON(map[string]bool{"known": false})
	}
	a := answerJSON(map[string]bool{"known": true})
	a.Header = [][2]string{{"Set-Cookie", s.cookie + "=" + s.session + "; Path=/; HttpOnly; SameSite=Strict"}}
	return a
}
