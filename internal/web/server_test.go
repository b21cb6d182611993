package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/internal/board"
	"edgescan/internal/detect"
	"edgescan/internal/httpd"
	"edgescan/internal/picture"
	"edgescan/internal/policy"
)

const token = "a token of many characters"

// told is what the functions of a test's Server were called with.
type told struct {
	rules     []string
	removed   []string
	decisions []string
	refreshed int
	fail      error
}

// newServer returns a server of a board with one incident.
func newServer(t testing.TB, token string) (*Server, *told) {
	t.Helper()
	b, calls := &board.Board{}, &told{}
	b.Take(scan("printer"), noLook(t))
	return New(Config{
		Board: b, Token: token, About: About{Program: "edgescan test", Watching: []string{"eth0"}, Threshold: 0.99},
		Refresh: func() { calls.refreshed++ },
		Busiest: func(n int) []Source {
			calls.refreshed++
			return []Source{{Address: netip.MustParseAddr("10.0.0.9"), Contacts: 3, Outcomes: [6]int{1, 0, 2}}}
		},
		Touched: func(a netip.Addr) []picture.Contact {
			if a != netip.MustParseAddr("10.0.0.9") {
				return nil
			}
			return []picture.Contact{{Host: netip.MustParseAddr("10.0.0.5"), Proto: capture.ProtoTCP, Port: 22}}
		},
		Allow: func(rules []policy.Rule) error {
			for _, r := range rules {
				calls.rules = append(calls.rules, r.String())
			}
			return calls.fail
		},
		Disallow: func(rule string) error {
			calls.removed = append(calls.removed, rule)
			return calls.fail
		},
		Tell: func(decision, incident, reason string) {
			calls.decisions = append(calls.decisions, decision+" "+incident+" "+reason)
		},
	}), calls
}

func scan(name string) *detect.Event {
	a, dst := capture.AddrFrom(netip.MustParseAddr("10.0.0.9")), capture.AddrFrom(netip.MustParseAddr("10.0.0.5"))
	return &detect.Event{
		ID: 0xabc, State: detect.Start, Kind: detect.Vertical, Source: a, Prefix: netip.PrefixFrom(a.Netip(), 32), Name: name,
		Contacts: 30, Hosts: 1, Ports: 30, Protocols: []capture.Proto{capture.ProtoTCP}, TopPorts: []uint16{22, 80}, Example: dst, Targets: netip.PrefixFrom(dst.Netip(), 32),
	}
}

const scanKey = "0000000000000abc"

