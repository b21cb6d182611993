package alert

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// tcpState is what the kernel knows of how much of a connection has arrived.
type tcpState struct {
	unacknowledged int    // bytes
	window         uint32 // bytes that the other end would take: less, by what it has not read
}

func stateOfTCP(conn net.Conn) (s tcpState) {
	control(conn, func(fd int) {
		s.unacknowledged, _ = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			s.window = info.Snd_wnd // 0 always before Linux 5.4
		}
	})
	return s
}

// unreadUnix returns how much of a Unix socket the other end has not read, in
// the kernel's measure.
func unreadUnix(conn net.Conn) (n int) {
	control(conn, func(fd int) { n, _ = unix.IoctlGetInt(fd, unix.SIOCOUTQ) })
	return n
}

// hungUp returns an error if the other end of a stream is gone, which the
// kernel knows before it throws away what was not read.
func hungUp(conn net.Conn) (err error) {
	control(conn, func(fd int) {
		poll := []unix.PollFd{{Fd: int32(fd)}}
		if n, _ := unix.Poll(poll, 0); n > 0 && poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
			err = syscall.ECONNRESET
		}
	})
	return err
}

// limitSilence bounds how long TCP waits for acknowledgements.
func limitSilence(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	})
}

func control(conn net.Conn, f func(fd int)) {
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { f(int(fd)) })
		}
	}
}
