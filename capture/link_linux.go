package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// lookInterval is how often Live looks after its interface while frames come.
// When none come it does so at every poll interval.
const lookInterval = time.Second

// device is what the kernel says of an interface.
type device struct {
	index    int
	hardware uint16 // ARPHRD_*
	up       bool
}

// devices asks the kernel about interfaces (rtnetlink(7)). It takes no
// notifications: to ask five times a second costs nothing that can be
// measured, and no message can be missed. The older way to ask, ioctl, makes
// a kernel with modules start modprobe each time that root names an
// interface that is not there.
type devices struct {
	fd  int
	seq uint32
}

func openDevices() (devices, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return devices{fd: -1}, fmt.Errorf("open a netlink socket: %w", err)
	}
	return devices{fd: fd}, nil
}

// named returns the interface of this name, or ErrNoInterface.
func (d *devices) named(name string) (device, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return device{}, ErrNoInterface
	}
	attribute := make([]byte, (unix.SizeofRtAttr+len(name)+1+3)&^3)
	binary.NativeEndian.PutUint16(attribute, uint16(unix.SizeofRtAttr+len(name)+1))
	binary.NativeEndian.PutUint16(attribute[2:], unix.IFLA_IFNAME)
	copy(attribute[unix.SizeofRtAttr:], name)
	return d.ask(0, attribute)
}

// numbered returns the interface of this index, or ErrNoInterface.
func (d *devices) numbered(index int) (device, error) { return d.ask(index, nil) }

// ask sends an RTM_GETLINK. Of the answer only the beginning is read: what
// follows is cut off.
func (d *devices) ask(index int, attribute []byte) (device, error) {
	const headers = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg
	d.seq++
	message := make([]byte, headers, headers+len(attribute))
	binary.NativeEndian.PutUint32(message, uint32(headers+len(attribute)))
	binary.NativeEndian.PutUint16(message[4:], unix.RTM_GETLINK)
	binary.NativeEndian.PutUint16(message[6:], unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(message[8:], d.seq)
	binary.NativeEndian.PutUint32(message[unix.SizeofNlMsghdr+4:], uint32(index))
	message = append(message, attribute...)
	if err := unix.Sendto(d.fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return device{}, fmt.Errorf("ask for the interface: %w", err)
	}
	var answer [headers]byte
	for {
		n, _, err := unix.Recvfrom(d.fd, answer[:], unix.MSG_DONTWAIT) // the kernel has answered before Sendto returns
		if err != nil {
			return device{}, fmt.Errorf("ask for the interface: %w", err)
		}
		if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint32(answer[8:]) != d.seq {
			continue // what an earlier question has left
		}
		body := answer[unix.SizeofNlMsghdr:n]
		switch kind := binary.NativeEndian.Uint16(answer[4:]); {
		case kind == unix.NLMSG_ERROR:
			if errno := unix.Errno(-int32(binary.NativeEndian.Uint32(body))); errno != unix.ENODEV {
				return device{}, fmt.Errorf("ask for the interface: %w", errno)
			}
			return device{}, ErrNoInterface
		case kind == unix.RTM_NEWLINK && len(body) >= unix.SizeofIfInfomsg:
			return device{
				index:    int(int32(binary.NativeEndian.Uint32(body[4:]))),
				hardware: binary.NativeEndian.Uint16(body[2:]),
				up:       binary.NativeEndian.Uint32(body[8:])&unix.IFF_UP != 0,
			}, nil
		}
		return device{}, fmt.Errorf("ask for the interface: %w", unix.EPROTO)
	}
}

// linkType says what frames of interfaces of a hardware type begin with, as a
// raw packet socket gives them. The tunnels and PPP have no header there that
// is theirs: it is gone from what came in, and yet to come on what goes out.
func linkType(hardware uint16) (link LinkType, ok bool) {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return LinkTypeEthernet, true
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, // tun and WireGuard; mobile broadband
		unix.ARPHRD_PPP,
		unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT,
		unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE: // one without a fixed far end begins with the outer IP header
		return LinkTypeRaw, true
	case unix.ARPHRD_CISCO:
		return LinkTypeHDLC, true
	case unix.ARPHRD_FRAD:
		return LinkTypeFrameRelay, true
	case unix.ARPHRD_IEEE80211:
		return LinkTypeWiFi, true
	case unix.ARPHRD_IEEE80211_PRISM:
		return LinkTypePrism, true
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		return LinkTypeRadiotap, true
	}
	return 0, false
}

// look finds out what has become of the interface, and takes up what has its
// name now. It reports whether the state has changed.
func (l *Live) look() (changed bool, err error) {
	l.looked = time.Now()
	if err := l.takeError(); err != nil { // else one that is older than this look would count after it
		return false, err
	}
	state, err := l.follow()
	switch {
	case errors.Is(err, ErrNoInterface), errors.Is(err, unix.ENODEV): // gone between two questions
		state = LinkDown
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return false, nil // the next look will tell
	case err != nil:
		return false, fmt.Errorf("%s: %w", l.name, err)
	}
	if l.interrupted && l.state == LinkUp && state == LinkUp {
		state = LinkDown // it is back already, which the next look tells
	}
	l.interrupted = false
	changed = state != l.state
	l.state = state
	return changed, nil
}

// follow binds the socket to the interface that has the name, unless it is
// already. The kernel unbinds it from an interface that is removed.
func (l *Live) follow() (LinkState, error) {
	bound, err := l.bound()
	if err != nil {
		return 0, err
	}
	d, err := l.devices.named(l.name)
	switch {
	case errors.Is(err, ErrNoInterface) && bound > 0:
		if d, err = l.devices.numbered(bound); err != nil {
			return 0, err
		}
		return stateOf(d, LinkRenamed), nil
	case err != nil:
		return 0, err
	}
	link, ok := linkType(d.hardware)
	if !ok || l.only != nil && link != l.link {
		return LinkUnreadable, nil
	}
	if link != l.link {
		if err := l.attach(link); err != nil {
			return 0, err
		}
	}
	l.hardware, l.link = d.hardware, link
	if d.index != bound {
		if bound > 0 && l.promisc {
			l.promiscuous(unix.PACKET_DROP_MEMBERSHIP, bound) // one that goes this moment has none left
		}
		if err := l.rebind(d.index); err != nil {
			return 0, err
		}
	}
	return stateOf(d, LinkUp), nil
}

// stateOf is the given state if the interface is up.
func stateOf(d device, up LinkState) LinkState {
	if d.up {
		return up
	}
	return LinkDown
}

// bound returns the index of the interface that the socket is bound to; none
// has an index below 1.
func (l *Live) bound() (int, error) {
	address, err := unix.Getsockname(l.fd)
	if err != nil {
		return 0, fmt.Errorf("read what the socket is bound to: %w", err)
	}
	return address.(*unix.SockaddrLinklayer).Ifindex, nil
}
