package metrics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// ErrAddress is what Listen's errors of a bad address wrap.
var ErrAddress = errors.New("want ADDRESS:PORT, as 127.0.0.1:9469, or :PORT for 127.0.0.1")

// Bounds of what a client may cost.
const (
	maxClients = 8               // at a time; further ones wait
	maxRequest = 8 << 10         // bytes
	patience   = 5 * time.Second // for a request, and for taking the answer
)

// Page answers a request for a path: an HTTP status, the type of the body and
// the body. It may be called by several goroutines at a time.
type Page func(context.Context) (status int, contentType string, body []byte)

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

// Serve answers GET and HEAD for the pages, one request a connection, until ctx
// ends. It closes the listener.
func Serve(ctx context.Context, l net.Listener, pages map[string]Page) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	slots := make(chan struct{}, maxClients)
	for {
		slots <- struct{}{}
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return
		}
		if err != nil { // out of descriptors, or the client is gone
			<-slots
			time.Sleep(100 * time.Millisecond)
			continue
		}
		go func() {
			defer func() { <-slots }()
			defer conn.Close()
			answer(ctx, conn, pages)
		}()
	}
}

// answer reads a request and writes what becomes of it.
func answer(ctx context.Context, conn net.Conn, pages map[string]Page) {
	conn.SetReadDeadline(time.Now().Add(patience))
	method, path, err := readRequest(bufio.NewReader(io.LimitReader(conn, maxRequest)))
	status, contentType, body := 400, "text/plain; charset=utf-8", []byte("bad request\n")
	if err == nil {
		page, known := pages[path]
		switch {
		case method != "GET" && method != "HEAD":
			status, body = 405, []byte("only GET and HEAD\n")
		case !known:
			status, body = 404, []byte("no such page\n")
		default:
			status, contentType, body = page(ctx)
		}
	}
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n", status, statusText(status), contentType, len(body))
	if status == 405 {
		head += "Allow: GET, HEAD\r\n"
	}
	head += "\r\n"
	conn.SetWriteDeadline(time.Now().Add(patience))
	if method == "HEAD" {
		body = nil
	}
	conn.Write(append([]byte(head), body...)) // a client that is gone needs no answer
}

// readRequest reads the request line and passes over the header (RFC 9112).
func readRequest(r *bufio.Reader) (method, path string, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", "", err
	}
	fields := strings.Split(strings.TrimRight(line, "\r\n"), " ")
	if len(fields) != 3 || !strings.HasPrefix(fields[2], "HTTP/1.") {
		return "", "", errors.New("no request line of HTTP/1")
	}
	for {
		header, err := r.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		if strings.TrimRight(header, "\r\n") == "" {
			path, _, _ = strings.Cut(fields[1], "?")
			return fields[0], path, nil
		}
	}
}

func statusText(status int) string {
	switch status {
	case 200:
		return "OK"
	case 400:
		return "Bad Request"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 503:
		return "Service Unavailable"
	}
	return "Unknown"
}