// noLook is evidence of nothing.
func noLook(t testing.TB) *detect.Look {
	t.Helper()
	e, err := detect.NewEngine(detect.Config{Memory: detect.MinMemory}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.Evidence()
}

// request is one as the page makes it, but for the headers given.
func request(method, path, body string, header ...string) *httpd.Request {
	q := &httpd.Request{Method: method, Body: []byte(body), Header: httpd.Header{"host": {"127.0.0.1:8469"}, "x-edgescan": {"page"}, "origin": {"http://127.0.0.1:8469"}, "sec-fetch-site": {"same-origin"}}}
	q.Path, q.Query, _ = strings.Cut(path, "?")
	for i := 0; i < len(header); i += 2 {
		q.Header[header[i]] = []string{header[i+1]}
		if header[i+1] == "" {
			delete(q.Header, header[i])
		}
	}
	return q
}

// TestWhoIsAnswered: other sites, other names of this machine, and who does not know the
// token are not.
func TestWhoIsAnswered(t *testing.T) {
	dismiss := url.Values{"id": {scanKey}, "reason": {"why"}}.Encode()
	for name, test := range map[string]struct {
		token   string
		request *httpd.Request
		status  int
	}{
		"the page":                          {"", request("GET", "/", ""), 200},
		"its script":                        {"", request("GET", "/page.js", ""), 200},
		"another file":                      {"", request("GET", "/server.go", ""), 404},
		"state":                             {"", request("GET", "/state", ""), 200},
		"by curl":                           {"", request("GET", "/state", "", "origin", "", "sec-fetch-site", "", "x-edgescan", ""), 200},
		"by a tunnel":                       {"", request("GET", "/state", "", "host", "localhost:9000"), 200},
		"by IPv6":                           {"", request("GET", "/state", "", "host", "[::1]:8469"), 200},
		"without a port":                    {"", request("GET", "/state", "", "host", "[::1]"), 200},
		"by a name that leads here":         {"", request("GET", "/state", "", "host", "evil.example:8469"), 403},
		"by a name that begins so":          {"", request("GET", "/state", "", "host", "localhost.evil.example"), 403},
		"by an address that begins so":      {"", request("GET", "/state", "", "host", "127.0.0.1.evil.example"), 403},
		"without a name":                    {"", request("GET", "/state", "", "host", ""), 403},
		"the page by a name that leads":     {"", request("GET", "/", "", "host", "evil.example"), 403},
		"a link from another site":          {"", request("GET", "/", "", "sec-fetch-site", "cross-site"), 200},
		"a picture in another site":         {"", request("GET", "/incidents/"+scanKey+".svg", "", "sec-fetch-site", "cross-site"), 403},
		"a script in another port's site":   {"", request("GET", "/page.js", "", "sec-fetch-site", "same-site"), 403},
		"a form of another site":            {"", request("POST", "/dismiss", dismiss, "sec-fetch-site", "cross-site", "x-edgescan", ""), 403},
		"a form that an old browser sends":  {"", request("POST", "/dismiss", dismiss, "sec-fetch-site", "", "x-edgescan", ""), 403},
		"with its own origin":               {"", request("POST", "/dismiss", dismiss, "sec-fetch-site", "", "origin", "http://evil.example"), 403},
		"of no origin":                      {"", request("POST", "/dismiss", dismiss, "origin", "null"), 403},
		"of another port":                   {"", request("POST", "/dismiss", dismiss, "origin", "http://127.0.0.1:80"), 403},
		"a preflight":                       {"", request("OPTIONS", "/dismiss", ""), 405},
		"the page's button":                 {"", request("POST", "/dismiss", dismiss), 200},
		"a script's button":                 {"", request("POST", "/dismiss", dismiss, "origin", "", "sec-fetch-site", ""), 200},
		"a picture":                         {"", request("GET", "/incidents/"+scanKey+".svg", ""), 200},
		"a picture of a source":             {"", request("GET", "/sources/10.0.0.9.svg", ""), 200},
		"one as text":                       {"", request("GET", "/sources/::ffff:10.0.0.9.txt?ascii", ""), 200},
		"one of another kind":               {"", request("GET", "/sources/10.0.0.9.gif", ""), 404},
		"one of a source that is not there": {"", request("GET", "/sources/10.0.0.8.svg", ""), 404},
		"one of no address":                 {"", request("GET", "/sources/10.0.0.svg", ""), 404},
		"one of nothing":                    {"", request("GET", "/sources/", ""), 404},
		"one before the token":              {token, request("GET", "/sources/10.0.0.9.svg", ""), 401},
		"a picture of nothing":              {"", request("GET", "/incidents/x.svg", ""), 404},
		"a picture of another kind":         {"", request("GET", "/incidents/"+scanKey+".gif", ""), 404},
		"the page before the token":         {token, request("GET", "/", ""), 200},
		"state before the token":            {token, request("GET", "/state", ""), 401},
		"events before the token":           {token, request("GET", "/events", ""), 401},
		"a picture before the token":        {token, request("GET", "/incidents/"+scanKey+".svg", ""), 401},
		"a button before the token":         {token, request("POST", "/dismiss", dismiss), 401},
		"with the token":                    {token, request("GET", "/state", "", "authorization", "Bearer "+token), 200},
		"with the token by any name":        {token, request("GET", "/state", "", "authorization", "Bearer "+token, "host", "router.example"), 200},
		"with another token":                {token, request("GET", "/state", "", "authorization", "Bearer "+token+"s"), 401},
		"with an empty token":               {token, request("GET", "/state", "", "authorization", "Bearer "), 401},
		"with a cookie of somebody else":    {token, request("GET", "/state", "", "cookie", "edgescan=1; edgescan-00000000="), 401},
		"a login from another site":         {token, request("POST", "/login", "token="+url.QueryEscape(token), "sec-fetch-site", "cross-site"), 403},
		"a button that does not exist":      {"", request("POST", "/state", ""), 404},
		"what is no form":                   {"", request("POST", "/dismiss", "a=%zz"), 400},
		"a button without a reason":         {"", request("POST", "/dismiss", "id="+scanKey), 400},
		"a button for what is not there":    {"", request("POST", "/dismiss", "id=1&reason=a"), 404},
		"a rule for what is not there":      {"", request("POST", "/allow", "id=1&reason=a"), 404},
		"a rule for ever and a day":         {"", request("POST", "/allow", "id="+scanKey+"&reason=a&days=99999"), 400},
		"a rule for a word":                 {"", request("POST", "/allow", "id="+scanKey+"&reason=a&days=b"), 400},
		"a rule without a reason":           {"", request("POST", "/allow", "id="+scanKey), 400},
		"a rule whose reason is two lines":  {"", request("POST", "/allow", "id="+scanKey+"&reason=a%0asource%3d0.0.0.0/0"), 400},
		"a rule with a reason of a novel":   {"", request("POST", "/allow", "id="+scanKey+"&reason="+strings.Repeat("a", 201)), 400},
		"a decision of two lines":           {"", request("POST", "/dismiss", "id="+scanKey+"&reason=a%0ab"), 400},
		"restoring what is not there":       {"", request("POST", "/restore", "id=2"), 404},
		"a rule":                            {"", request("POST", "/allow", "id="+scanKey+"&reason=a"), 200},
		"removing a rule":                   {"", request("POST", "/disallow", "rule=a"), 200},
		"a method that only looks like GET": {"", request("get", "/", ""), 405},
	} {
		s, calls := newServer(t, test.token)
		a := s.Answer(context.Background(), test.request)
		if a.Status != test.status {
			t.Errorf("%s: status %d, want %d", name, a.Status, test.status)
		}
		if decided := len(calls.decisions) + len(calls.rules) + len(calls.removed); (decided > 0) != (test.request.Method == "POST" && test.status == 200) {
			t.Errorf("%s: decided %+v", name, calls)
		}
		for _, h := range securityHeader {
			if !slices.Contains(a.Header, h) {
				t.Errorf("%s: no %s", name, h[0])
			}
		}
	}
}

func TestLoginGivesACookie(t *testing.T) {
	s, _ := newServer(t, token)
	if a := s.Answer(context.Background(), request("POST", "/login", "token=wrong")); a.Status != 200 || string(a.Body) != "{\"known\":false}\n" || len(a.Header) != len(securityHeader) {
		t.Errorf("a wrong token: %d, %s, %v", a.Status, a.Body, a.Header)
	}
	a := s.Answer(context.Background(), request("POST", "/login", "token="+url.QueryEscape(token)))
	if a.Status != 200 || a.Header[0][0] != "Set-Cookie" {
		t.Fatalf("the token: %d, %v", a.Status, a.Header)
	}
	cookie, err := http.ParseSetCookie(a.Header[0][1])
	if err != nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, token) {
		t.Fatalf("%v, %v", cookie, err)
	}
	if a := s.Answer(context.Background(), request("GET", "/state", "", "cookie", "other=1; "+cookie.Name+"="+cookie.Value)); a.Status != 200 {
		t.Errorf("with the cookie: %d", a.Status)
	}
	other, _ := newServer(t, token)
	if a := other.Answer(context.Background(), request("GET", "/state", "", "cookie", other.cookie+"="+cookie.Value)); a.Status != 401 {
		t.Errorf("another server takes the cookie: %d", a.Status)
	}
}

