package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Live captures from an interface through a ring of memory that the kernel
// fills (AF_PACKET, TPACKET_V3). It implements Source.
//
// An interface that goes down, is removed and made anew under its name (as PPP
// does on each redial), or is renamed, ends nothing: its frames follow when it
// is back, of another link type if it comes back so. Next tells each change by
// ErrLinkState. To go on needs no privilege: all sockets are open from the start.
//
// The kernel takes the outermost VLAN tag out of a frame that comes in. It is not
// put back into the bytes, but is in Frame.Tag: contacts do not depend on it.
type Live struct {
	name     string
	fd       int
	devices  devices
	hardware uint16 // of the interface, ARPHRD_*
	link     LinkType
	ring     ring
	memory   int // of the ring, bytes, as LiveConfig has it
	snaplen  int
	bulk     bool // let bulk through
	only     Bytecode
	promisc  bool
	inbound  bool // skip outgoing frames here, because the kernel cannot
	share    share
	spare    int // socket that follows in fd's stead when that cannot, or -1
	stats    Stats
	shed     shed

	state       LinkState
	looked      time.Time // when state was found out
	interrupted bool      // the kernel has said since that the interface went down
}

var _ Source = (*Live)(nil)

// OpenLive starts to capture. Its errors wrap ErrNoInterface, ErrPermission
// or ErrUnsupported (an interface of a link type that Decode does not read),
// or are the operating system's.
func OpenLive(cfg LiveConfig) (*Live, error) { return openLive(cfg, share{}) }

func openLive(cfg LiveConfig, share share) (*Live, error) {
	fd, err := openSocket(cfg.Interface)
	if err != nil {
		return nil, err
	}
	l := &Live{name: cfg.Interface, fd: fd, spare: -1, devices: devices{fd: -1}, memory: cfg.RingBytes, bulk: cfg.Bulk, only: cfg.Only,
		promisc: cfg.Promiscuous, share: share, shed: shed{most: shedFlows}}
	if err := l.setUp(cfg); err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: %w", cfg.Interface, err)
	}
	return l, nil
}

// openSocket opens a packet socket, to which nothing comes before it is bound.
func openSocket(name string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // protocol 0: no frame before the filter
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return -1, fmt.Errorf("%s: %w: %w", name, ErrPermission, err)
	}
	if err != nil {
		return -1, fmt.Errorf("%s: open a packet socket: %w", name, err)
	}
	return fd, nil
}

// setUp finds the interface, then attaches filter, ring and interface in the
// order that lets no unfiltered frame in.
func (l *Live) setUp(cfg LiveConfig) (err error) {
	if l.devices, err = openDevices(); err != nil {
		return err
	}
	d, err := l.devices.named(l.name)
	if err != nil {
		return err
	}
	link, ok := linkType(d.hardware)
	if !ok {
		return fmt.Errorf("%w on interfaces of hardware type %d", ErrUnsupported, d.hardware)
	}
	l.hardware, l.link = d.hardware, link
	l.snaplen = cfg.Snaplen
	if l.snaplen <= 0 {
		l.snaplen = DefaultSnaplen
	}
	l.snaplen = min(l.snaplen, maxFrame)
	if err := l.attach(link); err != nil {
		return err
	}
	if cfg.IgnoreOutgoing || d.hardware == unix.ARPHRD_LOOPBACK {
		if l.inbound, err = ignoreOutgoing(l.fd); err != nil {
			return err
		}
	}
	if err := l.ring.open(l.fd, l.memory, l.snaplen); err != nil {
		return err
	}
	if err := l.bind(d.index); errors.Is(err, unix.ENODEV) { // removed a moment ago
		return ErrNoInterface
	} else if err != nil {
		return err
	}
	return nil
}

// ignoreOutgoing keeps the frames that the interface sends from a socket. It
// reports whether the kernel cannot, which is before Linux 4.20.
func ignoreOutgoing(fd int) (cannot bool, err error) {
	err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	if errors.Is(err, unix.ENOPROTOOPT) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("ignore outgoing packets: %w", err)
	}
	return false, nil
}

