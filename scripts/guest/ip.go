//go:build linux && guest

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// vethPeer is VETH_INFO_PEER of linux/veth.h.
const vethPeer = 1

// ip does what the live tests ask of ip(8):
//
//	link add NAME [index N] type veth peer name PEER
//	link set NAME [up] [down] [mtu N] [name NEW] [addrgenmode none]
//	link del NAME
//	-d link show NAME
func ip(args []string) error {
	if len(args) > 0 && args[0] == "-d" {
		args = args[1:]
	}
	if len(args) < 3 || args[0] != "link" {
		return fmt.Errorf("ip %q: not known here", args)
	}
	name, options := args[2], args[3:]
	if args[1] == "add" {
		return add(name, options)
	}
	device, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	switch args[1] {
	case "set":
		return set(device, options)
	case "del":
		_, err = ask(unix.RTM_DELLINK, unix.NLM_F_ACK, unix.IfInfomsg{Index: int32(device.Index)}, nil)
		return err
	case "show":
		return show(device)
	}
	return fmt.Errorf("ip %q: not known here", args)
}

// add makes a pair of connected interfaces.
func add(name string, options []string) error {
	var info unix.IfInfomsg
	if len(options) > 1 && options[0] == "index" {
		index, err := strconv.Atoi(options[1])
		if err != nil {
			return err
		}
		info.Index = int32(index)
		options = options[2:]
	}
	if len(options) != 5 || !slices.Equal(options[:4], []string{"type", "veth", "peer", "name"}) {
		return fmt.Errorf("ip link add %q: not known here", options)
	}
	peer := append(header(unix.IfInfomsg{}), attribute(unix.IFLA_IFNAME, text(options[4]))...)
	kind := attribute(unix.IFLA_INFO_KIND, text("veth"))
	data := attribute(unix.IFLA_INFO_DATA, attribute(vethPeer, peer))
	attributes := append(attribute(unix.IFLA_IFNAME, text(name)), attribute(unix.IFLA_LINKINFO, append(kind, data...))...)
	_, err := ask(unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL, info, attributes)
	return err
}

// set changes an interface, all in one message as ip does.
func set(device *net.Interface, options []string) error {
	info := unix.IfInfomsg{Index: int32(device.Index)}
	var attributes []byte
	for len(options) > 0 {
		option, value := options[0], ""
		options = options[1:]
		switch option {
		case "up":
			info.Change, info.Flags = unix.IFF_UP, unix.IFF_UP
			continue
		case "down":
			info.Change, info.Flags = unix.IFF_UP, 0
			continue
		}
		if len(options) > 0 {
			value, options = options[0], options[1:]
		}
		switch option {
		case "mtu":
			mtu, err := strconv.Atoi(value)
			if err != nil {
				return err
			}
			attributes = append(attributes, attribute(unix.IFLA_MTU, binary.NativeEndian.AppendUint32(nil, uint32(mtu)))...)
		case "name":
			attributes = append(attributes, attribute(unix.IFLA_IFNAME, text(value))...)
		case "addrgenmode": // none
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+device.Name+"/addr_gen_mode", []byte("1"), 0); err != nil {
				return err
			}
		default:
			return fmt.Errorf("ip link set: %s: not known here", option)
		}
	}
	_, err := ask(unix.RTM_NEWLINK, unix.NLM_F_ACK, info, attributes)
	return err
}

// show prints whether someone has put the interface in promiscuous mode, which
// is all that the tests look for.
func show(device *net.Interface) error {
	answer, err := ask(unix.RTM_GETLINK, 0, unix.IfInfomsg{Index: int32(device.Index)}, nil)
	if err != nil {
		return err
	}
	for rest := answer[unix.SizeofIfInfomsg:]; len(rest) >= unix.SizeofRtAttr; {
		size := int(binary.NativeEndian.Uint16(rest))
		if size < unix.SizeofRtAttr || size > len(rest) {
			break
		}
		if kind := binary.NativeEndian.Uint16(rest[2:]); kind == unix.IFLA_PROMISCUITY && size >= unix.SizeofRtAttr+4 {
			fmt.Printf("%s: promiscuity %d \n", device.Name, binary.NativeEndian.Uint32(rest[unix.SizeofRtAttr:]))
		}
		rest = rest[min(len(rest), (size+3)&^3):]
	}
	return nil
}

// ask sends a request about an interface (rtnetlink(7)), and returns the body of
// the answer.
func ask(kind, flags uint16, info unix.IfInfomsg, attributes []byte) ([]byte, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	body := append(header(info), attributes...)
	message := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, flags|unix.NLM_F_REQUEST)
	message = append(append(message, make([]byte, 8)...), body...)
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	answer := make([]byte, 1<<16)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return nil, err
	}
	if n < unix.SizeofNlMsghdr+unix.SizeofIfInfomsg {
		return nil, unix.EPROTO
	}
	answer = answer[:n]
	if binary.NativeEndian.Uint16(answer[4:]) == unix.NLMSG_ERROR {
		if errno := -int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); errno != 0 {
			return nil, unix.Errno(errno)
		}
	}
	return answer[unix.SizeofNlMsghdr:], nil
}

// header is a struct ifinfomsg.
func header(info unix.IfInfomsg) []byte {
	b := []byte{info.Family, 0}
	b = binary.NativeEndian.AppendUint16(b, info.Type)
	b = binary.NativeEndian.AppendUint32(b, uint32(info.Index))
	b = binary.NativeEndian.AppendUint32(b, info.Flags)
	return binary.NativeEndian.AppendUint32(b, info.Change)
}

// attribute is a struct rtattr with its value, padded.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// text is a string as the kernel wants it.
func text(s string) []byte { return append([]byte(s), 0) }
