package capture

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inNamespace moves the test's thread into a network namespace of its own,
// which goes when the thread goes, at the test's end.
func inNamespace(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace and a packet socket")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the ip command of iproute2")
	}
	runtime.LockOSThread() // never unlocked: the thread must not serve anyone else
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("cannot make a network namespace: %v", err)
	}
}

// ip runs the ip command in the thread's namespace.
func ip(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Skipf("ip %s: %v: %s", args, err, out)
	}
}

// newPair makes a pair of connected interfaces, scan0 and scan1.
func newPair(t testing.TB) {
	t.Helper()
	ip(t, "link add scan0 type veth peer name scan1")
	for _, name := range []string{"scan0", "scan1"} {
		ip(t, "link set "+name+" addrgenmode none up")
	}
}

// injector opens a socket that sends frames out of an interface.
func injector(t testing.TB, name string) func(frame []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	device, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	to := unix.SockaddrLinklayer{Ifindex: device.Index}
	return func(frame []byte) {
		t.Helper()
		if err := unix.Sendto(fd, frame, 0, &to); err != nil {
			t.Error(err)
		}
	}
}

// expect waits for a TCP packet to the port, past whatever else arrives.
func expect(t *testing.T, l *Live, port uint16) (Frame, Packet) {
	t.Helper()
	var d Decoder
	var f Frame
	var p Packet
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		err := l.Next(&f)
		if errors.Is(err, ErrTimeout) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if d.Decode(f.Link, f.Time, f.Data, f.Wire, &p) == ReasonOK && p.Proto == ProtoTCP {
			if p.DstPort != port {
				t.Fatalf("got a packet to port %d, want %d", p.DstPort, port)
			}
			return f, p
		}
	}
	t.Fatalf("no packet to port %d within 5 seconds; %+v", port, l.Stats())
	return f, p
}

func TestLive(t *testing.T) {
	inNamespace(t)
	newPair(t)
	l, err := OpenLive(LiveConfig{Interface: "scan0", Snaplen: 128, Promiscuous: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()

	before := time.Now()
	injector(t, "scan1")(tcpFrame(1, ACK, 1000)) // bulk: the filter drops it
	injector(t, "scan1")(tcpFrame(2, SYN, 1000))
	f, p := expect(t, l, 2)
	if len(f.Data) != 128 || f.Wire != 1054 || p.Payload != 1000 || p.Flags != SYN {
		t.Errorf("captured %d bytes, wire %d, payload %d, flags %#x; want 128, 1054, 1000, SYN", len(f.Data), f.Wire, p.Payload, p.Flags)
	}
	if d := time.Unix(0, p.Time).Sub(before); d < -time.Second || d > 5*time.Second {
		t.Errorf("the time stamp is off by %v", d)
	}
	injector(t, "scan0")(tcpFrame(3, RST|ACK, 0)) // the other direction
	expect(t, l, 3)

	start := time.Now()
	for range 3 {
		if err := l.Next(&f); !errors.Is(err, ErrTimeout) {
			t.Fatalf("nothing comes: %v, want ErrTimeout", err)
		}
	}
	if d := time.Since(start); d > 3*250*time.Millisecond {
		t.Errorf("three timeouts took %v", d)
	}

	if s := l.Stats(); s.Frames < 2 || s.Dropped != 0 {
		t.Errorf("Stats() = %+v, want at least 2 frames and none dropped", s)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Next(&f); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Next after Close: %v, want ErrClosed", err)
	}
}

// TestLiveRing sends more than the ring holds, in steps that it can take, and
// then a flood that it cannot: what was lost must be counted.
func TestLiveRing(t *testing.T) {
	inNamespace(t)
	newPair(t)
	l, err := OpenLive(LiveConfig{Interface: "scan0", RingBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	send := injector(t, "scan1")
	for port := uint16(1); port <= 2000; port++ {
		send(tcpFrame(port, SYN, 0))
		if port%100 == 0 {
			for p := port - 99; p <= port; p++ {
				expect(t, l, p)
			}
		}
	}
	if s := l.Stats(); s.Dropped != 0 {
		t.Errorf("dropped %d", s.Dropped)
	}
	for port := uint16(1); port <= 2000; port++ {
		send(tcpFrame(port, SYN, 0))
	}
	if s := l.Stats(); s.Dropped == 0 {
		t.Errorf("Stats() = %+v, want drops", s)
	}
}

func TestLiveLoopback(t *testing.T) {
	inNamespace(t)
	ip(t, "link set lo up")
	l, err := OpenLive(LiveConfig{Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	injector(t, "lo")(tcpFrame(1, SYN, 0))
	injector(t, "lo")(tcpFrame(2, SYN, 0))
	expect(t, l, 1)
	expect(t, l, 2) // and not 1 once more
}

func TestLiveErrors(t *testing.T) {
	inNamespace(t)
	for _, name := range []string{"", "scan9", strings.Repeat("x", 99)} {
		if _, err := OpenLive(LiveConfig{Interface: name}); !errors.Is(err, ErrNoInterface) {
			t.Errorf("OpenLive(%q): %v, want ErrNoInterface", name, err)
		}
	}
	for _, size := range []int{-1, MinRingBytes - 1, MaxRingBytes + 1} {
		if _, err := OpenLive(LiveConfig{Interface: "lo", RingBytes: size}); !errors.Is(err, ErrRing) {
			t.Errorf("a ring of %d bytes: %v, want ErrRing", size, err)
		}
	}
}

func TestLivePermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs an ordinary user: root may capture")
	}
	if _, err := OpenLive(LiveConfig{Interface: "lo"}); !errors.Is(err, ErrPermission) {
		t.Errorf("OpenLive: %v, want ErrPermission", err)
	}
}

// BenchmarkLive sends frames through a pair of interfaces as fast as one
// thread can, and reads them on another.
func BenchmarkLive(b *testing.B) {
	for _, test := range []struct {
		name  string
		flags Flags
	}{{"kept", SYN}, {"bulk", ACK}} {
		b.Run(test.name, func(b *testing.B) {
			inNamespace(b)
			newPair(b)
			l, err := OpenLive(LiveConfig{Interface: "scan0"})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			send := injector(b, "scan1")
			done := make(chan bool)
			go func() {
				defer close(done)
				frame := tcpFrame(1, test.flags, 60)
				for range b.N {
					send(frame)
				}
			}()
			var d Decoder
			var f Frame
			var p Packet
			b.ResetTimer()
			for idle := false; ; {
				if err := l.Next(&f); err == nil {
					d.Decode(f.Link, f.Time, f.Data, f.Wire, &p)
					continue
				} else if !errors.Is(err, ErrTimeout) {
					b.Fatal(err)
				}
				if idle {
					break
				}
				select {
				case <-done:
					b.StopTimer()
					idle = true // what is still in the ring comes within one more interval
				default:
				}
			}
			s := l.Stats()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64(s.Dropped), "dropped")
			if got := d.Counts[ReasonOK]; got+s.Dropped < uint64(b.N) && test.flags == SYN {
				b.Errorf("%d frames sent, %d read, %d dropped", b.N, got, s.Dropped)
			}
		})
	}
}
