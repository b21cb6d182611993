package capture

// Frame relay's network layer protocol identifiers (RFC 2427, 3).
const (
	nlpidSNAP = 0x80
	nlpidIPv6 = 0x8e
	nlpidIPv4 = 0xcc
	nlpidPPP  = 0xcf // RFC 1973
)

// decodeFrameRelay reads the Q.922 address of two to four bytes and RFC 2427's
// encapsulation, or Cisco's, which is an ethertype.
func decodeFrameRelay(b []byte, cut int, p *Packet) Reason {
	n := 1
	for ; ; n++ { // the last byte of the address has its lowest bit set
		if n >= 4 {
			return ReasonMalformed
		}
		if len(b) <= n {
			return short(cut)
		}
		if b[n]&1 != 0 {
			break
		}
	}
	b = b[n+1:]
	if len(b) < 2 {
		return short(cut)
	}
	if b[0] != 0x03 { // not unnumbered information
		return decodeEtherType(be16(b), b[2:], cut, 0, p)
	}
	b = b[1:]
	if b[0] == 0 { // padding
		b = b[1:]
		if len(b) == 0 {
			return short(cut)
		}
	}
	switch b[0] {
	case nlpidIPv4:
		return decodeIPv4(b[1:], cut, 0, p)
	case nlpidIPv6:
		return decodeIPv6(b[1:], cut, 0, p)
	case nlpidPPP:
		return decodePPP(b[1:], cut, 0, p)
	case nlpidSNAP:
		if len(b) < 6 {
			return short(cut)
		}
		return decodeSNAP(b[1:], cut, p)
	}
	return ReasonEtherType
}

// decodeSNAP reads the OUI and protocol of a frame relay packet: an ethertype,
// or a bridged Ethernet frame, with its check sequence or without.
func decodeSNAP(b []byte, cut int, p *Packet) Reason {
	const (
		ouiBridged         = 0x0080c2
		bridgedEthernetFCS = 1
		bridgedEthernet    = 7
	)
	oui, kind := be32(b)>>8, be16(b[3:])
	switch {
	case oui == 0:
		return decodeInner(kind, b[5:], cut, 0, p)
	case oui == ouiBridged && (kind == bridgedEthernet || kind == bridgedEthernetFCS):
		return decodeEthernet(b[5:], cut, 0, p)
	}
	return ReasonEtherType
}

// decodeFDDI reads the header of FDDI (ISO 9314-2) and LLC.
func decodeFDDI(b []byte, cut int, p *Packet) Reason {
	if len(b) < 13 {
		return short(cut)
	}
	if b[0]&0x70 != 0x50 { // not LLC with addresses of six bytes
		return ReasonEtherType
	}
	p.Group = b[1]&1 != 0
	return decodeLLC(b[13:], cut, 0, p)
}

// decodeIPoIB reads IP over InfiniBand (RFC 4391, 6) behind a global routing
// header, of which only the destination's identifier counts.
func decodeIPoIB(b []byte, cut int, p *Packet) Reason {
	if len(b) < 44 {
		return short(cut)
	}
	p.Group = b[24] == 0xff
	return decodeInner(be16(b[40:]), b[44:], cut, 0, p)
}

// decodeBrcmTag reads Ethernet from a switch's port to the processor: a tag of
// four bytes stands between the addresses and the ethertype.
func decodeBrcmTag(b []byte, cut int, p *Packet) Reason {
	if len(b) < 18 {
		return short(cut)
	}
	p.Group = b[0]&1 != 0
	return decodeEtherType(be16(b[16:]), b[18:], cut, 0, p)
}
