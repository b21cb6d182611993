package capture

import (
	"encoding/binary"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/google/gopacket/layers"
)

// ringsHeard is what several rings have told.
type ringsHeard struct {
	mu     sync.Mutex
	flows  map[uint32][]heardFlow // by the number that flowFrame has put in
	states [][]LinkState          // by ring
	errs   []error
}

// heardFlow is a frame of a flow.
type heardFlow struct {
	ring  int
	reply bool
}

// hearRings reads every ring on a goroutine of its own until the test ends.
func hearRings(t *testing.T, rings []*Live) *ringsHeard {
	t.Helper()
	h := &ringsHeard{flows: map[uint32][]heardFlow{}, states: make([][]LinkState, len(rings))}
	stop := make(chan bool)
	var readers sync.WaitGroup
	for i, l := range rings {
		readers.Go(func() {
			defer l.Close()
			for h.read(i, l) {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	t.Cleanup(func() { close(stop); readers.Wait() })
	return h
}

func (h *ringsHeard) read(ring int, l *Live) bool {
	var d Decoder
	var f Frame
	var p Packet
	err := l.Next(&f)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case errors.Is(err, ErrLinkState):
		h.states[ring] = append(h.states[ring], l.State())
	case errors.Is(err, ErrTimeout):
	case err != nil:
		h.errs = append(h.errs, err)
		return false
	case d.Decode(f.Link, f.Time, f.Data, f.Wire, &p) == ReasonOK && p.Proto == ProtoTCP:
		reply := p.SrcPort == 22
		flow := uint32(p.SrcPort)
		if reply {
			flow = uint32(p.DstPort)
		}
		h.flows[flow] = append(h.flows[flow], heardFlow{ring, reply})
	}
	return true
}

// wait waits until ready, and fails with what was heard otherwise.
func (h *ringsHeard) wait(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		h.mu.Lock()
		ok, errs := ready(), h.errs
		states, flows := slices.Clone(h.states), len(h.flows)
		h.mu.Unlock()
		if ok {
			return
		}
		if len(errs) > 0 || time.Now().After(deadline) {
			t.Fatalf("waited for %s: %v; %d flows, states %v", what, errs, flows, states)
		}
	}
}

// first returns what the first ring has told.
func (h *ringsHeard) first() []LinkState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.states[0])
}

// told wants the states from the first ring, once each, and nothing from others.
func (h *ringsHeard) told(t *testing.T, want ...LinkState) {
	t.Helper()
	h.wait(t, "a change of state", func() bool { return len(h.states[0]) >= len(want) })
	time.Sleep(2 * pollInterval) // in which the other rings notice as well
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.states[0], want) {
		t.Errorf("told %v, want %v", h.states[0], want)
	}
	for i, states := range h.states[1:] {
		if len(states) > 0 {
			t.Errorf("ring %d told %v", i+1, states)
		}
	}
}

// flowFrame is a SYN, or the answer, of the flow whose client has this port.
// Each flow has a client of its own.
func flowFrame(port uint16, reply bool) []byte {
	tcp := &layers.TCP{SrcPort: layers.TCPPort(port), DstPort: 22, Seq: 1000, SYN: true, Window: 1024}
	if reply {
		tcp.SrcPort, tcp.DstPort, tcp.ACK = tcp.DstPort, tcp.SrcPort, true
	}
	if port%2 == 0 {
		ip := ipv6(layers.IPProtocolTCP)
		binary.BigEndian.PutUint16(ip.SrcIP[12:], port)
		if reply {
			ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
		}
		return serialize(ethernet(layers.EthernetTypeIPv6), ip, tcp)
	}
	ip := ipv4(layers.IPProtocolTCP)
	binary.BigEndian.PutUint16(ip.SrcIP[2:], port)
	if reply {
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
	}
	return serialize(ethernet(layers.EthernetTypeIPv4), ip, tcp)
}

// sendFlows sends the question of many flows into scan0 and the answers out of it,
// and wants each once, a flow in one ring and in order, and every ring in use.
func (h *ringsHeard) sendFlows(t *testing.T, first uint16) {
	t.Helper()
	const flows = 400
	in, out := injector(t, "scan1"), injector(t, "scan0")
	for port := first; port < first+flows; port++ {
		in(flowFrame(port, false))
		out(flowFrame(port, true))
	}
	heard := func() (n int) {
		for port := first; port < first+flows; port++ {
			n += len(h.flows[uint32(port)])
		}
		return n
	}
	h.wait(t, "all flows", func() bool { return heard() >= 2*flows })
	time.Sleep(2 * pollInterval) // in which a second copy would come
	h.mu.Lock()
	defer h.mu.Unlock()
	used := make([]int, len(h.states))
	for port := first; port < first+flows; port++ {
		f := h.flows[uint32(port)]
		if len(f) != 2 || f[0].reply || !f[1].reply || f[0].ring != f[1].ring {
			t.Fatalf("flow %d: %+v, want question and answer in one ring", port, f)
		}
		used[f[0].ring]++
	}
	for ring, n := range used {
		if n < flows/len(used)/3 {
			t.Errorf("ring %d has %d of %d flows: %v", ring, n, flows, used)
		}
	}
}

