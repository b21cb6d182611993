package capture

// Headers that receivers put before IEEE 802.11 frames. Of all that they tell
// only the frame check sequence matters here, and padding.

// Radiotap's flags field (radiotap.org).
const (
	radiotapPresent = 1 << 1 // bits of the first word of presence: flags
	radiotapTSFT    = 1 << 0 // and the only field before it
	radiotapMore    = 1 << 31

	radiotapFCS    = 0x10
	radiotapPadded = 0x20
	radiotapBadFCS = 0x40
)

// decodeRadiotap reads the radiotap header.
func decodeRadiotap(b []byte, cut int, p *Packet) Reason {
	header, b, r := splitVersioned(b, cut)
	if r != ReasonOK {
		return r
	}
	present := le32(header[4:])
	at := 8
	for word := present; word&radiotapMore != 0; at += 4 {
		if at+4 > len(header) {
			return ReasonMalformed
		}
		word = le32(header[at:])
	}
	var flags wifiFlags
	if present&radiotapPresent != 0 {
		if present&radiotapTSFT != 0 {
			at = (at+7)&^7 + 8 // fields are aligned to their size
		}
		if at >= len(header) {
			return ReasonMalformed
		}
		flags = radiotapFlags(header[at])
	}
	return decodeReceived(flags, b, cut, p)
}

// radiotapFlags translates the flags field.
func radiotapFlags(field uint8) wifiFlags {
	var flags wifiFlags
	if field&radiotapFCS != 0 {
		flags |= wifiFCS
	}
	if field&radiotapBadFCS != 0 {
		flags |= wifiBadFCS
	}
	if field&radiotapPadded != 0 {
		flags |= wifiPadded
	}
	return flags
}

// decodePrism skips the header of Prism drivers: message code, length, a
// device's name, fields. Some drivers write an AVS header in its place.
func decodePrism(b []byte, cut int, p *Packet) Reason {
	if len(b) < 8 {
		return short(cut)
	}
	if be32(b)>>12 == 0x80211 {
		return decodeAVS(b, cut, p)
	}
	return skipRadio(le32(b[4:]), b, cut, p)
}

// decodeAVS skips an AVS header: magic, length, fields.
func decodeAVS(b []byte, cut int, p *Packet) Reason {
	if len(b) < 8 {
		return short(cut)
	}
	return skipRadio(be32(b[4:]), b, cut, p)
}

// skipRadio goes on after a header of size bytes.
func skipRadio(size uint32, b []byte, cut int, p *Packet) Reason {
	_, b, r := splitHeader(size, b, cut)
	if r != ReasonOK {
		return r
	}
	return decodeReceived(0, b, cut, p)
}

// splitVersioned splits off a header as radiotap and PPI have it: a version,
// which is 0, flags, and the header's length.
func splitVersioned(b []byte, cut int) (header, frame []byte, r Reason) {
	if len(b) < 8 {
		return nil, nil, short(cut)
	}
	if b[0] != 0 {
		return nil, nil, ReasonMalformed
	}
	return splitHeader(uint32(le16(b[2:])), b, cut)
}

// splitHeader splits off a header of size bytes, at least the 8 that its own
// length lies in.
func splitHeader(size uint32, b []byte, cut int) (header, frame []byte, r Reason) {
	switch {
	case size < 8 || uint64(size) > uint64(len(b)+cut):
		return nil, nil, ReasonMalformed
	case uint64(size) > uint64(len(b)):
		return nil, nil, ReasonTruncated
	}
	return b[:size], b[size:], ReasonOK
}

// PPI's field for IEEE 802.11 (CACE Technologies, PPI header format 1.0.7).
const (
	ppiCommon       = 2
	ppiCommonFCS    = 1 << 0
	ppiCommonBadFCS = 1 << 2
)

// decodePPI reads a PPI header and the frame after it, of the link type that
// it names.
func decodePPI(b []byte, cut int, p *Packet) Reason {
	header, b, r := splitVersioned(b, cut)
	if r != ReasonOK {
		return r
	}
	link := LinkType(le32(header[4:]))
	switch link {
	case LinkTypeWiFi:
		return decodeReceived(ppiFlags(header[8:]), b, cut, p)
	case LinkTypePPI:
		return ReasonDepth
	}
	return decodeLink(link, b, cut, p)
}

// ppiFlags finds the flags in the fields of a PPI header.
func ppiFlags(fields []byte) wifiFlags {
	for len(fields) >= 4 {
		kind, size := le16(fields), 4+int(le16(fields[2:]))
		if size > len(fields) {
			break
		}
		if kind == ppiCommon && size >= 14 {
			var flags wifiFlags
			field := le16(fields[12:])
			if field&ppiCommonFCS != 0 {
				flags |= wifiFCS
			}
			if field&ppiCommonBadFCS != 0 {
				flags |= wifiBadFCS
			}
			return flags
		}
		fields = fields[size:]
	}
	return 0
}
