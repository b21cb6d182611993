package flow

import (
	"testing"

	"edgescan/capture"
)

// Two records of a host's ICMP errors are one for the Joiner, and outlast the
// datagrams that they refuse, as one record does: times may be whole seconds.
func TestJoinerRefusedTwice(t *testing.T) {
	client, server := capture.Addr{10: 0xff, 11: 0xff, 15: 1}, capture.Addr{10: 0xff, 11: 0xff, 15: 2}
	const second = int64(1e9)
	unreachable := func(at int64) Record {
		r := Record{Time: at, Start: at, Src: server, Dst: client}
		r.Proto, r.Type, r.Code = unreachablePort(&client)
		r.Out.Packets = 1
		return r
	}
	datagram := func(at int64, port uint16) Record {
		return Record{Time: at, Start: at, Src: client, Dst: server, SrcPort: 40000, DstPort: port, Proto: capture.ProtoUDP, Out: Half{Packets: 1, Data: true}}
	}
	got := outcomesOf(t, []Record{
		datagram(100*second, 161), unreachable(100 * second), unreachable(101 * second), datagram(102*second, 162),
	})
	compare(t, got, map[string]string{"0.0.0.1 0.0.0.2 udp/161": "refused", "0.0.0.1 0.0.0.2 udp/162": "refused"})
}
