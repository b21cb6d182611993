package capture

import "strconv"

// LinkType says what a frame begins with: a value of the tcpdump.org list of
// link-layer header types, in full width (Linux cooked v2 is 276, which
// gopacket's eight-bit layers.LinkType would cut to 20).
type LinkType uint32

// The link types that Decode reads.
const (
	LinkTypeNull      LinkType = 0   // BSD loopback, address family in the capturing host's byte order
	LinkTypeEthernet  LinkType = 1   //
	LinkTypePPP       LinkType = 9   // PPP, with or without HDLC-like framing (RFC 1662)
	LinkTypeRawBSD    LinkType = 12  // raw IP, as DLT_RAW is numbered on most systems
	LinkTypeRawOpen   LinkType = 14  // raw IP, as DLT_RAW is numbered on OpenBSD
	LinkTypePPPSerial LinkType = 50  // PPP in HDLC-like framing, or Cisco HDLC
	LinkTypePPPoE     LinkType = 51  // PPPoE session header (RFC 2516)
	LinkTypeRaw       LinkType = 101 // raw IP, version 4 or 6
	LinkTypeHDLC      LinkType = 104 // Cisco HDLC
	LinkTypeLoop      LinkType = 108 // OpenBSD loopback, address family in network byte order
	LinkTypeLinuxSLL  LinkType = 113 // Linux cooked capture
	LinkTypeIPv4      LinkType = 228 //
	LinkTypeIPv6      LinkType = 229 //
	LinkTypeLinuxSLL2 LinkType = 276 // Linux cooked capture v2
)

// String returns the link type's name, or its number where Decode does not
// read it.
func (l LinkType) String() string {
	switch l {
	case LinkTypeNull, LinkTypeLoop:
		return "loopback"
	case LinkTypeEthernet:
		return "Ethernet"
	case LinkTypePPP, LinkTypePPPSerial:
		return "PPP"
	case LinkTypePPPoE:
		return "PPPoE"
	case LinkTypeHDLC:
		return "Cisco HDLC"
	case LinkTypeRawBSD, LinkTypeRawOpen, LinkTypeRaw:
		return "raw IP"
	case LinkTypeIPv4:
		return "raw IPv4"
	case LinkTypeIPv6:
		return "raw IPv6"
	case LinkTypeLinuxSLL:
		return "Linux cooked"
	case LinkTypeLinuxSLL2:
		return "Linux cooked v2"
	}
	return "link type " + strconv.FormatUint(uint64(l), 10)
}