func openRings(t *testing.T, cfg LiveConfig, n int) []*Live {
	t.Helper()
	rings, err := OpenRings(cfg, n)
	if err != nil {
		t.Fatal(err)
	}
	if len(rings) != n {
		t.Fatalf("%d rings, want %d", len(rings), n)
	}
	return rings
}

// TestRings follows an interface through what can happen to it, with four rings
// that the kernel divides at first and their filters later.
func TestRings(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	rings := openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10, Promiscuous: true}, 4)
	for _, l := range rings {
		if l.share.by != byKernel {
			t.Fatal("the kernel does not divide")
		}
	}
	h := hearRings(t, rings)
	h.sendFlows(t, 1000)
	promiscuous := func() {
		t.Helper()
		if out, err := exec.Command("ip", "-d", "link", "show", "scan0").Output(); err != nil || !strings.Contains(string(out), "promiscuity 1 ") {
			t.Errorf("want promiscuous mode once: %v, %s", err, out)
		}
	}
	promiscuous()

	ip(t, "link set scan0 down")
	h.told(t, LinkDown)
	ip(t, "link set scan0 up")
	h.told(t, LinkDown, LinkUp)
	h.sendFlows(t, 2000)

	for i := range 2 {
		told := h.first()
		ip(t, "link del scan0")
		if i > 0 { // at first it is there again before that is noticed
			h.told(t, append(told, LinkDown)...)
		}
		newPair(t)
		h.told(t, append(told, LinkDown, LinkUp)...)
		h.sendFlows(t, 3000+1000*uint16(i))
		promiscuous()
	}

	told := h.first()
	ip(t, "link set scan0 down")
	ip(t, "link set scan0 name other")
	ip(t, "link set other up")
	h.wait(t, "the new name", func() bool { return slices.Contains(h.states[0], LinkRenamed) })
	ip(t, "link set other down")
	ip(t, "link set other name scan0")
	ip(t, "link set scan0 up")
	h.wait(t, "the old name", func() bool { return len(h.states[0]) > len(told)+1 && h.states[0][len(h.states[0])-1] == LinkUp })
	h.sendFlows(t, 6000)
}

// TestRingsRenamed lets another interface take the name while the first still
// carries packets: a group, which cannot leave the first, is given up.
func TestRingsRenamed(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	h := hearRings(t, openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10, Promiscuous: true}, 4))
	flow(t, "scan1", 1)
	ip(t, "link set scan0 down")
	ip(t, "link set scan0 name other")
	ip(t, "link set other up")
	h.wait(t, "the new name", func() bool { return slices.Contains(h.states[0], LinkRenamed) })
	ip(t, "link set scan1 name first")
	newPair(t)
	h.wait(t, "the other interface", func() bool { return slices.Contains(h.states[0], LinkUp) })
	time.Sleep(lookInterval + pollInterval) // in which every ring has found it
	h.sendFlows(t, 2000)
	if out, err := exec.Command("ip", "-d", "link", "show", "other").Output(); err != nil || !strings.Contains(string(out), "promiscuity 0 ") {
		t.Errorf("promiscuous mode was left behind: %v, %s", err, out)
	}
}

// TestRingsOfKinds has an interface come back with frames of another link type.
func TestRingsOfKinds(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	h := hearRings(t, openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10}, 3))
	ip(t, "link del scan0")
	h.told(t, LinkDown)
	tun := newTun(t, "scan0")
	tun.set(t, unix.ARPHRD_NONE)
	h.told(t, LinkDown, LinkUp)
	for port := range uint16(100) {
		tun.write(t, flowFrame(1001+2*port, false)[14:])
	}
	h.wait(t, "all packets", func() bool { return len(h.flows) >= 100 })
}

// TestRingsDown opens an interface that is down, which kernels before 6.13 cannot
// make a group for.
func TestRingsDown(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	ip(t, "link set scan0 down")
	h := hearRings(t, openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10}, 4))
	h.told(t, LinkDown)
	ip(t, "link set scan0 up")
	h.told(t, LinkDown, LinkUp)
	h.sendFlows(t, 1000)
}

