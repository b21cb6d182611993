package metrics

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serve serves the pages of the tests until the test ends.
func serve(t *testing.T) (address string) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Serve(ctx, l, map[string]Page{
			"/metrics": func(context.Context) (int, string, []byte) { return 200, ContentType, []byte("a 1\n") },
			"/healthz": func(context.Context) (int, string, []byte) { return 503, "text/plain", []byte("not well\n") },
		})
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
	address := serve(t)
	client := &http.Client{Timeout: 20 * time.Second}
	for _, test := range []struct {
		method, path string
		status       int
		contentType  string
		body         string
		length       int64
	}{
		{"GET", "/metrics", 200, ContentType, "a 1\n", 4},
		{"GET", "/metrics?name=a", 200, ContentType, "a 1\n", 4},
		{"HEAD", "/metrics", 200, ContentType, "", 4},
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
	address := serve(t)
	for name, text := range map[string]string{
		"no HTTP":           "hello\r\n\r\n",
		"HTTP/0.9":          "GET /metrics\r\n",
		"another version":   "GET /metrics HTTP/2.0\r\n\r\n",
		"two spaces":        "GET  /metrics HTTP/1.1\r\n\r\n",
		"TLS":               "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\n",
		"endless line":      "GET /" + strings.Repeat("a", maxRequest),
		"endless header":    "GET /metrics HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxRequest/6),
		"one large as well": "GET /metrics HTTP/1.1\r\nA: " + strings.Repeat("a", maxRequest),
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
	address := serve(t)
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