// TestButtonsDecide presses the buttons, and has what they do fail.
func TestButtonsDecide(t *testing.T) {
	s, calls := newServer(t, "")
	press := func(path string, form url.Values) int {
		return s.Answer(context.Background(), request("POST", path, form.Encode())).Status
	}
	verdict := func() string {
		in, err := s.Board.Find(scanKey)
		if err != nil {
			t.Fatal(err)
		}
		return string(in.Verdict) + " " + in.Reason
	}
	press("/dismiss", url.Values{"id": {scanKey}, "reason": {"a test"}})
	if verdict() != "dismissed a test" {
		t.Errorf("dismissed: %s", verdict())
	}
	press("/restore", url.Values{"id": {scanKey}})
	calls.fail = errors.New("disk full")
	if status := press("/allow", url.Values{"id": {scanKey}, "reason": {"why"}}); status != 500 || verdict() != " " {
		t.Errorf("a rule that cannot be kept: %d, %s", status, verdict())
	}
	if status := press("/disallow", url.Values{"rule": {"x"}}); status != 500 {
		t.Errorf("a rule that cannot be removed: %d", status)
	}
	calls.fail, calls.rules = nil, nil
	press("/allow", url.Values{"id": {scanKey}, "reason": {`say "x\"`}, "wide": {"1"}})
	press("/allow", url.Values{"id": {scanKey}, "reason": {"why"}, "days": {"7"}})
	until := time.Now().UTC().AddDate(0, 0, 8).Format(time.DateOnly)
	want := []string{`source=10.0.0.9 reason="say \"x\\\""`, "source=10.0.0.9 destination=10.0.0.5 protocols=tcp kinds=vertical until=" + until + ` reason="why"`}
	if !slices.Equal(calls.rules, want) || verdict() != "allowed why" {
		t.Errorf("rules %q, %s", calls.rules, verdict())
	}
	if got := fmt.Sprint(calls.decisions); got != "[dismissed "+scanKey+" a test restored "+scanKey+`  allowed `+scanKey+` say "x\" allowed `+scanKey+" why]" {
		t.Errorf("told %s", got)
	}
	s.Board.Take(&detect.Event{State: detect.Summary, Time: 1, Folded: &detect.Folded{}}, nil)
	if status := press("/allow", url.Values{"id": {"s0000000000000001"}, "reason": {"a"}}); status != 400 {
		t.Errorf("a summary is allowed: %d", status)
	}
}

