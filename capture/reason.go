package capture

// Reason says how far the decoding of a frame got. It stands in for an error
// where an error would cost an allocation per packet.
type Reason uint8

// ReasonOK is success; each of the others means that the Packet is not to be
// used as a contact or an answer.
const (
	ReasonOK        Reason = iota
	ReasonTruncated        // the capture cut off what was needed (snaplen)
	ReasonMalformed        // a header contradicts itself or the frame's length
	ReasonLinkType         // the link type is not one that Decode reads
	ReasonEtherType        // not IP or ARP: spanning tree, LLDP, PPP control, a later 802.11 fragment, ...
	ReasonProtocol         // IP, but above it neither TCP, UDP, ICMP, ICMPv6 nor a tunnel
	ReasonEncrypted        // 802.11 data that is encrypted on the air
	ReasonNoData           // 802.11 management, control and null frames
	ReasonDepth            // more nested tags, extension headers or tunnels than any honest sender uses
	ReasonFiltered         // Decoder.Only did not let it through
	NumReasons             // how many reasons there are: the length of Decoder.Counts
)

// String returns the reason in the words of a report.
func (r Reason) String() string {
	switch r {
	case ReasonOK:
		return "decoded"
	case ReasonTruncated:
		return "truncated"
	case ReasonMalformed:
		return "malformed"
	case ReasonLinkType:
		return "unknown link type"
	case ReasonEtherType:
		return "unknown ethertype"
	case ReasonProtocol:
		return "unknown IP protocol"
	case ReasonEncrypted:
		return "encrypted 802.11"
	case ReasonNoData:
		return "802.11 without data"
	case ReasonDepth:
		return "nested too deep"
	case ReasonFiltered:
		return "filtered out"
	}
	return "unknown reason"
}
