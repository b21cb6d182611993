package netflow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"

	goflow "github.com/netsampler/goflow2/v2/decoders/netflow"

	"edgescan/capture"
	"edgescan/flow"
)

// Errors of Decode. They are made once: anybody can send what is none.
var (
	// ErrVersion says that a datagram is none of NetFlow v5 or v9, IPFIX or sFlow v5.
	ErrVersion = errors.New("no NetFlow v5 or v9, IPFIX or sFlow v5")
	// ErrMalformed says that a datagram is cut off, or not what its version has.
	ErrMalformed = errors.New("malformed datagram")
)

// Stats counts what a Decoder has done.
type Stats struct {
	Datagrams  uint64 // that came
	Malformed  uint64 // of them, those that could not be read, or not to their end
	Records    uint64 // that were given out
	Packets    uint64 // that sFlow has sampled, and that were given out
	Ignored    uint64 // records of other protocols, of events that are no flows, or that lack an address
	NoTemplate uint64 // sets of records whose template is not known, or not yet
	Lost       uint64 // datagrams, or of NetFlow v5 and IPFIX records, that numbers say never came
	Restarts   uint64 // how often an exporter's numbers began anew
	Evicted    uint64 // exporters and templates that were forgotten, or not taken, for want of room
}

// Decoder reads the datagrams of any number of exporters. It serves one goroutine.
type Decoder struct {
	memory  memory
	stats   Stats
	going   ongoing
	packets capture.Decoder // of what sFlow has sampled

	// Of the datagram that is read.
	domain  *domain
	version uint16
	at      int64
	export  export
	found   []*template // of its sets of records, in their order
	values  values
	record  flow.Record
	packet  capture.Packet
	emit    func(*flow.Record)
}

// export is when a datagram was sent by the exporter's clocks, milliseconds.
type export struct {
	uptime uint32 // since its system came up; of NetFlow
	time   int64  // since 1970
}

// NewDecoder returns a Decoder that remembers of exporters what fits so many bytes.
func NewDecoder(bytes int) *Decoder {
	return &Decoder{memory: memory{limit: bytes, domains: map[domainKey]*domain{}}}
}

// Stats returns what was counted so far.
func (d *Decoder) Stats() Stats {
	s := d.stats
	s.Evicted = d.memory.evicted
	return s
}

// Decode reads one datagram, which came from exporter at a time, nanoseconds since
// 1970-01-01 UTC. It gives its flows to emit, and the packets of sFlow to
// emitPacket; neither may keep what it is given. The error is ErrVersion or
// ErrMalformed, and what came before the fault was given out; it is counted, and
// concerns no other datagram. Data whose template is not known yet is no error.
func (d *Decoder) Decode(exporter netip.Addr, at int64, datagram []byte, emit func(*flow.Record), emitPacket func(*capture.Packet)) error {
	d.stats.Datagrams++
	d.at, d.emit = at, emit
	err := ErrVersion
	if len(datagram) >= 4 {
		exporter = exporter.Unmap().WithZone("")
		switch version := binary.BigEndian.Uint16(datagram); version {
		case 5:
			err = d.decode5(exporter, datagram)
		case 9, 10:
			err = d.decodeTemplated(exporter, version, datagram)
		case 0: // sFlow's has 32 bits
			if binary.BigEndian.Uint32(datagram) == 5 {
				err = d.decodeSFlow(exporter, datagram, emitPacket)
			}
		}
	}
	if err != nil {
		d.stats.Malformed++
	}
	return err
}

// decodeTemplated reads NetFlow v9 or IPFIX.
func (d *Decoder) decodeTemplated(exporter netip.Addr, version uint16, datagram []byte) error {
	if length := 20 - 4*int(version-9); len(datagram) < length {
		return ErrMalformed
	}
	id := binary.BigEndian.Uint32(datagram[12:])
	if version == 9 {
		id = binary.BigEndian.Uint32(datagram[16:])
	}
	d.version = version
	if d.domain = d.memory.domain(domainKey{exporter: exporter, id: id, version: version}, d.at); d.domain == nil {
		return nil // counted as evicted
	}
	d.found = d.found[:0]
	var sets []any
	var number uint32
	var err error
	if version == 9 {
		// How many sets there are is not asked: softflowd, for one, counts wrongly.
		sets, err = goflow.DecodeMessageCommon(bytes.NewBuffer(datagram[20:]), (*templates)(d), id, math.MaxUint16, version)
		number = binary.BigEndian.Uint32(datagram[12:])
		d.export = export{uptime: binary.BigEndian.Uint32(datagram[4:]), time: int64(binary.BigEndian.Uint32(datagram[8:])) * 1000}
	} else {
		var m goflow.IPFIXPacket
		err = goflow.DecodeMessageIPFIX(bytes.NewBuffer(datagram[2:]), (*templates)(d), &m)
		sets, number = m.FlowSets, m.SequenceNumber
		d.export = export{time: int64(m.ExportTime) * 1000}
	}
	d.clock()
	records, whole := d.sets(sets)
	switch {
	case version == 9:
		d.follow(number, counted{1, 1})
	case whole && err == nil:
		d.follow(number, records)
	default:
		d.domain.sequence.lose()
	}
	if err != nil && !errors.Is(err, goflow.ErrorTemplateNotFound) {
		return ErrMalformed
	}
	return nil
}

