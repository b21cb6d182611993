package flood

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"edgescan/capture"
)

// epoch is the time of the first frame: 2026-11-23 01:00 UTC.
const epoch = int64(1_795_395_600e9)

// writer writes frames as a pcap file with nanoseconds.
type writer struct {
	out   *bufio.Writer
	now   int64 // nanoseconds since epoch
	frame []byte
}

// packet is one TCP or UDP packet.
type packet struct {
	src, dst     capture.Addr
	sport, dport uint16
	udp          bool
	flags        capture.Flags
	seq, ack     uint32
	payload      int
}

func newWriter(w io.Writer) *writer {
	out := &writer{out: bufio.NewWriterSize(w, 1<<16)}
	le := binary.LittleEndian
	head := le.AppendUint32(nil, 0xa1b23c4d) // pcap with nanoseconds
	head = le.AppendUint32(head, 2|4<<16)    // version 2.4
	head = append(head, make([]byte, 8)...)
	head = le.AppendUint32(head, 262144)
	head = le.AppendUint32(head, uint32(capture.LinkTypeRaw))
	out.out.Write(head)
	return out
}

func (w *writer) flush() error {
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write flood: %w", err)
	}
	return nil
}

// packet writes a packet at the time that it is now.
func (w *writer) packet(p *packet) {
	n, proto := 20, capture.ProtoTCP
	if p.udp {
		n, proto = 8, capture.ProtoUDP
	}
	le, be := binary.LittleEndian, binary.BigEndian
	f := append(w.frame[:0], make([]byte, 16)...)
	if p.src.Is4() {
		f = append(f, 0x45, 0)
		f = be.AppendUint16(f, uint16(20+n+p.payload))
		f = append(f, 0, 0, 0x40, 0, 64, byte(proto), 0, 0)
		f = append(append(f, p.src[12:]...), p.dst[12:]...)
	} else {
		f = append(f, 0x60, 0, 0, 0)
		f = be.AppendUint16(f, uint16(n+p.payload))
		f = append(f, byte(proto), 64)
		f = append(append(f, p.src[:]...), p.dst[:]...)
	}
	f = be.AppendUint16(be.AppendUint16(f, p.sport), p.dport)
	if p.udp {
		f = be.AppendUint32(f, uint32(n+p.payload)<<16)
	} else {
		f = be.AppendUint32(be.AppendUint32(f, p.seq), p.ack)
		f = append(f, 0x50, byte(p.flags), 0xff, 0xff, 0, 0, 0, 0)
	}
	f = append(f, make([]byte, min(p.payload, 64))...)
	captured := len(f) - 16
	wire := captured + p.payload - min(p.payload, 64)
	at := epoch + w.now
	le.PutUint32(f, uint32(at/1e9))
	le.PutUint32(f[4:], uint32(at%1e9))
	le.PutUint32(f[8:], uint32(captured))
	le.PutUint32(f[12:], uint32(wire))
	w.out.Write(f)
	w.frame = f
}
