package capture

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLiveOnly sends what the user's filter, Filter, both and none accept.
func TestLiveOnly(t *testing.T) {
	inNamespace(t)
	newPair(t)
	l, err := OpenLive(LiveConfig{Interface: "scan0", Only: bytecode(t, tcpPort80)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	bulk, err := OpenLive(LiveConfig{Interface: "scan0", Only: bytecode(t, tcpPort80), Bulk: true})
	if err != nil {
		t.Fatal(err)
	}
	defer bulk.Close()
	long := tcpFrame(80, SYN, 1000)
	send := injector(t, "scan1")
	for _, frame := range [][]byte{tcpFrame(81, SYN, 0), tcpFrame(81, ACK, 100), tcpFrame(80, ACK, 100), long} {
		send(frame)
	}
	if f, p := expect(t, l, 80); p.Flags != SYN || len(f.Data) != DefaultSnaplen || f.Wire != len(long) {
		t.Errorf("flags %#x, %d of %d bytes; want the SYN, as many bytes as without a filter", p.Flags, len(f.Data), f.Wire)
	}
	if s := l.Stats(); s.Frames != 1 {
		t.Errorf("%d frames passed, want 1", s.Frames)
	}
	if _, p := expect(t, bulk, 80); p.Flags != ACK {
		t.Errorf("flags %#x, want the ACK", p.Flags)
	}

	ip(t, "link del scan0")
	hear(t, l, func(*heard) bool { return l.State() == LinkDown })
	newPair(t)
	hear(t, l, func(*heard) bool { return l.State() == LinkUp })
	send = injector(t, "scan1")
	send(tcpFrame(81, SYN, 0))
	send(tcpFrame(80, RST, 0))
	if _, p := expect(t, l, 80); p.Flags != RST {
		t.Errorf("on the new interface: flags %#x, want the RST", p.Flags)
	}
}

// TestLiveOnlyVLAN asks for tagged frames, whose tag the kernel keeps aside.
func TestLiveOnlyVLAN(t *testing.T) {
	inNamespace(t)
	newPair(t)
	l, err := OpenLive(LiveConfig{Interface: "scan0", Only: bytecode(t, liveVLAN)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	send := injector(t, "scan1")
	send(tcpFrame(1, SYN, 0))
	plain := tcpFrame(2, SYN, 0)
	send(join(plain[:12], []byte{0x81, 0, 0, 100}, plain[12:]))
	expect(t, l, 2)
}

// TestLiveOnlyLink changes the link type to one that the filter was not made for.
func TestLiveOnlyLink(t *testing.T) {
	inNamespace(t)
	tun := newTun(t, "scantun")
	tun.set(t, unix.ARPHRD_NONE)
	everything := bytecode(t, "1,6 0 0 262144")
	l, err := OpenLive(LiveConfig{Interface: "scantun", Only: everything})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tun.set(t, unix.ARPHRD_ETHER)
	hear(t, l, func(*heard) bool { return l.State() == LinkUnreadable })
	tun.write(t, tcpFrame(1, SYN, 0))
	tun.set(t, unix.ARPHRD_PPP) // raw IP, as before
	hear(t, l, func(*heard) bool { return l.State() == LinkUp })
	tun.write(t, tcpFrame(2, SYN, 0)[14:])
	expect(t, l, 2)
}

func TestLiveOnlyTooLong(t *testing.T) {
	inNamespace(t)
	newPair(t)
	for n, want := range map[int]error{1000: nil, maxProgram: ErrProgram} {
		l, err := OpenLive(LiveConfig{Interface: "scan0", Only: bytecode(t, fmt.Sprint(n)+strings.Repeat(",6 0 0 1", n))})
		if !errors.Is(err, want) {
			t.Errorf("%d instructions: %v, want %v", n, err, want)
		}
		if l != nil {
			l.Close()
		}
	}
}
