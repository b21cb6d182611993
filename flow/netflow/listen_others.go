//go:build !linux

package netflow

import "net"

const controlSize = 0

// prepare asks for a large buffer.
func prepare(conn *net.UDPConn) { _ = conn.SetReadBuffer(receiveBuffer) }

// count has nothing to count: only Linux tells what was dropped.
func (l *Listener) count([]byte) {}
