package httpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// Bounds of a request, bytes.
const (
	maxHead = 8 << 10
	maxBody = 4 << 10
)

// Request is what a client asks for.
type Request struct {
	Method string
	Path   string // as it was sent, without what follows a question mark
	Query  string // that, as it was sent
	Header textproto.MIMEHeader
	Body   []byte // at most 4 KiB
}

// refusal is why a request is not answered as it wants: a status, and words for who
// reads the answer.
type refusal struct {
	status int
	words  string
}

func (r *refusal) Error() string { return r.words }

var (
	errLine     = &refusal{400, "no request line of HTTP/1"}
	errLength   = &refusal{411, "a body needs one Content-Length"}
	errTooLarge = &refusal{413, fmt.Sprintf("a body has at most %d bytes", maxBody)}
)

// readRequest reads a request (RFC 9112). Its errors are a *refusal where there is
// somebody to tell.
func readRequest(from io.Reader) (*Request, error) {
	limited := &io.LimitedReader{R: from, N: maxHead}
	buffered := bufio.NewReader(limited)
	r := textproto.NewReader(buffered)
	line, err := r.ReadLine()
	if err != nil {
		return nil, err
	}
	fields := strings.Split(line, " ")
	if len(fields) != 3 || fields[0] == "" || !strings.HasPrefix(fields[1], "/") || fields[2] != "HTTP/1.1" && fields[2] != "HTTP/1.0" {
		return nil, errLine
	}
	q := &Request{Method: fields[0]}
	q.Path, q.Query, _ = strings.Cut(fields[1], "?")
	if q.Header, err = r.ReadMIMEHeader(); err != nil {
		return nil, &refusal{400, "bad header"}
	}
	length, err := q.length()
	if err != nil {
		return nil, err
	}
	limited.N += int64(length) // what is buffered is of the head's share
	q.Body = make([]byte, length)
	if _, err := io.ReadFull(buffered, q.Body); err != nil {
		return nil, err
	}
	return q, nil
}

// length returns how many bytes follow the header.
func (q *Request) length() (int, error) {
	lengths := q.Header.Values("Content-Length")
	if len(lengths) == 0 && q.Header.Get("Transfer-Encoding") == "" {
		return 0, nil
	}
	if len(lengths) != 1 || q.Header.Get("Transfer-Encoding") != "" {
		return 0, errLength
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, errLength
	case err != nil || n > maxBody:
		return 0, errTooLarge
	}
	return int(n), nil
}
