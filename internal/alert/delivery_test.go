package alert

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"edgescan/internal/detect"
	"edgescan/internal/spool"
)

// testHeader does not depend on the machine.
func testHeader() Header {
	h := NewHeader()
	h.Host, h.Version, h.pid, h.zone = "router", "1.2.3", 42, zone
	return h
}

// reports are what a Sender said of its receiver.
type reports struct {
	mu  sync.Mutex
	all []Report
}

func (r *reports) add(report Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, report)
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.all)
}

// inMemory is what a queue without a folder may hold in tests.
var inMemory = spool.Config{Memory: 32 << 20}

// testSyslog returns a sink that has begun to send.
func testSyslog(t *testing.T, target string, c spool.Config) *Sender {
	t.Helper()
	return startSender(t, NewSyslog(parse(t, target), testHeader(), nil), c)
}

// testCEF is testSyslog with lines of CEF.
func testCEF(t *testing.T, target string) *Sender {
	t.Helper()
	return startSender(t, NewSyslog(parse(t, target), headerOfCEF(t), nil), inMemory)
}

func headerOfCEF(t *testing.T) Header {
	t.Helper()
	h := testHeader()
	if err := h.SetFormat("cef"); err != nil {
		t.Fatal(err)
	}
	return h
}

func parse(t *testing.T, target string) Target {
	t.Helper()
	parsed, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func startSender(t *testing.T, s *Sender, c spool.Config) *Sender {
	t.Helper()
	var said reports
	if err := s.Start(c, said.add); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cancel()
		s.Close()
		if t.Failed() {
			t.Log("the sender said", &said)
		}
	})
	return s
}

func send(t *testing.T, s Sink, events ...detect.Event) {
	t.Helper()
	for _, e := range events {
		if err := s.Alert(e); err != nil {
			t.Fatal(err)
		}
	}
}

// numbered is an event that its ID tells from others.
func numbered(i int) detect.Event {
	e := vertical()
	e.ID = uint64(i)
	return e
}

// waitUntil waits for a limited time.
func waitUntil(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain: ", what)
		}
	}
}

func waitDelivered(t *testing.T, s *Sender) {
	t.Helper()
	waitUntil(t, "until all is delivered", func() bool { return s.queue.Stats().Waiting == 0 })
}

// collector takes TCP connections and keeps the records that it reads.
type collector struct {
	listener net.Listener
	mu       sync.Mutex
	ids      []string
	conns    []net.Conn
}

func newCollector(t *testing.T, address string) *collector {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{listener: l}
	t.Cleanup(c.stop)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, conn)
			c.mu.Unlock()
			go c.read(conn)
		}
	}()
	return c
}

func (c *collector) read(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		count, err := r.ReadString(' ')
		if err != nil {
			return
		}
		length, err := strconv.Atoi(strings.TrimSuffix(count, " "))
		if err != nil {
			panic(err)
		}
		record := make([]byte, length)
		if _, err := io.ReadFull(r, record); err != nil {
			return
		}
		_, rest, _ := strings.Cut(string(record), ` id="`)
		c.mu.Lock()
		c.ids = append(c.ids, rest[:16])
		c.mu.Unlock()
	}
}

// stop closes everything, as a program's end does.
func (c *collector) stop() {
	c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// settle waits until nothing more is read.
func (c *collector) settle() {
	for n := -1; n != len(c.got()); time.Sleep(50 * time.Millisecond) {
		n = len(c.got())
	}
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.ids...)
}

// wantIDs wants the IDs of numbered events from 0 on, in order, each once.
func wantIDs(t *testing.T, got []string, n int) {
	t.Helper()
	for i := range min(n, len(got)) {
		if got[i] != idString(uint64(i)) {
			t.Fatalf("record %d has ID %s", i, got[i])
		}
	}
	if len(got) != n {
		t.Fatalf("%d records, want %d", len(got), n)
	}
}

// TestTCPReceiverRestarts takes the receiver away between alerts, which a
// connection that was left open would not notice before it lost one.
func TestTCPReceiverRestarts(t *testing.T) {
	c := newCollector(t, "127.0.0.1:0")
	address := c.listener.Addr().String()
	s := testSyslog(t, "tcp://"+address, inMemory)
	send(t, s, numbered(0))
	waitDelivered(t, s)
	waitUntil(t, "for the first record", func() bool { return len(c.got()) > 0 })
	c.stop()
	send(t, s, numbered(0), numbered(1))
	c = newCollector(t, address)
	send(t, s, numbered(2))
	waitDelivered(t, s)
	c.settle()
	wantIDs(t, c.got(), 3)
}

