package httpd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pages are those of the tests.
var pages = Pages(map[string]func(context.Context) Answer{
	"/metrics": func(context.Context) Answer { return Answer{Status: 200, Type: figures, Body: []byte("a 1\n")} },
	"/healthz": func(context.Context) Answer {
		return Answer{Status: 503, Type: "text/plain", Body: []byte("not well\n")}
	},
})

const figures = "text/plain; version=0.0.4; charset=utf-8"

// serve serves until the test ends.
func serve(t *testing.T, handler Handler) (address string) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Serve(ctx, l, handler)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
			c.Close()
			t.Error("still listens")
		}
	})
	return l.Addr().String()
}

// TestServeAnswersHTTP has Go's own client read the answers.
func TestServeAnswersHTTP(t *testing.T) {
	address := serve(t, pages)
	client := &http.Client{Timeout: 20 * time.Second}
	for _, test := range []struct {
		method, path string
		status       int
		contentType  string
		body         string
		length       int64
	}{
		{"GET", "/metrics", 200, figures, "a 1\n", 4},
		{"GET", "/metrics?name=a", 200, figures, "a 1\n", 4},
		{"HEAD", "/metrics", 200, figures, "", 4},
		{"GET", "/healthz", 503, "text/plain", "not well\n", 9},
		{"GET", "/", 404, "text/plain; charset=utf-8", "no such page\n", 13},
		{"GET", "/metrics/", 404, "text/plain; charset=utf-8", "no such page\n", 13},
		{"HEAD", "/nowhere", 404, "text/plain; charset=utf-8", "", 13},
		{"POST", "/metrics", 405, "text/plain; charset=utf-8", "only GET and HEAD\n", 18},
		{"DELETE", "/nowhere", 405, "text/plain; charset=utf-8", "only GET and HEAD\n", 18},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			request, err := http.NewRequest(test.method, "http://"+address+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != test.status || string(body) != test.body || answer.ContentLength != test.length || answer.Header.Get("Content-Type") != test.contentType {
				t.Errorf("answers %s, %q, length %d, type %q", answer.Status, body, answer.ContentLength, answer.Header.Get("Content-Type"))
			}
			if test.status == 405 && answer.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("allows %q", answer.Header.Get("Allow"))
			}
		})
	}
}

// ask sends text and returns what comes back until the server closes.
func ask(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(conn, text) // the server may close before it has all
	answer, err := io.ReadAll(conn)
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		t.Fatalf("no end of the answer to %.40q", text)
	}
	return string(answer)
}

func TestServeOfBadRequests(t *testing.T) {
	address := serve(t, pages)
	for name, text := range map[string]string{
		"no HTTP":           "hello\r\n\r\n",
		"HTTP/0.9":          "GET /metrics\r\n",
		"another version":   "GET /metrics HTTP/2.0\r\n\r\n",
		"two spaces":        "GET  /metrics HTTP/1.1\r\n\r\n",
		"TLS":               "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\n",
		"endless line":      "GET /" + strings.Repeat("a", maxHead),
		"endless header":    "GET /metrics HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxHead/6),
		"one large as well": "GET /metrics HTTP/1.1\r\nA: " + strings.Repeat("a", maxHead),
	} {
		t.Run(name, func(t *testing.T) {
			if answer := ask(t, address, text); answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 400 Bad Request\r\n") {
				t.Errorf("answers %q", answer)
			}
		})
	}
	if answer := ask(t, address, "GET /metrics HTTP/1.0\n\n"); !strings.HasSuffix(answer, "\r\n\r\na 1\n") {
		t.Errorf("afterwards it answers %q", answer)
	}
}

// TestServeOutlastsSlowClients has more clients than it serves at a time that
// send half a request, or nothing.
func TestServeOutlastsSlowClients(t *testing.T) {
	address := serve(t, pages)
	for i := range maxClients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			io.WriteString(conn, "GET /metrics HT")
		}
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(conn, "GET /metrics HTTP/1.1\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("answers %v, %v", answer, err)
	}
	answer.Body.Close()
}

