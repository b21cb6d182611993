package top

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"edgescan/internal/web"
)

// Errors of a Client.
var (
	ErrToken = errors.New("it asks for the token of --web-token: give --token FILE")
	ErrOther = errors.New("what answers is no live page of edgescan's")
)

// Client asks the live page of a running edgescan, as its page in a browser does.
type Client struct {
	URL   string // as http://127.0.0.1:8469
	Token string // if it asks for one
}

// Bounds of what is taken from the other end.
const (
	maxMessage = 8 << 20 // bytes
	maxAnswer  = 1 << 20
	patience   = 10 * time.Second // for an answer to begin, and for messages, of which one comes a second
)

// do makes a request and returns the answer, if it is a good one.
func (c *Client) do(ctx context.Context, method, path string, form url.Values) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	q.Header.Set("X-Edgescan", "top")
	if c.Token != "" {
		q.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(q)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		err = failed.Err // it names what the caller knows
	}
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return nil, ErrToken
	}
	why, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
	return nil, fmt.Errorf("%s: %s", answer.Status, clean(strings.TrimSpace(string(why))))
}

// Watch gives f what there is and what changes until ctx ends or the connection is lost.
func (c *Client) Watch(ctx context.Context, f func(*web.Message)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(patience, func() { cancel(fmt.Errorf("nothing came for %v", patience)) })
	defer late.Stop()
	answer, err := c.do(ctx, "GET", "/events", nil)
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") != "text/event-stream" {
		return ErrOther
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, maxMessage)
	for lines.Scan() {
		late.Reset(patience)
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		m := &web.Message{}
		if err := json.Unmarshal([]byte(data), m); err != nil {
			return fmt.Errorf("%w: %w", ErrOther, err)
		}
		f(m)
	}
	return cmp.Or(context.Cause(ctx), lines.Err(), io.ErrUnexpectedEOF)
}

// Picture returns what was touched, as text: by the source of one of the incidents, or by
// one of the sources.
func (c *Client) Picture(ctx context.Context, of, id string, ascii bool) (string, error) {
	query := "?colour"
	if ascii {
		query += "&ascii"
	}
	text, err := c.get(ctx, "/"+of+"/"+url.PathEscape(id)+".txt"+query)
	return cleanLines(string(text)), err
}

// Sources returns the busiest sources.
func (c *Client) Sources(ctx context.Context) ([]web.BusySource, error) {
	text, err := c.get(ctx, "/sources")
	if err != nil {
		return nil, err
	}
	var list struct{ Sources []web.BusySource }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOther, err)
	}
	return list.Sources, nil
}

// get returns an answer of bounded size.
func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := c.do(ctx, "GET", path, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
}

// Press does what a button of the page does: dismiss, restore, allow or disallow.
func (c *Client) Press(ctx context.Context, button string, form url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := c.do(ctx, "POST", "/"+button, form)
	if err == nil {
		answer.Body.Close()
	}
	return err
}

// clean leaves of a text what a terminal may be given: no control characters.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// colours are the sequences that set colours, and nothing else.
var colours = regexp.MustCompile("\x1b\\[[0-9;]{0,20}m")

// cleanLines is clean for several lines, in which there may be colours.
func cleanLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		at := 0
		for _, found := range colours.FindAllStringIndex(line, -1) {
			b.WriteString(clean(line[at:found[0]]) + line[found[0]:found[1]])
			at = found[1]
		}
		b.WriteString(clean(line[at:]) + "\n")
	}
	return b.String()
}