// TestTCPAway keeps alerts in a folder over a restart, for a receiver that is
// not there yet.
func TestTCPAway(t *testing.T) {
	folder := spool.Config{Folder: t.TempDir(), Disk: 1 << 20, Memory: 1 << 20}
	c := newCollector(t, "127.0.0.1:0")
	address := c.listener.Addr().String()
	c.stop()
	s := testSyslog(t, "tcp://"+address, folder)
	for i := range 100 {
		send(t, s, numbered(i))
	}
	s.cancel() // Close has no patience
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Left() != 100 || s.Lost() != 0 {
		t.Errorf("%d are left, %d lost", s.Left(), s.Lost())
	}
	c = newCollector(t, address)
	s = testSyslog(t, "tcp://"+address, folder)
	send(t, s, numbered(100))
	waitDelivered(t, s)
	c.settle()
	wantIDs(t, c.got(), 101)
}

// TestCloseSendsWhatIsQueued needs no pause between the last alert and the end.
func TestCloseSendsWhatIsQueued(t *testing.T) {
	c := newCollector(t, "127.0.0.1:0")
	s := testSyslog(t, "tcp://"+c.listener.Addr().String(), inMemory)
	for i := range 1000 {
		send(t, s, numbered(i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Lost() != 0 {
		t.Errorf("%d are lost", s.Lost())
	}
	waitUntil(t, "for the last record", func() bool { return len(c.got()) >= 1000 })
	wantIDs(t, c.got(), 1000)
}

// TestTCPNobodyReads wants that alerts do not wait for who does not read, that
// what the receiver had not read when it ended is sent to the next one, and
// that no more than a few records are under way.
func TestTCPNobodyReads(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := testSyslog(t, "tcp://"+l.Addr().String(), inMemory)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		send(t, s, numbered(i))
	}
	time.Sleep(300 * time.Millisecond) // let it send what it may
	taken := 500 - s.queue.Stats().Waiting
	if taken > 2*inDoubt { // what the window does not show at a connection's start
		t.Errorf("%d of 500 count as delivered to who read nothing", taken)
	}
	l.Close()
	conn.Close()
	c := newCollector(t, l.Addr().String())
	waitDelivered(t, s)
	c.settle()
	if got := c.got(); len(got) != 500-taken || got[len(got)-1] != idString(499) {
		t.Errorf("%d records came", len(got))
	}
}

// TestUnixDatagramDaemonKilled ends a daemon that has not read all.
func TestUnixDatagramDaemonKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	conn := listenUnixgram(t, path)
	s := testSyslog(t, "unix://"+path, inMemory)
	send(t, s, vertical(), block(), arpSweep())
	if got := receive(t, conn); got != wantLocal {
		t.Errorf("got  %s\nwant %s", got, wantLocal)
	}
	time.Sleep(100 * time.Millisecond) // the others lie in the socket
	conn.Close()
	os.Remove(path)
	conn = listenUnixgram(t, path)
	for _, e := range []detect.Event{vertical(), block(), arpSweep()} { // which was read is not known
		if got := receive(t, conn); !strings.HasSuffix(got, message(e)) {
			t.Errorf("got %q, want %q", got, message(e))
		}
	}
	waitDelivered(t, s)
}

// TestDroppedIsTold fills a small queue.
func TestDroppedIsTold(t *testing.T) {
	s := testSyslog(t, "unix://"+filepath.Join(t.TempDir(), "nobody"), spool.Config{Memory: 4 << 10})
	errs := 0
	for range 100 {
		if err := s.Alert(vertical()); err != nil {
			errs++
			if !errors.Is(err, ErrDropped) {
				t.Error(err)
			}
		}
	}
	if errs != 1 {
		t.Errorf("told %d times, want once a minute", errs)
	}
	fan := Fan{Sinks: []Sink{s}}
	before := fan.Undelivered()
	s.cancel()
	fan.Close()
	if before == 0 || before >= 100 || fan.Undelivered() != 100 {
		t.Errorf("%d undelivered before the end, %d after it, want some and 100", before, fan.Undelivered())
	}
}

// TestUDPRefused keeps what a port that nobody listens at refuses.
func TestUDPRefused(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := conn.LocalAddr().String()
	conn.Close()
	s := testSyslog(t, "udp://"+address, inMemory)
	send(t, s, vertical(), block())
	time.Sleep(200 * time.Millisecond)
	if conn, err = net.ListenPacket("udp", address); err != nil {
		t.Skip("the port was taken meanwhile:", err)
	}
	defer conn.Close()
	checkRFC5424(t, receive(t, conn.(net.Conn)), vertical())
	checkRFC5424(t, receive(t, conn.(net.Conn)), block())
	waitDelivered(t, s)
}

// TestSocketJSON sends to a datagram socket and to a stream.
func TestSocketJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "json")
	conn := listenUnixgram(t, path)
	s := startSender(t, NewSocketJSON(path, JSON), inMemory)
	send(t, s, vertical())
	if got := receive(t, conn); got != string(JSON(vertical())) {
		t.Errorf("a datagram holds %q", got)
	}
	waitDelivered(t, s)
	conn.Close()
	os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	send(t, s, vertical(), block())
	stream, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	want := string(JSON(vertical())) + "\n" + string(JSON(block())) + "\n"
	got := make([]byte, len(want))
	stream.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(stream, got); err != nil || string(got) != want {
		t.Errorf("the stream holds %q, %v", got, err)
	}
}