// TestEventsTellWhatChanges reads the events as Go's client does.
func TestEventsTellWhatChanges(t *testing.T) {
	s, _ := newServer(t, "")
	l, err := httpd.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		httpd.Serve(ctx, l, s.Answer)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	answer, err := (&http.Client{Timeout: 30 * time.Second}).Get("http://" + l.Addr().String() + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("%s, %s", answer.Status, kind)
	}
	lines := bufio.NewScanner(answer.Body)
	next := func() (m Message) {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &m); err != nil {
					t.Fatal(err)
				}
				return m
			}
		}
		t.Fatalf("no more events: %v", lines.Err())
		return m
	}
	m := next()
	if !m.Full || m.About == nil || m.About.Watching[0] != "eth0" || len(m.Incidents) != 1 || m.Incidents[0].Who != "10.0.0.9 (printer)" || m.Incidents[0].Wide != "source=10.0.0.9" || !m.RulesNew {
		t.Errorf("first %+v", m)
	}
	s.Board.Add(board.Sample{At: 5e9, Packets: 7, Drops: 1, Sources: 3})
	if m = next(); m.Full || m.About != nil || len(m.Incidents) != 0 || len(m.Samples) != 1 || m.Samples[0] != (Sample{5000, 7, 1, 3}) {
		t.Errorf("figures %+v", m)
	}
	e := scan("")
	e.State, e.Contacts = detect.End, 40
	s.Board.Take(e, noLook(t))
	if m = next(); len(m.Incidents) != 1 || m.Incidents[0].Ongoing || m.Incidents[0].Who != "10.0.0.9 (printer)" || !strings.Contains(m.Incidents[0].Line, "scan end") {
		t.Errorf("the end %+v", m)
	}
}

// TestSourcesAreLookedUpNowAndThen: many readers cost no more than one.
func TestSourcesAreLookedUpNowAndThen(t *testing.T) {
	s, calls := newServer(t, "")
	for range 5 {
		a := s.Answer(context.Background(), request("GET", "/sources", ""))
		if want := `{"sources":[{"address":"10.0.0.9","contacts":3,"outcomes":{"productive":1,"refused":2}}]}` + "\n"; string(a.Body) != want {
			t.Fatalf("%s", a.Body)
		}
	}
	if calls.refreshed != 1 {
		t.Errorf("looked up %d times", calls.refreshed)
	}
}

