package capture

import "encoding/binary"

// Decoder turns frames into Packets and counts how that went. The zero value
// is ready; it serves one goroutine.
type Decoder struct {
	Counts [NumReasons]uint64 // frames by the Reason that Decode returned
	// Only lets Decode look at those frames alone that it accepts. It must
	// come from ParseFileBytecode, and be made for the link type of the frames.
	Only Bytecode
}

// Decode reads the headers of one frame into p, without allocating. ts is the
// capture time in nanoseconds, wire the frame's length on the wire in bytes,
// of which data may hold fewer.
//
// It wants no more than it needs, so that a probe cannot hide behind headers
// that are wrong further on: TCP is read up to its flags whatever its data
// offset says, IP options are skipped unread, checksums are not looked at.
//
// With any Reason but ReasonOK, p.Proto is ProtoNone; the fields below the
// header that failed are filled in nevertheless. Of these cases a reader of
// Packets should know:
//
//   - A first fragment of less than 14 bytes of TCP (nmap -f) has ports but no
//     flags. No honest sender makes one.
//   - A tunnel (IP in IP, GRE, EtherIP, VXLAN, Geneve) gives the inner packet,
//     and nothing of the outer one. Where it holds none that can be read, UDP is
//     an ordinary datagram.
//   - An aggregate of 802.11 (A-MSDU) gives the first of its packets.
//   - A quoted ICMP echo has its identifier in Quote.SrcPort, as a Packet has.
func (d *Decoder) Decode(link LinkType, ts int64, data []byte, wire int, p *Packet) Reason {
	wire = max(wire, len(data))
	*p = Packet{Time: ts, Length: uint32(wire)}
	var r Reason
	if d.Only != nil && !d.Only.accepts(data, wire) {
		r = ReasonFiltered
	} else if link == LinkTypeEthernet { // a call less for nearly all frames
		r = decodeEthernet(data, wire-len(data), 0, p)
	} else {
		r = decodeLink(link, data, wire-len(data), p)
	}
	d.Counts[r]++
	return r
}

// be16 and be32 read the network byte order. Slices of headers are passed on
// with cut, the number of bytes that the frame had beyond the captured ones.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// short tells why a header is incomplete: the capture was cut, or the frame
// never held it.
func short(cut int) Reason {
	if cut > 0 {
		return ReasonTruncated
	}
	return ReasonMalformed
}
