package alert

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// icmpCounterparts are the ICMP types that come in pairs, as far as contacts
// are made of them: both belong to one flow.
var icmpCounterparts = map[capture.Proto]map[uint16]uint16{
	capture.ProtoICMP: {
		capture.ICMPEchoRequest: capture.ICMPEchoReply,
		capture.ICMPTimestamp:   capture.ICMPTimestampReply,
		capture.ICMPMaskRequest: capture.ICMPMaskReply,
	},
	capture.ProtoICMPv6: {
		capture.ICMP6EchoRequest: capture.ICMP6EchoReply,
	},
}

// communityID returns the flow's Community ID, by which Zeek, Suricata, Arkime
// and others name the same flow (corelight/community-id-spec, version 1, seed
// 0), or nothing where it has none, as ARP.
func communityID(f detect.Flow) string {
	srcPort, dstPort := f.SrcPort, f.DstPort
	switch f.Proto {
	case capture.ProtoTCP, capture.ProtoUDP:
	case capture.ProtoICMP, capture.ProtoICMPv6:
		answer, ok := icmpCounterparts[f.Proto][f.DstPort]
		if !ok {
			return ""
		}
		srcPort, dstPort = f.DstPort, answer
	default:
		return ""
	}
	src, dst := f.Src.Netip().AsSlice(), f.Dst.Netip().AsSlice()
	if order := bytes.Compare(src, dst); order > 0 || order == 0 && srcPort > dstPort {
		src, dst, srcPort, dstPort = dst, src, dstPort, srcPort
	}
	const seed = 0
	b := binary.BigEndian.AppendUint16(nil, seed)
	b = append(append(b, src...), dst...)
	b = append(b, byte(f.Proto), 0)
	b = binary.BigEndian.AppendUint16(b, srcPort)
	b = binary.BigEndian.AppendUint16(b, dstPort)
	sum := sha1.Sum(b)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}
