package capture

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// heard is what a source has told since the last time.
type heard struct {
	states []LinkState
	ports  map[uint16]int // how often a packet came to each
}

// hear reads until done, at most five seconds.
func hear(t *testing.T, l *Live, done func(*heard) bool) heard {
	t.Helper()
	h := heard{ports: make(map[uint16]int)}
	var d Decoder
	var f Frame
	var p Packet
	for deadline := time.Now().Add(5 * time.Second); !done(&h); {
		if time.Now().After(deadline) {
			t.Fatalf("heard %+v within 5 seconds", h)
		}
		switch err := l.Next(&f); {
		case errors.Is(err, ErrLinkState):
			h.states = append(h.states, l.State())
		case errors.Is(err, ErrTimeout):
		case err != nil:
			t.Fatal(err)
		case d.Decode(f.Link, f.Time, f.Data, f.Wire, &p) == ReasonOK && p.Proto == ProtoTCP:
			h.ports[p.DstPort]++
		}
	}
	return h
}

// TestLinkChanges changes an interface in the midst of a flow of packets. What
// comes of it is told once, and the packets after it are seen.
func TestLinkChanges(t *testing.T) {
	for _, test := range []struct {
		name   string
		before []string // ip commands
		lost   []LinkState
		after  []string
		back   []LinkState
		from   string // where packets come from then
	}{
		{"down and up", []string{"link set scan0 down"}, []LinkState{LinkDown}, []string{"link set scan0 up"}, []LinkState{LinkUp}, "scan1"},
		{"down and up at once", []string{"link set scan0 down", "link set scan0 up"}, []LinkState{LinkDown, LinkUp}, nil, nil, "scan1"},
		{"far end down and up", []string{"link set scan1 down"}, nil, []string{"link set scan1 up"}, nil, "scan1"},
		{"gone and new", []string{"link del scan0"}, []LinkState{LinkDown},
			[]string{"link add scan0 type veth peer name scan1", "link set scan0 up", "link set scan1 up"}, []LinkState{LinkUp}, "scan1"},
		{"gone and new with the same index", []string{"link del scan0"}, []LinkState{LinkDown},
			[]string{"link add scan0 index 77 type veth peer name scan1", "link set scan0 up", "link set scan1 up"}, []LinkState{LinkUp}, "scan1"},
		{"gone and new at once", []string{"link del scan0", "link add scan0 type veth peer name scan1", "link set scan0 up", "link set scan1 up"},
			[]LinkState{LinkDown, LinkUp}, nil, nil, "scan1"},
		{"other MTU", []string{"link set scan0 mtu 1400"}, nil, []string{"link set scan1 mtu 9000", "link set scan0 mtu 9000"}, nil, "scan1"},
		{"renamed and back", []string{"link set scan0 down", "link set scan0 name other", "link set other up"}, []LinkState{LinkRenamed},
			[]string{"link set other down", "link set other name scan0", "link set scan0 up"}, []LinkState{LinkUp}, "scan1"},
		{"renamed and down", []string{"link set scan0 down", "link set scan0 name other"}, []LinkState{LinkDown}, []string{"link set other up"}, []LinkState{LinkRenamed}, "scan1"},
		{"another takes the name", []string{"link set scan0 down", "link set scan0 name other", "link set other up"}, []LinkState{LinkRenamed},
			[]string{"link add scan0 type veth peer name scan2", "link set scan0 up", "link set scan2 up"}, []LinkState{LinkUp}, "scan2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inNamespace(t)
			ip(t, "link add scan0 index 77 type veth peer name scan1")
			for _, name := range []string{"scan0", "scan1"} {
				ip(t, "link set "+name+" addrgenmode none up")
			}
			l, err := OpenLive(LiveConfig{Interface: "scan0", Promiscuous: true})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			flow(t, "scan1", 1)
			hear(t, l, func(h *heard) bool { return h.ports[1] >= 10 })
			for _, command := range test.before {
				ip(t, command)
			}
			if h := hear(t, l, comeToRest(test.lost)); !slices.Equal(h.states, test.lost) {
				t.Errorf("told %v, want %v", h.states, test.lost)
			}
			for _, command := range test.after {
				ip(t, command)
			}
			if h := hear(t, l, comeToRest(test.back)); !slices.Equal(h.states, test.back) {
				t.Errorf("told %v, want %v", h.states, test.back)
			}
			flow(t, test.from, 2)
			if h := hear(t, l, func(h *heard) bool { return h.ports[2] >= 10 }); len(h.states) > 0 {
				t.Errorf("told %v while nothing changed", h.states)
			}
			for _, name := range []string{"scan0", "other"} {
				want := name == "scan0" || l.State() == LinkRenamed
				out, err := exec.Command("ip", "-d", "link", "show", name).Output()
				if err == nil && strings.Contains(string(out), "promiscuity 1 ") != want {
					t.Errorf("want %s in promiscuous mode: %v; %s", name, want, out)
				}
			}
			if s := l.Stats(); s.Dropped > 0 {
				t.Errorf("%d frames dropped", s.Dropped)
			}
		})
	}
}

