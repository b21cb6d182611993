package netflow

import (
	"encoding/binary"
	"testing"

	"edgescan/capture"
	"edgescan/flow"
)

// spec is a field of a template that a test makes.
type spec struct {
	element uint16
	length  uint16
	pen     uint32
}

// message makes datagrams as an exporter does: header first, then sets.
type message struct {
	version uint16
	b       []byte
}

// start begins a message. sent is seconds since 1970, uptime milliseconds.
func start(version uint16, number, id, sent, uptime uint32) *message {
	m := &message{version: version}
	m.b = binary.BigEndian.AppendUint16(m.b, version)
	m.b = binary.BigEndian.AppendUint16(m.b, 0)
	if version == 9 {
		m.b = binary.BigEndian.AppendUint32(m.b, uptime)
	}
	for _, n := range []uint32{sent, number, id} {
		m.b = binary.BigEndian.AppendUint32(m.b, n)
	}
	return m
}

// set appends a set.
func (m *message) set(id uint16, body []byte) *message {
	m.b = binary.BigEndian.AppendUint16(m.b, id)
	m.b = binary.BigEndian.AppendUint16(m.b, uint16(len(body)+4))
	m.b = append(m.b, body...)
	return m
}

// fieldsOf writes the fields of a template.
func fieldsOf(specs []spec) (b []byte) {
	for _, f := range specs {
		element := f.element
		if f.pen != 0 {
			element |= 0x8000
		}
		b = binary.BigEndian.AppendUint16(b, element)
		b = binary.BigEndian.AppendUint16(b, f.length)
		if f.pen != 0 {
			b = binary.BigEndian.AppendUint32(b, f.pen)
		}
	}
	return b
}

// template appends a set that defines one.
func (m *message) template(id uint16, specs ...spec) *message {
	b := binary.BigEndian.AppendUint16(nil, id)
	b = binary.BigEndian.AppendUint16(b, uint16(len(specs)))
	set := uint16(0)
	if m.version == 10 {
		set = 2
	}
	return m.set(set, append(b, fieldsOf(specs)...))
}

// options appends a set that defines one of options, with one scope.
func (m *message) options(id uint16, scope spec, specs ...spec) *message {
	b := binary.BigEndian.AppendUint16(nil, id)
	if m.version == 10 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(specs)+1))
		b = binary.BigEndian.AppendUint16(b, 1)
		return m.set(3, append(append(b, fieldsOf([]spec{scope})...), fieldsOf(specs)...))
	}
	b = binary.BigEndian.AppendUint16(b, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(4*len(specs)))
	return m.set(1, append(append(b, fieldsOf([]spec{scope})...), fieldsOf(specs)...))
}

// end fills in what the header counts.
func (m *message) end() []byte {
	n := len(m.b)
	if m.version == 9 {
		n = 10 // sets, at most
	}
	binary.BigEndian.PutUint16(m.b[2:], uint16(n))
	return m.b
}

// value is a field of a record that a test makes.
type value struct {
	element uint16
	bytes   []byte
	pen     uint32
}

func n1(element uint16, n uint8) value { return value{element: element, bytes: []byte{n}} }
func n2(element, n uint16) value {
	return value{element: element, bytes: binary.BigEndian.AppendUint16(nil, n)}
}
func n4(element uint16, n uint32) value {
	return value{element: element, bytes: binary.BigEndian.AppendUint32(nil, n)}
}
func n8(element uint16, n uint64) value {
	return value{element: element, bytes: binary.BigEndian.AppendUint64(nil, n)}
}
func back(v value) value { v.pen = reversePEN; return v }

// The ends of flows that tests make.
var (
	client = capture.Addr{10: 0xff, 11: 0xff, 12: 10, 15: 1}
	server = capture.Addr{10: 0xff, 11: 0xff, 12: 10, 15: 2}
)

// between is a flow from client to server.
func between(proto uint8, srcPort, dstPort uint16, more ...value) []value {
	return append([]value{
		{element: 8, bytes: client[12:]}, {element: 12, bytes: server[12:]},
		n1(4, proto), n2(7, srcPort), n2(11, dstPort),
	}, more...)
}

// record returns a message with a template, and one record of it.
func record(version uint16, number uint32, values []value) []byte {
	var specs []spec
	var body []byte
	for _, v := range values {
		specs = append(specs, spec{v.element, uint16(len(v.bytes)), v.pen})
		body = append(body, v.bytes...)
	}
	return start(version, number, 7, sentAt, uptimeAt).template(256, specs...).set(256, body).end()
}

// When messages are sent, by a clock that is years from ours.
const (
	sentAt   = 1_000_000_000
	uptimeAt = 500_000
)

// decodeAll reads datagrams, and returns what they tell and the counts.
func decodeAll(t testing.TB, datagrams ...[]byte) ([]flow.Record, Stats) {
	t.Helper()
	all := make([]Datagram, len(datagrams))
	for i, b := range datagrams {
		all[i] = Datagram{Exporter: testExporter, Time: testTime, Data: b}
	}
	records, _, stats := decode(t, all)
	return records, stats
}

// decode returns what datagrams tell.
func decode(t testing.TB, all []Datagram) (records []flow.Record, packets []capture.Packet, stats Stats) {
	t.Helper()
	d := NewDecoder(DefaultMemory)
	for i := range all {
		err := d.Decode(all[i].Exporter, all[i].Time, all[i].Data,
			func(r *flow.Record) { records = append(records, *r) },
			func(p *capture.Packet) { packets = append(packets, *p) })
		if err != nil {
			t.Errorf("datagram %d: %v", i, err)
		}
	}
	return records, packets, d.Stats()
}