// attach gives the kernel its filter for frames of a link type, in place of the
// one that it had.
func (l *Live) attach(link LinkType) error {
	program := []bpf.Instruction{bpf.RetConstant{Val: uint32(l.snaplen)}}
	if !l.bulk {
		program = filterBut(link, uint32(l.snaplen), l.shed.program())
	}
	if program = both(l.only, l.share.only(program)); len(program) > maxProgram {
		return ErrProgram
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assemble the filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	err = unix.SetsockoptSockFprog(l.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog)
	if errors.Is(err, unix.ENOMEM) { // net.core.optmem_max has no room for two
		unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
		err = unix.SetsockoptSockFprog(l.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog)
	}
	if err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	return nil
}

// Decoded tells Live what a frame of Next was decoded to. That is how it learns
// which flows of UDP are bulk, to have the kernel drop them for some seconds at
// a time; without it all UDP passes.
func (l *Live) Decoded(p *Packet) {
	if !l.bulk && l.fd >= 0 && l.shed.note(p) {
		l.reprogram()
	}
}

// reprogram has the kernel drop the flows of shed, or as many as it has room for.
func (l *Live) reprogram() {
	for l.attach(l.link) != nil && len(l.shed.flows) > 0 {
		l.shed.fewer()
	}
	l.stats.Shed = l.shed.total
}

// bind starts the flow of frames from the interface of this index.
func (l *Live) bind(index int) error {
	var every [2]byte // in network byte order, as the socket address has it
	binary.BigEndian.PutUint16(every[:], unix.ETH_P_ALL)
	address := unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(every[:]), Ifindex: index}
	if err := unix.Bind(l.fd, &address); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if !l.promisc {
		return nil
	}
	return l.promiscuous(unix.PACKET_ADD_MEMBERSHIP, index)
}

// promiscuous asks for the mode or, with PACKET_DROP_MEMBERSHIP, for its end.
func (l *Live) promiscuous(option, index int) error {
	member := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(l.fd, unix.SOL_PACKET, option, &member); err != nil {
		return fmt.Errorf("set promiscuous mode: %w", err)
	}
	return nil
}

// Next reads the next frame; its bytes are the ring's until the next Next. It
// returns ErrTimeout if none arrived within a fifth of a second, ErrLinkState
// once per change of the interface's state, and os.ErrClosed after Close.
func (l *Live) Next(f *Frame) error {
	for {
		from, ok := l.ring.next(f)
		if ok {
			if l.inbound && from.Pkttype == unix.PACKET_OUTGOING {
				continue
			}
			f.Link = l.link
			if from.Hatype != l.hardware { // it came before the interface changed
				f.Link, ok = linkType(from.Hatype)
				ok = ok && (l.only == nil || f.Link == l.link) // else it passed by chance
			}
			if ok {
				return nil
			}
			continue
		}
		if l.fd < 0 {
			return os.ErrClosed
		}
		busy := l.ring.advance()
		if !busy {
			if err := l.wait(); err != nil {
				return err
			}
			busy = l.ring.advance()
		}
		if busy && time.Since(l.looked) < lookInterval {
			continue
		}
		if l.shed.lapse(time.Now().UnixNano()) {
			l.reprogram()
		}
		changed, err := l.look()
		switch {
		case err != nil:
			return err
		case changed && l.share.index == 0: // else another ring tells it
			return ErrLinkState
		case !busy:
			return ErrTimeout
		}
	}
}

// Buffered returns how many frames Next has at hand: so often it returns without
// a system call, but for frames that it skips.
func (l *Live) Buffered() int { return l.ring.left }

// State tells what has become of the interface, as of the last Next.
func (l *Live) State() LinkState { return l.state }

// Link tells what the frames of the interface begin with, as of the last Next.
func (l *Live) Link() LinkType { return l.link }

// Name returns the name of the interface.
func (l *Live) Name() string { return l.name }

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
	return l.takeError()
}

// takeError takes the socket's error, if it has one. That the interface went
// down is one.
func (l *Live) takeError() error {
	errno, err := unix.GetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_ERROR) // reading it clears it
	if err != nil {
		return fmt.Errorf("%s: read the socket's error: %w", l.name, err)
	}
	if unix.Errno(errno) == unix.ENETDOWN {
		l.interrupted = true
		return nil
	}
	if errno == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", l.name, unix.Errno(errno))
}

// Stats asks the kernel what it has counted since the last time. It counts in
// 32 bits: more than that many frames between two calls are not all seen.
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
	if l.spare >= 0 {
		err = errors.Join(err, unix.Close(l.spare))
	}
	if l.devices.fd >= 0 {
		err = errors.Join(err, unix.Close(l.devices.fd))
	}
	return err
}
