package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Live captures from an interface through a ring of memory that the kernel
// fills (AF_PACKET, TPACKET_V3). It implements Source.
//
// An interface that goes down, or is removed and made anew under its name (as
// PPP does on each redial), ends nothing: its frames follow when it is back.
type Live struct {
	name    string
	fd      int
	index   int // of the interface, as the socket is bound
	link    LinkType
	ring    ring
	promisc bool
	inbound bool // skip outgoing frames here, because the kernel cannot
	stats   Stats
}

var _ Source = (*Live)(nil)

// OpenLive starts to capture. Its errors wrap ErrNoInterface, ErrPermission
// or ErrUnsupported (an interface of a link type that Decode does not read),
// or are the operating system's.
func OpenLive(cfg LiveConfig) (*Live, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // protocol 0: no frame before the filter
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return nil, fmt.Errorf("%s: %w: %w", cfg.Interface, ErrPermission, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: open a packet socket: %w", cfg.Interface, err)
	}
	l := &Live{name: cfg.Interface, fd: fd, promisc: cfg.Promiscuous}
	if err := l.setUp(cfg); err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: %w", cfg.Interface, err)
	}
	return l, nil
}

// setUp finds the interface, then attaches filter, ring and interface in the
// order that lets no unfiltered frame in.
func (l *Live) setUp(cfg LiveConfig) error {
	index, err := l.lookup()
	if err != nil {
		return err
	}
	loopback, err := l.identify(index)
	if err != nil {
		return err
	}
	snaplen := cfg.Snaplen
	if snaplen <= 0 {
		snaplen = DefaultSnaplen
	}
	snaplen = min(snaplen, maxFrame)
	program := []bpf.Instruction{bpf.RetConstant{Val: uint32(snaplen)}}
	if !cfg.BulkTCP {
		program = Filter(l.link, uint32(snaplen))
	}
	if err := l.attach(program); err != nil {
		return err
	}
	if cfg.IgnoreOutgoing || loopback {
		err := unix.SetsockoptInt(l.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
		l.inbound = errors.Is(err, unix.ENOPROTOOPT) // before Linux 4.20
		if err != nil && !l.inbound {
			return fmt.Errorf("ignore outgoing packets: %w", err)
		}
	}
	if err := l.ring.open(l.fd, cfg.RingBytes, snaplen); err != nil {
		return err
	}
	return l.bind(index)
}

// lookup returns the index that the interface has now.
func (l *Live) lookup() (int, error) {
	request, err := unix.NewIfreq(l.name)
	if err == nil {
		err = unix.IoctlIfreq(l.fd, unix.SIOCGIFINDEX, request)
	}
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) { // the latter: a name too long for one
		return 0, ErrNoInterface
	}
	if err != nil {
		return 0, fmt.Errorf("look up the interface: %w", err)
	}
	return int(int32(request.Uint32())), nil
}

// identify learns the interface's link type. To ask, the socket is bound, but
// to no protocol yet.
func (l *Live) identify(index int) (loopback bool, err error) {
	if err := unix.Bind(l.fd, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
		return false, fmt.Errorf("bind: %w", err)
	}
	name, err := unix.Getsockname(l.fd)
	if err != nil {
		return false, fmt.Errorf("read the hardware type: %w", err)
	}
	hardware := name.(*unix.SockaddrLinklayer).Hatype
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		l.link = LinkTypeEthernet
	case unix.ARPHRD_NONE, unix.ARPHRD_PPP, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT:
		l.link = LinkTypeRaw
	default:
		return false, fmt.Errorf("%w on interfaces of hardware type %d", ErrUnsupported, hardware)
	}
	return hardware == unix.ARPHRD_LOOPBACK, nil
}

// attach gives the kernel its filter.
func (l *Live) attach(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assemble the filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.SetsockoptSockFprog(l.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	return nil
}

// bind starts the flow of frames from the interface of this index.
func (l *Live) bind(index int) error {
	var every [2]byte // in network byte order, as the socket address has it
	binary.BigEndian.PutUint16(every[:], unix.ETH_P_ALL)
	address := unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(every[:]), Ifindex: index}
	if err := unix.Bind(l.fd, &address); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	l.index = index
	if !l.promisc {
		return nil
	}
	member := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(l.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &member); err != nil {
		return fmt.Errorf("set promiscuous mode: %w", err)
	}
	return nil
}

// Next reads the next frame; its bytes are the ring's until the next Next. It
// returns ErrTimeout if none arrived within a fifth of a second, and
// os.ErrClosed after Close.
func (l *Live) Next(f *Frame) error {
	for {
		outgoing, ok := l.ring.next(f)
		if ok {
			if outgoing && l.inbound {
				continue
			}
			f.Link = l.link
			return nil
		}
		if l.fd < 0 {
			return os.ErrClosed
		}
		if l.ring.advance() {
			continue
		}
		if err := l.wait(); err != nil {
			return err
		}
		if !l.ring.advance() {
			if err := l.follow(); err != nil {
				return err
			}
			return ErrTimeout
		}
	}
}

// wait blocks until the ring has a block, or the poll interval is over.
func (l *Live) wait() error {
	poll := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, int(pollInterval.Milliseconds()))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("%s: wait for packets: %w", l.name, err)
	}
	if n <= 0 || poll[0].Revents&unix.POLLERR == 0 {
		return nil
	}
	errno, err := unix.GetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_ERROR) // reading it clears it
	if err != nil {
		return fmt.Errorf("%s: read the socket's error: %w", l.name, err)
	}
	if errno == 0 || unix.Errno(errno) == unix.ENETDOWN {
		return nil
	}
	return fmt.Errorf("%s: %w", l.name, unix.Errno(errno))
}

// follow binds the socket anew if another interface has the name by now. One
// that only went down and up again needs nothing.
func (l *Live) follow() error {
	index, err := l.lookup()
	if err == nil && index != l.index {
		err = l.rebind(index)
	}
	if err == nil || errors.Is(err, ErrNoInterface) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("%s: %w", l.name, err)
}

// rebind goes on with another interface, if it is of the same link type.
func (l *Live) rebind(index int) error {
	link := l.link
	if _, err := l.identify(index); err != nil {
		return err
	}
	if l.link != link {
		return fmt.Errorf("%w across a change from %v to %v", ErrUnsupported, link, l.link)
	}
	return l.bind(index)
}

// Stats asks the kernel what it has counted since the last time.
func (l *Live) Stats() Stats {
	if l.fd >= 0 {
		if s, err := unix.GetsockoptTpacketStatsV3(l.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			l.stats.Frames += uint64(s.Packets) // those that were dropped are among them
			l.stats.Dropped += uint64(s.Drops)
		}
	}
	return l.stats
}

// Close ends the capture. Frames that Next has returned are gone with it.
func (l *Live) Close() error {
	if l.fd < 0 {
		return nil
	}
	l.Stats()
	err := errors.Join(l.ring.close(), unix.Close(l.fd))
	l.fd = -1
	return err
}