func TestListenRefusesBadAddresses(t *testing.T) {
	for _, address := range []string{"", "9469", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "::1:9469", "[::1]", "127.0.0.1:+1", "a:b:c"} {
		t.Run(address, func(t *testing.T) {
			l, err := Listen(address)
			if err == nil {
				l.Close()
			}
			if !errors.Is(err, ErrAddress) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestListenIsOfThisMachineOnly(t *testing.T) {
	l, err := Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		t.Errorf("listens at %v", ip)
	}
	if second, err := Listen(l.Addr().String()); err == nil || errors.Is(err, ErrAddress) {
		t.Errorf("twice at an address: %v, %v", second, err)
	}
}

// echo answers with what came.
func echo(_ context.Context, q *Request) Answer {
	a := Text(200, q.Method+" "+q.Path+" "+q.Query+" "+q.Header.Get("x-some")+" "+string(q.Body))
	a.Header = [][2]string{{"X-Other", "thing"}}
	return a
}

func TestServeTakesBodies(t *testing.T) {
	address := serve(t, echo)
	client := &http.Client{Timeout: 20 * time.Second}
	for _, n := range []int{0, 5, maxBody} {
		body := strings.Repeat("b", n)
		request, err := http.NewRequest("POST", "http://"+address+"/a/b?c=d", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("x-some", "word")
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if want := "POST /a/b c=d word " + body; err != nil || string(got) != want || answer.Header.Get("X-Other") != "thing" {
			t.Errorf("a body of %d bytes: answers %.60q, %v", n, got, err)
		}
	}
	for name, test := range map[string]struct{ text, status string }{
		"too large":   {"POST / HTTP/1.1\r\nContent-Length: 4097\r\n\r\n" + strings.Repeat("b", 4097), "413"},
		"huge":        {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", "413"},
		"negative":    {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "411"},
		"two lengths": {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "411"},
		"in chunks":   {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"},
		"both":        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "411"},
	} {
		if answer := ask(t, address, test.text); !strings.HasPrefix(answer, "HTTP/1.1 "+test.status+" ") {
			t.Errorf("%s: answers %q", name, answer)
		}
	}
}

// TestServeOfStreams has more clients watch than may, beside others that ask.
func TestServeOfStreams(t *testing.T) {
	var running atomic.Int64
	address := serve(t, func(ctx context.Context, q *Request) Answer {
		if q.Path != "/stream" {
			return echo(ctx, q)
		}
		return Answer{Status: 200, Type: "text/event-stream", Body: []byte("first\n"), Stream: func(ctx context.Context, write func([]byte) error) {
			running.Add(1)
			defer running.Add(-1)
			if write([]byte("second\n")) == nil {
				<-ctx.Done()
			}
		}}
	})
	var streams []net.Conn
	for i := range maxStreams + 1 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(conn, "GET /stream HTTP/1.1\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == maxStreams {
			if answer.StatusCode != 503 {
				t.Errorf("one too many gets %s", answer.Status)
			}
			break
		}
		got := make([]byte, len("first\nsecond\n"))
		if _, err := io.ReadFull(answer.Body, got); err != nil || string(got) != "first\nsecond\n" {
			t.Fatalf("stream %d begins with %q, %v", i, got, err)
		}
		streams = append(streams, conn)
	}
	for range 3 * maxClients {
		if answer := ask(t, address, "GET /other HTTP/1.1\r\n\r\n"); !strings.Contains(answer, "GET /other") {
			t.Fatalf("beside streams it answers %q", answer)
		}
	}
	for _, conn := range streams[1:] { // the first one ends with the server
		conn.Close()
	}
	for deadline := time.Now().Add(20 * time.Second); running.Load() > 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams go on whose readers are gone", running.Load())
		}
	}
}

// FuzzReadRequest compares with Go's own parser: what is taken here is understood there
// in the same way.
func FuzzReadRequest(f *testing.F) {
	for _, s := range []string{
		"GET /metrics HTTP/1.0\n\n",
		"POST /dismiss?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}x",
		"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		q, err := readRequest(bytes.NewReader(text))
		if err != nil {
			return
		}
		if len(q.Body) > maxBody || len(q.Path) > maxHead {
			t.Fatalf("%d bytes of body, %d of path", len(q.Body), len(q.Path))
		}
		want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if err != nil {
			return // of some paths and names of hosts, which are only compared here
		}
		body, _ := io.ReadAll(want.Body)
		if q.Method != want.Method || q.Path+"?"+q.Query != want.RequestURI && q.Path != want.RequestURI || !bytes.Equal(q.Body, body) {
			t.Errorf("%q is taken for %+v, by net/http for %+v", text, q, want)
		}
		if host := q.Header.Get("host"); host != want.Host {
			t.Errorf("%q is of host %q, by net/http of %q", text, host, want.Host)
		}
		for name := range want.Header {
			if q.Header.Get(strings.ToLower(name)) != want.Header.Get(name) {
				t.Errorf("%q: %s is %q, by net/http %q", text, name, q.Header.Get(name), want.Header.Get(name))
			}
		}
	})
}
