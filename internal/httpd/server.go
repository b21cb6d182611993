// Package httpd answers HTTP/1.1 for the pages that the program shows of itself: one
// request a connection, few clients at a time, all of a request bounded.
//
// Requests come in, answers go out; what they are is the Handler's. net/http would
// make the device's program larger by a half, and has no bound on how many clients
// there are.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// ErrAddress is what Listen's errors of a bad address wrap.
var ErrAddress = errors.New("want ADDRESS:PORT, as 127.0.0.1:9469, or :PORT for 127.0.0.1")

// Bounds of what clients may cost.
const (
	maxClients = 8               // at a time; further ones wait
	maxStreams = 8               // answers that do not end; further ones are refused
	patience   = 5 * time.Second // for a request, and for taking an answer or a part of it
)

// Answer is what a request gets.
type Answer struct {
	Status int
	Type   string      // of the body
	Header [][2]string // names and values besides
	Body   []byte

	// Stream, if not nil, follows the Body until it returns, which it does when ctx
	// ends. Write fails when the client is gone or does not take what is written.
	Stream func(ctx context.Context, write func([]byte) error)
}

// Handler answers a request. It may be called by several goroutines at a time.
type Handler func(context.Context, *Request) Answer

// Text returns an answer in plain text.
func Text(status int, text string) Answer {
	return Answer{Status: status, Type: "text/plain; charset=utf-8", Body: []byte(text)}
}

// Listen opens the address. One without a host is of this machine only: who
// wants to be reached from elsewhere says where.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("%w: port %q", ErrAddress, port)
	} else if port = strconv.FormatUint(n, 10); host == "" {
		host = "127.0.0.1"
	}
	return net.Listen("tcp", net.JoinHostPort(host, port))
}

// server is one that runs.
type server struct {
	handler Handler
	clients chan struct{}
	streams chan struct{}
	running sync.WaitGroup
}

// Serve answers requests, one a connection, until ctx ends. It closes the listener,
// and returns when the last answer is given.
func Serve(ctx context.Context, l net.Listener, handler Handler) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	s := &server{handler: handler, clients: make(chan struct{}, maxClients), streams: make(chan struct{}, maxStreams)}
	defer s.running.Wait()
	for {
		s.clients <- struct{}{}
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			l.Close() // which may not have come to it yet
			return
		}
		if err != nil { // out of descriptors, or the client is gone
			<-s.clients
			time.Sleep(100 * time.Millisecond)
			continue
		}
		s.running.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now().Add(time.Second)) })
			defer stop()
			s.serve(ctx, conn)
		})
	}
}

// serve answers one client, who gives its place back before an answer that does not end.
func (s *server) serve(ctx context.Context, conn net.Conn) {
	a, head := s.answer(ctx, conn)
	if a.Stream != nil && !head {
		select {
		case s.streams <- struct{}{}:
			<-s.clients
			defer func() { <-s.streams }()
			if write(conn, a.head(), a.Body) == nil {
				stream(ctx, conn, a.Stream)
			}
			return
		default:
			a = Text(503, "too many watch already\n")
		}
	}
	defer func() { <-s.clients }()
	parts := [][]byte{a.head(), a.Body}
	if head {
		parts = parts[:1]
	}
	write(conn, parts...) // a client that is gone needs no answer
	drain(conn)
}

// answer reads a request and returns what becomes of it, and whether it is to have its
// head only.
func (s *server) answer(ctx context.Context, conn net.Conn) (a Answer, head bool) {
	conn.SetReadDeadline(time.Now().Add(patience))
	q, err := readRequest(conn)
	if err != nil {
		if r := (*refusal)(nil); errors.As(err, &r) {
			return Text(r.status, r.words+"\n"), false
		}
		return Text(400, "bad request\n"), false
	}
	return s.handler(ctx, q), q.Method == "HEAD"
}

// stream runs an answer that does not end until the client goes: it has nothing more to
// say, so that what is read is its end.
func stream(ctx context.Context, conn net.Conn, run func(context.Context, func([]byte) error)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn.SetReadDeadline(time.Time{})
	go func() {
		defer cancel()
		conn.Read(make([]byte, 1))
	}()
	run(ctx, func(b []byte) error { return write(conn, b) })
}

// write writes all parts, or fails.
func write(conn net.Conn, parts ...[]byte) error {
	conn.SetWriteDeadline(time.Now().Add(patience))
	buffers := net.Buffers(parts)
	_, err := buffers.WriteTo(conn)
	return err
}

// drain reads what a client still sends, for a moment: a connection that is closed over
// it is reset, and the client may lose the answer.
func drain(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok && c.CloseWrite() == nil {
		conn.SetReadDeadline(time.Now().Add(patience / 10))
		var b [512]byte
		for n := 0; n < maxHead+maxBody; {
			k, err := conn.Read(b[:])
			if err != nil {
				return
			}
			n += k
		}
	}
}

// head returns an answer's head.
func (a *Answer) head() []byte {
	b := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nConnection: close\r\n", a.Status, statusTexts[a.Status], a.Type)
	if a.Stream == nil {
		b = fmt.Appendf(b, "Content-Length: %d\r\n", len(a.Body))
	}
	for _, h := range a.Header {
		b = fmt.Appendf(b, "%s: %s\r\n", h[0], h[1])
	}
	return append(b, "\r\n"...)
}

var statusTexts = map[int]string{
	200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	409: "Conflict", 411: "Length Required", 413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
}

// Pages returns a Handler that answers GET and HEAD for some paths.
func Pages(pages map[string]func(context.Context) Answer) Handler {
	return func(ctx context.Context, q *Request) Answer {
		page := pages[q.Path]
		switch {
		case q.Method != "GET" && q.Method != "HEAD":
			a := Text(405, "only GET and HEAD\n")
			a.Header = [][2]string{{"Allow", "GET, HEAD"}}
			return a
		case page == nil:
			return Text(404, "no such page\n")
		}
		return page(ctx)
	}
}
