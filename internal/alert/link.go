package alert

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits on what a receiver may take of a sender's time.
const (
	dialLimit   = 5 * time.Second // name lookup and TLS included
	writeLimit  = 30 * time.Second
	lastWord    = 100 * time.Millisecond // after an error in writing
	userTimeout = time.Minute            // of TCP: until data that nobody acknowledges ends the connection
)

// How long what was sent may look as if nobody had read it before it counts as
// read all the same.
const (
	settleUDP = 50 * time.Millisecond // time for an ICMP message to come back
	settleTCP = 5 * time.Second       // for receivers whose window does not tell
)

// link is a connection to a receiver, and what of the records sent over it the
// receiver has not surely read.
//
// Syslog has no acknowledgement. What the kernel can tell stands for it: how
// much of a socket the other end's program has not read (Unix sockets), or its
// kernel not acknowledged and, by the window it advertises, its program not read
// (TCP on Linux).
type link struct {
	target Target
	conn   net.Conn     // to write to
	socket *countedConn // what lies below it
	inode  os.FileInfo  // of a Unix datagram socket
	frame  func(b, record []byte) []byte
	buffer []byte

	ends   []int64   // of each record that may be unread: bytes written up to its end
	sent   time.Time // the last one
	window uint32    // that a TCP receiver had when it had read all
	short  struct {  // the least one since; 0: none was less
		window  uint32
		written int64
	}

	ended chan struct{} // closed once the receiver said the last word
	err   error         // how it did; read once ended is closed
}

// countedConn counts what is written.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// dial connects to t.
func dial(ctx context.Context, t Target, security *Security) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	l := &link{target: t, ended: make(chan struct{})}
	switch t.Network {
	case "unix":
		return l, l.dialUnix(ctx)
	case "udp":
		l.frame = appendWhole
		return l, l.open(ctx, "udp", nil)
	}
	l.frame = appendCounted
	return l, l.open(ctx, "tcp", security)
}

// dialUnix connects to a local socket, which takes datagrams nearly everywhere,
// else a stream, which wants line ends.
func (l *link) dialUnix(ctx context.Context) (err error) {
	l.frame = appendWhole
	if l.inode, err = os.Stat(l.target.Address); err != nil {
		return err
	}
	err = l.open(ctx, "unixgram", nil)
	if errors.Is(err, syscall.EPROTOTYPE) {
		l.frame, l.inode = appendLine, nil
		return l.open(ctx, "unix", nil)
	}
	return err
}

func (l *link) open(ctx context.Context, network string, security *Security) error {
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		if network == "tcp" {
			limitSilence(raw)
		}
		return nil
	}}
	conn, err := dialer.DialContext(ctx, network, l.target.Address)
	if err != nil {
		return err
	}
	l.socket = &countedConn{Conn: conn}
	l.conn = l.socket
	if l.target.Network == "tls" {
		if l.conn, err = security.handshake(ctx, l.socket, l.target.Host()); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	go l.listen()
	return nil
}

// listen waits for the end: of syslog a receiver says nothing else.
func (l *link) listen() {
	_, err := io.Copy(io.Discard, l.conn)
	if err == nil {
		err = io.EOF
	}
	l.err = err
	close(l.ended)
}

// keep reports whether the connection is worth keeping while there is nothing
// to send: where it costs packets to make one, and its end is noticed.
func (l *link) keep() bool { return l.target.Network == "tcp" || l.target.Network == "tls" }

func (l *link) send(record []byte) error {
	l.buffer = l.frame(l.buffer[:0], record)
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := l.conn.Write(l.buffer); err != nil {
		return err
	}
	l.sent = time.Now()
	l.ends = append(l.ends, l.socket.written.Load())
	return nil
}

// read returns how many records count as read since the last time. At the
// program's end, what the other kernel acknowledged is enough.
func (l *link) read(ending bool) int {
	if len(l.ends) == 0 {
		return 0
	}
	quiet := time.Since(l.sent)
	switch l.target.Network {
	case "udp":
		if quiet < settleUDP {
			return 0
		}
	case "unix":
		if unreadUnix(l.socket.Conn) > 0 {
			return 0
		}
	default:
		seen := l.readTCP() || ending || quiet >= settleTCP
		if !seen || stateOfTCP(l.socket.Conn).unacknowledged > 0 {
			return 0
		}
	}
	if l.broken() != nil {
		return 0
	}
	return l.drop(len(l.ends))
}

// readTCP reports whether the other end's program seems to have read all. Its
// kernel advertises as window what its buffer has room for, so that it is as
// large again once all was read, or, if it tells late, rises with what is sent
// further, or does at least not shrink by it.
func (l *link) readTCP() bool {
	state := stateOfTCP(l.socket.Conn)
	if state.unacknowledged > 0 {
		return false
	}
	written := l.socket.written.Load()
	further := written - l.short.written
	switch {
	case state.window >= l.window:
	case l.short.window == 0 || state.window < l.short.window:
		l.short.written, l.short.window = written, state.window
		return false
	case state.window < l.short.window+minFurther && further < minFurther:
		return false
	}
	l.window, l.short.window = state.window, 0
	return true
}

// minFurther is how many bytes it takes until a window changes for sure: the
// kernel rounds it.
const minFurther = 4 << 10

// readBeforeEnd returns how many records count as read once the link is
// broken. A TCP receiver that closes with something unread says so by a reset;
// one that does not has read what its kernel acknowledged.
func (l *link) readBeforeEnd(err error) int {
	reset := errors.Is(err, syscall.ECONNRESET)
	closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE)
	if !l.keep() || reset || !closed {
		return 0
	}
	upTo := l.socket.written.Load() - int64(stateOfTCP(l.socket.Conn).unacknowledged)
	n := 0
	for n < len(l.ends) && l.ends[n] <= upTo {
		n++
	}
	return l.drop(n)
}

func (l *link) drop(n int) int {
	l.ends = append(l.ends[:0], l.ends[n:]...)
	return n
}

// broken returns why nothing more can be sent, or nil.
func (l *link) broken() error {
	select {
	case <-l.ended:
		return l.err
	default:
	}
	switch {
	case l.target.Network != "unix":
		return nil
	case l.inode != nil && len(l.ends) > 0 && !l.same():
		return syscall.ECONNREFUSED
	}
	return hungUp(l.socket.Conn)
}

// failed returns the whole of an error in writing: which of the two, who
// writes or who reads, learns of a reset, the kernel leaves to chance.
func (l *link) failed(err error) error {
	select {
	case <-l.ended:
		return errors.Join(err, l.err)
	case <-time.After(lastWord):
		return err
	}
}

// same reports whether who listens on a datagram socket's path still is who it
// was: if not, it is its end, not its reading, that emptied the socket.
func (l *link) same() bool {
	now, err := os.Stat(l.target.Address)
	if err != nil || !os.SameFile(l.inode, now) || !now.ModTime().Equal(l.inode.ModTime()) { // the inode may be used again
		return false
	}
	conn, err := net.Dial("unixgram", l.target.Address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func (l *link) close() {
	l.conn.Close() // of TLS tells the other end
	<-l.ended
}

// appendWhole is for datagrams.
func appendWhole(b, record []byte) []byte { return append(b, record...) }

// appendLine is for local streams.
func appendLine(b, record []byte) []byte { return append(append(b, record...), '\n') }

// appendCounted is octet counting (RFC 6587, 3.4.1; RFC 5425, 4.3).
func appendCounted(b, record []byte) []byte {
	b = append(strconv.AppendInt(b, int64(len(record)), 10), ' ')
	return append(b, record...)
}
