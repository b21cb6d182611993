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

// openPair makes a pair in a namespace of its own, and captures from scan0 until the
// test ends.
func openPair(t testing.TB, cfg LiveConfig) *Live {
	t.Helper()
	inNamespace(t)
	newPair(t)
	cfg.Interface = "scan0"
	l, err := OpenLive(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
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
	l := openPair(t, LiveConfig{Snaplen: 128, Promiscuous: true})

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

// TestLiveTag sends tagged frames, of which the kernel takes the outer tag.
func TestLiveTag(t *testing.T) {
	l := openPair(t, LiveConfig{})
	for n, test := range []struct {
		before []byte
		want   Tag
	}{
		{nil, Tag{}},
		{[]byte{0x81, 0, 0x60, 7}, Tag{etherVLAN, 0x6007}},
		{[]byte{0x88, 0xa8, 0, 9, 0x81, 0, 0, 7}, Tag{etherQinQ, 9}},
		{nil, Tag{}},
	} {
		port := uint16(n + 1)
		injector(t, "scan1")(inEthernetOf(test.before...)(kind4, tcpFrame(port, SYN, 0)[14:]))
		if f, _ := expect(t, l, port); f.Tag != test.want {
			t.Errorf("a frame with %x before the ethertype: tag %+v, want %+v", test.before, f.Tag, test.want)
		}
	}
}

// TestLiveRing sends more than the ring holds, in steps that it can take, and
// then a flood that it cannot: what was lost must be counted.
func TestLiveRing(t *testing.T) {
	l := openPair(t, LiveConfig{RingBytes: 64 << 10})
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

// TestLiveShed sends a flow of UDP that is bulk between packets that are not:
// the kernel keeps most of it back, and nothing else.
func TestLiveShed(t *testing.T) {
	l := openPair(t, LiveConfig{})
	send := injector(t, "scan1")
	bulk := plain(kind6, udpFlowPacket(bulkFlows[1]))
	const rounds, each = 25, 200
	var d Decoder
	var f Frame
	var p Packet
	through := 0
	for n := range uint16(rounds) {
		for range each {
			send(bulk)
		}
		probe := bulkFlows[1]
		probe.dstPort = n
		send(plain(kind6, udpFlowPacket(probe)))
		for {
			err := l.Next(&f)
			if errors.Is(err, ErrTimeout) && n < rounds {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			d.Decode(f.Link, f.Time, f.Data, f.Wire, &p)
			l.Decoded(&p)
			if p.Proto != ProtoUDP {
				continue
			}
			if p.DstPort != bulkFlows[1].dstPort {
				break // the probe, or a test that has gone wrong
			}
			through++
		}
		if p.DstPort != n {
			t.Fatalf("got a packet to port %d, want %d", p.DstPort, n)
		}
	}
	if through < shedAfter || through > rounds*each/2 {
		t.Errorf("of %d packets of a flow %d passed, want not many more than %d", rounds*each, through, shedAfter)
	}
	if s := l.Stats(); s.Shed != 1 || s.Dropped != 0 {
		t.Errorf("Stats() = %+v, want one flow shed and nothing dropped", s)
	}
}

// TestLiveShedMost has the kernel take the longest program.
func TestLiveShedMost(t *testing.T) {
	l := openPair(t, LiveConfig{})
	for n := range uint16(shedFlows) {
		f := bulkFlows[1]
		f.srcPort = n
		l.shed.flows = append(l.shed.flows, shedFlow{f, time.Now().UnixNano() + shedFor})
	}
	before := len(l.shed.flows)
	l.reprogram()
	t.Logf("of %d flows the kernel takes %d", before, len(l.shed.flows))
	if len(l.shed.flows) == 0 {
		t.Error("the kernel takes no flow")
	}
	send := injector(t, "scan1")
	for n := range uint16(len(l.shed.flows)) {
		f := bulkFlows[1]
		f.srcPort = n
		send(plain(kind6, udpFlowPacket(f)))
	}
	send(tcpFrame(5, SYN, 0))
	expect(t, l, 5)
	if n := l.Stats().Frames; n > 3 {
		t.Errorf("%d frames came through, want one", n)
	}
}

// TestLiveShedLapse lets the time of a flow run out while nothing else comes: it
// comes again.
func TestLiveShedLapse(t *testing.T) {
	l := openPair(t, LiveConfig{})
	l.shed.flows = []shedFlow{{bulkFlows[0], time.Now().Add(time.Second).UnixNano()}}
	l.reprogram()
	send := injector(t, "scan1")
	var d Decoder
	var f Frame
	var p Packet
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		shed := len(l.shed.flows) > 0
		send(plain(kind4, udpFlowPacket(bulkFlows[0])))
		err := l.Next(&f)
		if err != nil && !errors.Is(err, ErrTimeout) {
			t.Fatal(err)
		}
		if err == nil && d.Decode(f.Link, f.Time, f.Data, f.Wire, &p) == ReasonOK && flowOf(&p) == bulkFlows[0] {
			if shed {
				t.Error("the flow comes while it is shed")
			}
			return
		}
	}
	t.Error("the flow does not come again")
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