// templates is a Decoder as goflow2 sees it: what keeps templates. It hands none
// back in goflow2's form, so that sets of records are left as they came.
type templates Decoder

// AddTemplate keeps a template, or forgets it if it has no fields. It takes any:
// one that cannot be used must not end the datagram.
func (t *templates) AddTemplate(version uint16, _ uint32, id uint16, record any) error {
	d := (*Decoder)(t)
	var made *template
	fields, options := 0, true
	switch r := record.(type) {
	case goflow.TemplateRecord:
		fields, options = len(r.Fields), false
		made = compile(version, nil, r.Fields, false)
	case goflow.NFv9OptionsTemplateRecord:
		fields = len(r.Scopes) + len(r.Options)
		made = compile(version, r.Scopes, r.Options, true)
	case goflow.IPFIXOptionsTemplateRecord:
		fields = len(r.Scopes) + len(r.Options)
		made = compile(version, r.Scopes, r.Options, true)
	}
	switch {
	case fields == 0:
		d.memory.withdraw(d.domain, id, options)
	case made != nil && id >= firstTemplate:
		d.memory.learn(d.domain, id, made, d.at)
	}
	return nil
}

// GetTemplate notes the template of the set that is next.
func (t *templates) GetTemplate(_ uint16, _ uint32, id uint16) (any, error) {
	d := (*Decoder)(t)
	known := d.domain.templates[id]
	d.found = append(d.found, known)
	if known == nil {
		return nil, goflow.ErrorTemplateNotFound
	}
	return known, nil
}

// GetTemplates and RemoveTemplate are of goflow2's interface, and never called by it.
func (t *templates) GetTemplates() goflow.FlowBaseTemplateSet { return nil }

func (t *templates) RemoveTemplate(uint16, uint32, uint16) (any, error) {
	return nil, goflow.ErrorTemplateNotFound
}

// sets reads the records of a datagram, and returns how many there were, and
// whether all could be counted.
func (d *Decoder) sets(sets []any) (records counted, whole bool) {
	whole = true
	at := 0
	for _, set := range sets {
		raw, ok := set.(goflow.RawFlowSet)
		if !ok || at == len(d.found) {
			continue
		}
		t := d.found[at]
		at++
		if t == nil {
			d.stats.NoTemplate++
			whole = false
			continue
		}
		t.used = max(t.used, d.at)
		n := d.set(t, raw.Records)
		records.all += n
		if !t.options {
			records.flows += n
		}
	}
	if records.all > 0 {
		d.memory.prove(d.domain)
	}
	return records, whole
}

// set reads the records of one set, and returns how many there were.
func (d *Decoder) set(t *template, b []byte) (records uint32) {
	for len(b) >= t.least {
		n, ok := d.values.next(t.fields, b)
		if !ok {
			break
		}
		b = b[n:]
		records++
		if t.options {
			d.option()
		} else {
			d.flow()
		}
	}
	return records
}

// option takes what an exporter tells of itself.
func (d *Decoder) option() {
	v := &d.values
	if v.told(initTime) {
		d.domain.initTime = int64(min(v.number[initTime], maxMilli))
	}
	rate := v.sampling()
	if rate == 0 {
		return
	}
	if v.told(samplerID) {
		d.memory.sample(d.domain, sampler{v.number[samplerID], rate}, d.at)
	}
	d.domain.sampling = rate
}

// sampling returns one packet in how many was looked at, or 0 where a record does
// not tell.
func (v *values) sampling() uint32 {
	switch {
	case v.told(samplingInterval):
		return uint32(min(v.number[samplingInterval], 1<<31))
	case v.told(sampleTaken) && v.told(sampleSpace) && v.number[sampleTaken] > 0:
		return uint32(min((v.number[sampleTaken]+min(v.number[sampleSpace], 1<<31))/v.number[sampleTaken], 1<<31))
	}
	return 0
}

// follow counts what is missing before a datagram.
func (d *Decoder) follow(number uint32, units counted) {
	lost, restarted := d.domain.sequence.add(number, units)
	if restarted {
		d.stats.Restarts++
	}
	if lost < 0 {
		d.stats.Lost -= min(d.stats.Lost, uint64(-lost))
		return
	}
	d.stats.Lost += uint64(lost)
}

// give hands on the record that was read.
func (d *Decoder) give() {
	d.stats.Records++
	d.emit(&d.record)
}
