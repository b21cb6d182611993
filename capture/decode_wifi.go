package capture

import "encoding/binary"

// le16 and le32 read the byte order of IEEE 802.11 and of radiotap.
func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// The frame control field's second byte (IEEE 802.11-2020, 9.2.4.1).
const (
	wifiToDS      = 0x01
	wifiFromDS    = 0x02
	wifiProtected = 0x40
	wifiOrder     = 0x80 // in QoS data: an HT control field follows
)

// The frame control field's first byte: type data, and bits of its subtype.
const (
	wifiTypeMask = 0x0f // with the version
	wifiData     = 0x08
	wifiNull     = 0x40 // there is no frame body
	wifiQoS      = 0x80
	wifiAMSDU    = 0x80 // of the QoS control field
)

// wifiFlags is what the receiver says of a frame beside its bytes.
type wifiFlags uint8

const (
	wifiFCS    wifiFlags = 1 << iota // the frame check sequence is at the end
	wifiBadFCS                       // and does not fit: bytes of the frame are wrong
	wifiPadded                       // the header is padded to a multiple of four bytes
)

// decodeReceived reads an IEEE 802.11 frame that a receiver's header
// described.
func decodeReceived(flags wifiFlags, b []byte, cut int, p *Packet) Reason {
	if flags&wifiBadFCS != 0 {
		return ReasonMalformed
	}
	if flags&wifiFCS != 0 {
		size := len(b) + cut - 4
		if size < 0 {
			return ReasonMalformed
		}
		b = b[:min(len(b), size)]
		cut = size - len(b)
	}
	return decodeMPDU(flags&wifiPadded != 0, b, cut, p)
}

// decodeWiFi reads an IEEE 802.11 frame without any such header. It may end in
// a check sequence; nothing says whether.
func decodeWiFi(b []byte, cut int, p *Packet) Reason { return decodeMPDU(false, b, cut, p) }

// decodeMPDU reads the MAC header (IEEE 802.11-2020, 9.3.2) and what a data
// frame carries. Of an aggregate (A-MSDU) it gives the first packet.
func decodeMPDU(padded bool, b []byte, cut int, p *Packet) Reason {
	if len(b) < 2 {
		return short(cut)
	}
	control, flags := b[0], b[1]
	if control&wifiTypeMask != wifiData || control&wifiNull != 0 {
		return ReasonNoData
	}
	if flags&wifiProtected != 0 {
		return ReasonEncrypted
	}
	n := 24
	if flags&wifiToDS != 0 && flags&wifiFromDS != 0 {
		n += 6 // the fourth address
	}
	qos := n
	if control&wifiQoS != 0 {
		n += 2
		if flags&wifiOrder != 0 {
			n += 4
		}
	}
	pad := 0
	if padded {
		pad = -n & 3
	}
	if len(b) < n+pad {
		return short(cut)
	}
	destination := b[4:]
	if flags&wifiToDS != 0 {
		destination = b[16:] // the first address is the access point's
	}
	p.Group = destination[0]&1 != 0
	if b[22]&0x0f != 0 {
		return ReasonEtherType // a later fragment, in which nothing says of what
	}
	aggregate := control&wifiQoS != 0 && b[qos]&wifiAMSDU != 0
	b = b[n+pad:]
	if aggregate {
		if len(b) < 14 {
			return short(cut)
		}
		p.Group = b[0]&1 != 0
		b = b[14:] // destination, source, length
	}
	return decodeLLC(b, cut, 0, p)
}
