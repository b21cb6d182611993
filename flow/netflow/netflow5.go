package netflow

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	legacy "github.com/netsampler/goflow2/v2/decoders/netflowlegacy"

	"edgescan/capture"
	"edgescan/flow"
)

// Sizes of NetFlow v5, bytes.
const (
	header5 = 24
	record5 = 48
)

// interval5 are the bits of a header's sampling field that are the interval. The
// mode above them is often left 0 by exporters that sample.
const interval5 = 0x3fff

// decode5 reads NetFlow v5.
func (d *Decoder) decode5(exporter netip.Addr, datagram []byte) error {
	if len(datagram) < header5 {
		return ErrMalformed
	}
	count := int(binary.BigEndian.Uint16(datagram[2:]))
	if count > (len(datagram)-header5)/record5 {
		return ErrMalformed // room would be made for all that it claims
	}
	var m legacy.PacketNetFlowV5
	if err := legacy.DecodeMessage(bytes.NewBuffer(datagram[2:]), &m); err != nil {
		return ErrMalformed
	}
	d.version = 5
	id := uint32(m.EngineType)<<8 | uint32(m.EngineId)
	if d.domain = d.memory.domain(domainKey{exporter: exporter, id: id, version: 5}, d.at); d.domain == nil {
		return nil // counted as evicted
	}
	d.follow(m.FlowSequence, counted{uint32(count), uint32(count)})
	if count > 0 {
		d.memory.prove(d.domain)
	}
	for i := range m.Records {
		d.flow5(&m, &m.Records[i])
	}
	return nil
}

// flow5 makes a record of one of NetFlow v5, if packets could show its protocol.
func (d *Decoder) flow5(m *legacy.PacketNetFlowV5, from *legacy.RecordsNetFlowV5) {
	r := &d.record
	*r = flow.Record{
		Time: d.at, Src: address4(from.SrcAddr), Dst: address4(from.DstAddr),
		Proto: capture.Proto(from.Proto), Sampling: uint32(m.SamplingInterval & interval5),
	}
	switch r.Proto {
	case capture.ProtoTCP, capture.ProtoUDP:
		r.SrcPort, r.DstPort = from.SrcPort, from.DstPort
	case capture.ProtoICMP:
		r.Type, r.Code = uint8(from.DstPort>>8), uint8(from.DstPort)
	default:
		d.stats.Ignored++
		return
	}
	r.Count(&r.Out, uint64(from.DPkts), uint64(from.DOctets))
	if r.Proto == capture.ProtoTCP {
		r.Out.Flags = capture.Flags(from.TCPFlags)
		d.flagged(true)
	}
	begin(r, upMilli(m.SysUptime-from.First), upMilli(from.Last-from.First))
	d.give()
}

func address4(a legacy.IPAddress) capture.Addr {
	return capture.Addr{10: 0xff, 11: 0xff, 12: byte(a >> 24), 13: byte(a >> 16), 14: byte(a >> 8), 15: byte(a)}
}
