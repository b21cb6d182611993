package report

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// example is a page on which everything occurs, with text of whoever asks.
func example(text string) *Page {
	return &Page{
		Capture: text, Program: "edgescan 1.0", Threshold: 0.99, From: noon, To: noon.Add(time.Hour),
		Traffic: Traffic{Start: noon, Width: time.Minute, Parts: []uint64{10, 0, 500, 20}},
		Facts:   []Fact{{text, text}},
		Scans: []Scan{{
			Source: text, Kind: "vertical", What: text, Ports: text, Start: noon.Add(time.Minute), End: noon.Add(2 * time.Minute),
			Contacts: 12, Answered: 3, Refused: 9, Score: 0.998, Line: text, Allowed: text,
		}},
		Sources: []Source{{
			Name: text, Caption: text, Map: []byte("a picture"), Named: noon.Add(time.Minute), Counts: []Fact{{text, text}},
			Verdicts: []Verdict{{noon, 0}, {noon.Add(time.Minute), 0.5}, {noon.Add(2 * time.Minute), 1}},
			Rules:    []time.Time{noon, {}},
		}},
		Named:    1,
		Others:   []Source{{Name: "10.0.0.1", Rules: []time.Time{{}, noon}}},
		Problems: []string{text}, NotShown: 2, Rules: []string{text, "another"},
	}
}

func write(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageTellsOfTheScans(t *testing.T) {
	page := write(t, example("10.50.0.66"))
	for _, want := range []string{
		"1 scan by 1 source", "2026-11-23 12:00:00 to 2026-11-23 13:00:00 UTC", "500 packets in 60 s at most", "99.8%",
		`href="#source-10-50-0-66"`, `id="source-10-50-0-66"`, "60 s earlier", "at 12:01:00.000", "never", "data:image/png;base64,YSBwaWN0dXJl", "2 further scans not shown",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestOnlyWhatIsShownIsLinked: of many sources the first have a place on the page.
func TestOnlyWhatIsShownIsLinked(t *testing.T) {
	p := example("10.50.0.66")
	p.Named = 2
	p.Scans = append(p.Scans, Scan{Source: "10.50.0.99", Kind: "block"})
	page := write(t, p)
	if !strings.Contains(page, "2 scans by 2 sources") || !strings.Contains(page, `<th scope="row">10.50.0.99</th>`) || strings.Contains(page, "#source-10-50-0-99") {
		t.Error("the page links to a source that it does not show")
	}
}

func TestPageOfNothing(t *testing.T) {
	page := write(t, &Page{Capture: "empty.pcap"})
	if !strings.Contains(page, "No scan") || strings.Contains(page, "<svg") {
		t.Errorf("the page of an empty capture:\n%s", page)
	}
}

func TestPageRefusesRulesThatDoNotMatch(t *testing.T) {
	p := example("10.0.0.1")
	p.Rules = p.Rules[:1]
	if err := p.Write(&bytes.Buffer{}); !errors.Is(err, ErrPage) {
		t.Errorf("error %v", err)
	}
}

// elements are those that a page consists of: none loads or runs anything.
var elements = strings.Fields("html head meta title style body header main section article footer h1 h2 h3 p em a div dl dt dd table caption thead tbody tr th td figure figcaption img svg path rect circle text")

// attributes are those that they may have.
var attributes = strings.Fields("lang charset name content http-equiv class id href src alt aria-labelledby aria-label role scope viewbox d x y dx dy cx cy r rx width height text-anchor")

// checkMarkup reports elements and attributes that no page should have, and
// addresses that lead out of it.
func checkMarkup(t *testing.T, page string) {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(page)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		if !slices.Contains(elements, token.Data) {
			t.Errorf("element %q", token.Data)
		}
		for _, a := range token.Attr {
			if !slices.Contains(attributes, strings.ToLower(a.Key)) {
				t.Errorf("attribute %q of %s", a.Key, token.Data)
			}
			inside := a.Key == "href" && strings.HasPrefix(a.Val, "#") || a.Key == "src" && strings.HasPrefix(a.Val, "data:image/png;base64,")
			if (a.Key == "href" || a.Key == "src") && !inside {
				t.Errorf("%s of %s leads to %q", a.Key, token.Data, a.Val)
			}
		}
	}
}

// FuzzHostileText puts any text everywhere, and numbers that nobody expects.
func FuzzHostileText(f *testing.F) {
	for _, text := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `</style></svg>'"` + "`", "\x00\xff\u202e", "{{.}}"} {
		f.Add(text, int64(-1), 1e300)
	}
	f.Fuzz(func(t *testing.T, text string, number int64, score float64) {
		p := example(text)
		p.To, p.Traffic.Width = noon.Add(time.Duration(number)), time.Duration(number)
		p.Scans[0].Start, p.Scans[0].End, p.Scans[0].Contacts = p.To, noon, int(number)
		p.Scans[0].Kind, p.Scans[0].Score, p.Threshold = text, score, score
		p.Sources[0].Verdicts[1].Score = score
		p.Traffic.Parts = append(p.Traffic.Parts, uint64(number))
		checkMarkup(t, write(t, p))
	})
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		span time.Duration
		want string
	}{
		{0, "12:00:00.000 12:00:00.001"},
		{40 * time.Second, "12:00:00 12:00:10 12:00:20 12:00:30 12:00:40"},
		{25 * time.Hour, "12:00 18:00 00:00 06:00 12:00"},
		{40 * 24 * time.Hour, "2026-12-01 2026-12-31"},
	} {
		var labels []string
		for _, tick := range newAxis(noon, noon.Add(c.span), 0, 100).ticks(5) {
			if tick.At < 0 || tick.At > 100 {
				t.Errorf("%s: a tick at %v", c.span, tick.At)
			}
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%s: ticks %q, want %q", c.span, got, c.want)
		}
	}
}

func TestCurveIsThinned(t *testing.T) {
	var verdicts []Verdict
	for i := range 10_000 {
		verdicts = append(verdicts, Verdict{noon.Add(time.Duration(i) * time.Second), 0.1})
	}
	verdicts[777].Score = 1
	c := newCurve(verdicts, 0.99)
	if len(c.Points) > maxPoints || !slices.ContainsFunc(c.Points, func(p point) bool { return p.Above && strings.HasSuffix(p.Title, "1.0000") }) {
		t.Errorf("%d points, of which the highest is lost", len(c.Points))
	}
}

func TestAnchorsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"2001:db8::/64", "2001:db8::64", "10.0.0.0/24", "10.0.0.0", "many on 10.0.0.0/24", "fe80::1"} {
		if other, ok := seen[anchor(name)]; ok {
			t.Errorf("%s and %s have one anchor", name, other)
		}
		seen[anchor(name)] = name
	}
	if a := anchor(fmt.Sprintf("%q", "<&>")); strings.ContainsAny(a, `<&>"`) {
		t.Errorf("anchor %q", a)
	}
}