// TestLinkBackBeforeRead has a reader who is late: the interface has its name back,
// and is up, before anything of it is read. That it went down for that is not told
// after it is back.
func TestLinkBackBeforeRead(t *testing.T) {
	l := openPair(t, LiveConfig{})
	for _, command := range []string{"link set scan0 down", "link set scan0 name other", "link set other up"} {
		ip(t, command)
	}
	lost, back := []LinkState{LinkRenamed}, []LinkState{LinkUp}
	if h := hear(t, l, comeToRest(lost)); !slices.Equal(h.states, lost) {
		t.Fatalf("told %v, want %v", h.states, lost)
	}
	injector(t, "scan1")(tcpFrame(1, SYN, 0)) // so that the reader looks at once, without waiting
	time.Sleep(lookInterval + ringRetire*time.Millisecond)
	for _, command := range []string{"link set other down", "link set other name scan0", "link set scan0 up"} {
		ip(t, command)
	}
	if h := hear(t, l, comeToRest(back)); !slices.Equal(h.states, back) {
		t.Errorf("told %v, want %v", h.states, back)
	}
}

// TestLinkUnprivileged reads on a thread that has given up all capabilities, as
// a program may once the capture is open: an interface made anew is taken up
// all the same, promiscuous mode and filter with it.
func TestLinkUnprivileged(t *testing.T) {
	l := openPair(t, LiveConfig{Promiscuous: true})
	type told struct {
		err   error
		state LinkState
		frame int
	}
	events := make(chan told, 1000)
	stop := make(chan bool)
	go func() {
		defer close(events)
		runtime.LockOSThread() // never unlocked: nobody else wants a thread without capabilities
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			events <- told{err: err}
			return
		}
		if _, err := OpenLive(LiveConfig{Interface: "scan0"}); !errors.Is(err, ErrPermission) {
			events <- told{err: fmt.Errorf("OpenLive without capabilities: %w, want ErrPermission", err)}
			return
		}
		var f Frame
		for {
			select {
			case <-stop:
				return
			default:
			}
			switch err := l.Next(&f); {
			case errors.Is(err, ErrLinkState):
				events <- told{state: l.State()}
			case errors.Is(err, ErrTimeout):
			case err != nil:
				events <- told{err: err}
				return
			default:
				events <- told{frame: f.Wire}
			}
		}
	}()
	next := func(what string, is func(told) bool) {
		t.Helper()
		late := time.After(5 * time.Second)
		for {
			select {
			case e := <-events:
				if e.err != nil {
					t.Fatal(e.err)
				}
				if is(e) {
					return
				}
			case <-late:
				t.Fatal("waited 5 seconds for ", what)
			}
		}
	}
	injector(t, "scan1")(tcpFrame(1, SYN, 100))
	next("a frame", func(e told) bool { return e.frame == 154 })
	ip(t, "link del scan0")
	next("the loss", func(e told) bool { return e.frame == 0 && e.state == LinkDown })
	newPair(t)
	next("the return", func(e told) bool { return e.frame == 0 && e.state == LinkUp })
	injector(t, "scan1")(tcpFrame(1, ACK, 300)) // bulk: the filter drops it
	injector(t, "scan1")(tcpFrame(2, SYN, 200))
	next("a frame", func(e told) bool {
		if e.frame == 354 {
			t.Error("bulk came through: the filter is gone")
		}
		return e.frame == 254
	})
	if out, err := exec.Command("ip", "-d", "link", "show", "scan0").Output(); err != nil || !strings.Contains(string(out), "promiscuity 1 ") {
		t.Errorf("not in promiscuous mode: %v, %s", err, out)
	}
	close(stop)
	for range events {
	}
}

// flow sends a packet to the port every few milliseconds until the test ends,
// out of the interface that has the name now.
func flow(t *testing.T, name string, port uint16) {
	t.Helper()
	device, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		to := unix.SockaddrLinklayer{Ifindex: device.Index}
		for {
			unix.Sendto(fd, tcpFrame(port, SYN, 0), 0, &to) // fails while the interface is down or gone
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		unix.Close(fd)
	})
}