// TestRingsWithoutGroup is what a kernel without fanout groups has.
func TestRingsWithoutGroup(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	rings := openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10, Promiscuous: true}, 16)
	for _, l := range rings {
		if err := l.rebind(boundTo(t, l)); err != nil {
			t.Fatal(err)
		}
	}
	hearRings(t, rings).sendFlows(t, 1000)
}

func boundTo(t *testing.T, l *Live) int {
	t.Helper()
	index, err := l.bound()
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// TestRingsApart has two groups on one interface, as two programs have: each
// sees everything.
func TestRingsApart(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	var groups [2]int
	var all [2]*ringsHeard
	for i := range groups {
		rings := openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10}, 2)
		for _, l := range rings {
			group, err := unix.GetsockoptInt(l.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
			if err != nil {
				t.Fatal(err)
			}
			id, err := groupID(uint32(group))
			if err != nil {
				t.Fatal(err)
			}
			if l != rings[0] && id != groups[i] {
				t.Errorf("one ring in group %d, one in %d", groups[i], id)
			}
			groups[i] = id
		}
		all[i] = hearRings(t, rings)
	}
	if groups[0] == groups[1] {
		t.Errorf("both are group %d", groups[0])
	}
	all[0].sendFlows(t, 1000)
	all[1].wait(t, "the same flows", func() bool { return len(all[1].flows) == 400 })
}

func TestGroupID(t *testing.T) {
	if id, err := groupID(0x40001234); id != 0x1234 || err != nil {
		t.Errorf("groupID: %#x, %v", id, err)
	}
	// What a kernel that does not know the flag says.
	if _, err := groupID(unix.PACKET_FANOUT_FLAG_UNIQUEID << 16); !errors.Is(err, ErrUnsupported) {
		t.Errorf("groupID of an old kernel: %v, want ErrUnsupported", err)
	}
}

func TestRingsErrors(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	for _, n := range []int{-1, 0, MaxRings + 1} {
		if _, err := OpenRings(LiveConfig{Interface: "lo"}, n); !errors.Is(err, ErrRings) {
			t.Errorf("%d rings: %v, want ErrRings", n, err)
		}
	}
	if _, err := OpenRings(LiveConfig{Interface: "scan9"}, 2); !errors.Is(err, ErrNoInterface) {
		t.Errorf("no interface: %v, want ErrNoInterface", err)
	}
	if _, err := OpenRings(LiveConfig{Interface: "lo", RingBytes: MinRingBytes - 1}, 2); !errors.Is(err, ErrRing) {
		t.Errorf("small rings: %v, want ErrRing", err)
	}
}

// TestIgnoreOutgoing sends a packet in and one out, with one ring and with several,
// which have the kernel ignore what goes out by other means; in a group, and when
// the interface was made anew.
func TestIgnoreOutgoing(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	newPair(t)
	for _, n := range []int{1, 3} {
		for _, ignore := range []bool{false, true} {
			rings := openRings(t, LiveConfig{Interface: "scan0", RingBytes: 256 << 10, IgnoreOutgoing: ignore}, n)
			want := 2
			if ignore {
				want = 1
			}
			h := hearRings(t, rings)
			for port := uint16(1001); port < 1004; port += 2 {
				injector(t, "scan0")(flowFrame(port, true))
				injector(t, "scan1")(flowFrame(port, false))
				h.wait(t, "packets", func() bool { return len(h.flows[uint32(port)]) >= want })
				time.Sleep(2 * pollInterval) // in which further ones would come
				h.mu.Lock()
				if got := h.flows[uint32(port)]; len(got) != want || ignore && got[0].reply {
					t.Errorf("%d rings, ignore outgoing %v: heard %+v", n, ignore, got)
				}
				h.mu.Unlock()
				if port == 1001 {
					ip(t, "link del scan0")
					h.told(t, LinkDown)
					newPair(t)
					h.told(t, LinkDown, LinkUp)
				}
			}
		}
	}
}

func TestRingsLoopback(t *testing.T) {
	t.Parallel()
	inNamespace(t)
	ip(t, "link set lo up")
	h := hearRings(t, openRings(t, LiveConfig{Interface: "lo", RingBytes: 256 << 10}, 2))
	injector(t, "lo")(flowFrame(1001, false))
	h.wait(t, "a packet", func() bool { return len(h.flows[1001]) > 0 })
	time.Sleep(2 * pollInterval)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.flows[1001]) != 1 {
		t.Errorf("heard it %d times", len(h.flows[1001]))
	}
}
