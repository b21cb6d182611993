package httpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
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
	Header Header
	Body   []byte // at most 4 KiB
}

// Header is the fields that came with a request, names in lower case.
type Header map[string][]string

// Get returns the first value of a field whose name is given in lower case, nothing
// where there is none.
func (h Header) Get(name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// refusal is why a request is not answered as it wants: a status, and words for who
// reads the answer.
type refusal struct {
	status int
	words  string
}

func (r *refusal) Error() string { return r.words }

var (
	errHeader   = &refusal{400, "bad header"}
	errLine     = &refusal{400, "no request line of HTTP/1"}
	errLength   = &refusal{411, "a body needs one Content-Length"}
	errTooLarge = &refusal{413, fmt.Sprintf("a body has at most %d bytes", maxBody)}
)

// readRequest reads a request (RFC 9112). Its errors are a *refusal where there is
// somebody to tell.
func readRequest(from io.Reader) (*Request, error) {
	limited := &io.LimitedReader{R: from, N: maxHead}
	buffered := bufio.NewReader(limited)
	line, err := readLine(buffered)
	if err != nil {
		return nil, err
	}
	fields := strings.Split(line, " ")
	if len(fields) != 3 || fields[0] == "" || !strings.HasPrefix(fields[1], "/") || fields[2] != "HTTP/1.1" && fields[2] != "HTTP/1.0" {
		return nil, errLine
	}
	q := &Request{Method: fields[0], Header: Header{}}
	q.Path, q.Query, _ = strings.Cut(fields[1], "?")
	if err := q.readHeader(buffered); err != nil {
		return nil, err
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

// readLine reads a line without its end.
func readLine(from *bufio.Reader) (string, error) {
	line, err := from.ReadString('\n')
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}

// readHeader reads the header to the empty line. It takes less than net/textproto does,
// which weighs 13 KiB more on the device: no line that goes on in the next.
func (q *Request) readHeader(from *bufio.Reader) error {
	for {
		line, err := readLine(from)
		if err != nil || line == "" {
			return err
		}
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" || strings.ContainsFunc(name, notToken) || strings.ContainsFunc(value, unprintable) {
			return errHeader
		}
		name = strings.ToLower(name)
		q.Header[name] = append(q.Header[name], strings.Trim(value, " \t"))
	}
}

// notToken reports whether a letter cannot be of a field's name (RFC 9110, 5.6.2).
func notToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

func unprintable(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// length returns how many bytes follow the header.
func (q *Request) length() (int, error) {
	lengths := q.Header["content-length"]
	if len(lengths) == 0 && q.Header.Get("transfer-encoding") == "" {
		return 0, nil
	}
	if len(lengths) != 1 || q.Header.Get("transfer-encoding") != "" {
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