// comeToRest is done some time after all changes that are wanted have been told, in
// which further ones would be; if none is, after the time in which every change
// is noticed, however many packets come.
func comeToRest(want []LinkState) func(*heard) bool {
	quiet := 2 * pollInterval
	if len(want) == 0 {
		quiet += lookInterval
	}
	var end time.Time
	return func(h *heard) bool {
		if end.IsZero() && len(h.states) >= len(want) {
			end = time.Now().Add(quiet)
		}
		return !end.IsZero() && time.Now().After(end)
	}
}

// TestLinkTypes makes a tun interface of each hardware type, sends a packet of
// the link type through it, and changes the type while the capture goes on.
func TestLinkTypes(t *testing.T) {
	inNamespace(t)
	packet := tcpFrame(1, SYN, 0)[14:]
	radiotap := append([]byte{0, 0, 8, 0, 0, 0, 0, 0}, wifiFrame(packet)...)
	tests := []struct {
		hardware uint16
		link     LinkType
		frame    []byte
	}{
		{unix.ARPHRD_NONE, LinkTypeRaw, packet},
		{unix.ARPHRD_PPP, LinkTypeRaw, packet},
		{unix.ARPHRD_RAWIP, LinkTypeRaw, packet},
		{unix.ARPHRD_IPGRE, LinkTypeRaw, packet},
		{unix.ARPHRD_IP6GRE, LinkTypeRaw, packet},
		{unix.ARPHRD_CISCO, LinkTypeHDLC, append([]byte{0x0f, 0, 8, 0}, packet...)},
		{unix.ARPHRD_IEEE80211, LinkTypeWiFi, wifiFrame(packet)},
		{unix.ARPHRD_IEEE80211_RADIOTAP, LinkTypeRadiotap, radiotap},
		{unix.ARPHRD_ETHER, LinkTypeEthernet, tcpFrame(1, SYN, 0)},
	}
	tun := newTun(t, "scantun")
	tun.set(t, unix.ARPHRD_ETHER) // so that each of them is a change, which is waited for
	kept, err := OpenLive(LiveConfig{Interface: "scantun"})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	for _, test := range tests { // no subtests: they would run in the machine's own namespace
		tun.set(t, test.hardware)
		hear(t, kept, func(*heard) bool { return kept.hardware == test.hardware && kept.State() == LinkUp })
		fresh, err := OpenLive(LiveConfig{Interface: "scantun"})
		if err != nil {
			t.Fatal(err)
		}
		tun.write(t, test.frame)
		for _, l := range []*Live{fresh, kept} {
			if f, _ := expect(t, l, 1); f.Link != test.link {
				t.Errorf("hardware type %d: a frame of %v, want %v", test.hardware, f.Link, test.link)
			}
		}
		fresh.Close()
	}
	tun.set(t, unix.ARPHRD_INFINIBAND)
	hear(t, kept, func(*heard) bool { return kept.State() == LinkUnreadable })
	if _, err := OpenLive(LiveConfig{Interface: "scantun"}); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "32") {
		t.Errorf("OpenLive: %v, want ErrUnsupported and the hardware type", err)
	}
}

// wifiFrame is an 802.11 data frame from an access point.
func wifiFrame(packet []byte) []byte {
	frame := append([]byte{0x08, 0x02}, make([]byte, 22)...)
	return append(append(frame, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), packet...)
}

// tun is the program's end of a tun interface.
type tun struct {
	file *os.File
	name string
}

func newTun(t *testing.T, name string) tun {
	t.Helper()
	file, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { file.Close() })
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_TUN)
	if err := unix.IoctlIfreq(int(file.Fd()), unix.TUNSETIFF, request); err != nil {
		t.Skip("make a tun interface:", err)
	}
	return tun{file, name}
}

// set gives the interface another hardware type, which it must be down for.
func (d tun) set(t *testing.T, hardware uint16) {
	t.Helper()
	ip(t, "link set "+d.name+" down")
	if err := unix.IoctlSetInt(int(d.file.Fd()), unix.TUNSETLINK, int(hardware)); err != nil {
		t.Fatal(err)
	}
	ip(t, "link set "+d.name+" up")
}

// write sends a frame. In front of it goes what keeps the kernel from asking
// that it be IP: flags and a protocol.
func (d tun) write(t *testing.T, frame []byte) {
	t.Helper()
	if _, err := d.file.Write(append([]byte{0, 0, 8, 0}, frame...)); err != nil {
		t.Fatal(err)
	}
}
