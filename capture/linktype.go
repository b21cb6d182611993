package capture

import "strconv"

// LinkType says what a frame begins with: a value of the tcpdump.org list of
// link-layer header types, in full width (Linux cooked v2 is 276, which
// gopacket's eight-bit layers.LinkType would cut to 20).
type LinkType uint32

// The link types that Decode reads.
const (
	LinkTypeNull       LinkType = 0   // BSD loopback, address family in the capturing host's byte order
	LinkTypeEthernet   LinkType = 1   //
	LinkTypePPP        LinkType = 9   // PPP, with or without HDLC-like framing (RFC 1662)
	LinkTypeFDDI       LinkType = 10  //
	LinkTypeRawBSD     LinkType = 12  // raw IP, as DLT_RAW is numbered on most systems
	LinkTypeRawOpen    LinkType = 14  // raw IP, as DLT_RAW is numbered on OpenBSD
	LinkTypePPPSerial  LinkType = 50  // PPP in HDLC-like framing, or Cisco HDLC
	LinkTypePPPoE      LinkType = 51  // PPPoE session header (RFC 2516)
	LinkTypeRaw        LinkType = 101 // raw IP, version 4 or 6
	LinkTypeHDLC       LinkType = 104 // Cisco HDLC
	LinkTypeWiFi       LinkType = 105 // IEEE 802.11
	LinkTypeFrameRelay LinkType = 107 //
	LinkTypeLoop       LinkType = 108 // OpenBSD loopback, address family in network byte order
	LinkTypeLinuxSLL   LinkType = 113 // Linux cooked capture
	LinkTypePrism      LinkType = 119 // Prism or AVS header, IEEE 802.11
	LinkTypeRadiotap   LinkType = 127 // radiotap, IEEE 802.11
	LinkTypeAVS        LinkType = 163 // AVS header, IEEE 802.11
	LinkTypePPI        LinkType = 192 // per-packet information, and a frame of the link type that it names
	LinkTypeIPv4       LinkType = 228 //
	LinkTypeIPv6       LinkType = 229 //
	LinkTypeNFLOG      LinkType = 239 // Linux netfilter's log messages
	LinkTypeIPoIB      LinkType = 242 // IP over InfiniBand
	LinkTypeLinuxSLL2  LinkType = 276 // Linux cooked capture v2
	LinkTypeBrcmTag    LinkType = 281 // Ethernet with a Broadcom switch's tag behind the addresses

	linkTypeUnknown LinkType = 0xffff // nothing has it
)

// String returns the link type's name, or its number where Decode does not
// read it.
func (l LinkType) String() string {
	switch l {
	case LinkTypeNull, LinkTypeLoop:
		return "loopback"
	case LinkTypeEthernet:
		return "Ethernet"
	case LinkTypeFDDI:
		return "FDDI"
	case LinkTypeFrameRelay:
		return "frame relay"
	case LinkTypeWiFi:
		return "802.11"
	case LinkTypePrism:
		return "802.11 with Prism header"
	case LinkTypeRadiotap:
		return "802.11 with radiotap"
	case LinkTypeAVS:
		return "802.11 with AVS header"
	case LinkTypePPI:
		return "PPI"
	case LinkTypeNFLOG:
		return "NFLOG"
	case LinkTypeIPoIB:
		return "IP over InfiniBand"
	case LinkTypeBrcmTag:
		return "Ethernet with Broadcom tag"
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
