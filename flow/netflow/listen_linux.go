package netflow

import (
	"encoding/binary"
	"net"

	"golang.org/x/sys/unix"
)

// controlSize is the room for the one control message that comes with a datagram.
var controlSize = unix.CmsgSpace(4)

// prepare asks the kernel for a large buffer, as large as there may be without
// privilege, and to tell with datagrams how many it has dropped. Without either
// flows are received all the same.
func prepare(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		}
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	})
}

// count takes what the kernel has dropped out of a datagram's control messages:
// all since the socket was opened. It tells with the next datagram that is read.
func (l *Listener) count(control []byte) {
	for len(control) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SO_RXQ_OVFL && len(data) >= 4 {
			drops := binary.NativeEndian.Uint32(data)
			l.stats.Dropped += uint64(drops - l.drops)
			l.drops = drops
		}
		control = rest
	}
}