// TestTickRefreshesWhatIsWatched: where nobody watches, nothing is looked up.
func TestTickRefreshesWhatIsWatched(t *testing.T) {
	s, calls := newServer(t, "")
	s.Tick(board.Sample{})
	if calls.refreshed != 0 {
		t.Error("refreshed for nobody")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stream(ctx, func([]byte) error {
		cancel()
		return nil
	})
	if calls.refreshed != 1 || s.readers.Load() != 0 {
		t.Errorf("refreshed %d times for a reader, %d are left", calls.refreshed, s.readers.Load())
	}
	s.stream(context.Background(), func([]byte) error { return io.ErrClosedPipe })
}

// FuzzState puts any text where one can be, and any counts: the answers stay JSON, and
// SVG, in which the text is no markup.
func FuzzState(f *testing.F) {
	f.Add("</script><img src=x onerror=alert(1)>", int64(-1), uint16(0), uint8(0))
	f.Add("\x00\u2028\xff\ndata: {}\n\n", int64(1<<62), uint16(65535), uint8(9))
	f.Fuzz(func(t *testing.T, text string, n int64, port uint16, bits uint8) {
		s, _ := newServer(t, "")
		e := scan(text)
		e.Kind, e.State, e.Picture, e.Allowed = detect.Kind(text), detect.State(text), text, ""
		e.Time, e.FirstSeen, e.LastSeen, e.Contacts, e.Hosts, e.Score = n, -n, n/2, int(n), int(n), float64(n)
		e.TopPorts, e.Protocols, e.Targets = []uint16{port, port}, []capture.Proto{capture.Proto(bits)}, netip.PrefixFrom(e.Example.Netip(), int(bits))
		s.Board.Take(e, noLook(t))
		s.About.Watching = []string{text}
		s.Board.SetRules([]string{text})
		if err := s.Board.Decide(scanKey, board.Dismissed, text); err != nil {
			t.Fatal(err)
		}
		state := s.Answer(context.Background(), request("GET", "/state", ""))
		var m Message
		if err := json.Unmarshal(state.Body, &m); err != nil || len(m.Incidents) != 1 {
			t.Fatalf("%v in %s", err, state.Body)
		}
		if bytes.ContainsAny(state.Body, "<>&\x00\u2028") || bytes.Count(state.Body, []byte("\n")) != 1 {
			t.Errorf("markup, or a line's end, in %q", state.Body)
		}
		svg := s.Answer(context.Background(), request("GET", "/incidents/"+scanKey+".svg", ""))
		for d := xml.NewDecoder(bytes.NewReader(svg.Body)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := token.(xml.StartElement); ok && !strings.Contains(" svg title path text ", " "+e.Name.Local+" ") {
				t.Errorf("element %q", e.Name.Local)
			}
		}
	})
}

// FuzzRequest makes any request: it is answered, and decides nothing without the header
// that only the page sends.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/allow", "id="+scanKey+"&reason=a&days=7&wide=1", "page")
	f.Add("GET", "/incidents/"+scanKey+".txt?ascii", "", "")
	f.Add("POST", "/disallow", "rule=%00", "page")
	f.Add("GET", "/sources/fe80::1%25eth0.svg", "", "")
	f.Fuzz(func(t *testing.T, method, path, body, header string) {
		if path == "/login" {
			return // a wrong token takes a second
		}
		s, calls := newServer(t, "")
		a := s.Answer(context.Background(), request(method, path, body, "x-edgescan", header))
		if !slices.Contains([]int{200, 400, 403, 404, 405}, a.Status) {
			t.Errorf("status %d", a.Status)
		}
		if header == "" && len(calls.decisions)+len(calls.rules)+len(calls.removed) > 0 {
			t.Errorf("decided %+v", calls)
		}
		for _, r := range calls.rules {
			if parsed, err := policy.ParseRule(r); err != nil || parsed.String() != r {
				t.Errorf("rule %q: %v", r, err)
			}
		}
	})
}
