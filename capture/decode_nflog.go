package capture

import "encoding/binary"

// Attributes of netfilter's log messages (Linux, nfnetlink_log.h).
const nflogPayload = 9

// decodeNFLOG reads a netfilter log message: family, version, group, and
// attributes in the byte order of the capturing host. The attribute of the
// payload is the packet from its IP header on.
func decodeNFLOG(b []byte, cut int, p *Packet) Reason {
	if len(b) < 8 {
		return short(cut)
	}
	if b[1] != 0 {
		return ReasonMalformed
	}
	b = b[4:]
	// Attribute types are small: a second byte that is not zero is a
	// big-endian host's.
	var order binary.ByteOrder = binary.LittleEndian
	if b[3] != 0 {
		order = binary.BigEndian
	}
	for len(b) >= 4 {
		size, kind := int(order.Uint16(b)), order.Uint16(b[2:])
		if size < 4 || size > len(b)+cut {
			return ReasonMalformed
		}
		if kind == nflogPayload {
			end := min(size, len(b))
			return decodeIP(b[4:end], size-end, 0, p)
		}
		next := (size + 3) &^ 3
		if next > len(b) {
			break
		}
		b = b[next:]
	}
	if cut > 0 {
		return ReasonTruncated
	}
	return ReasonEtherType
}
