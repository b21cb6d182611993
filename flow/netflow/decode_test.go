package netflow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	goflow "github.com/netsampler/goflow2/v2/decoders/sflow"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/flow"
)

func TestRecord(t *testing.T) {
	const second = int64(time.Second)
	tcp := func(more ...value) []value { return between(6, 40000, 443, more...) }
	with := func(change func(r *flow.Record)) flow.Record {
		r := flow.Record{
			Time: testTime, Start: testTime, Src: client, Dst: server, SrcPort: 40000, DstPort: 443,
			Proto: capture.ProtoTCP, Facts: flow.NoFlags,
		}
		change(&r)
		return r
	}
	counted := func(packets, bytes uint32) flow.Half { return flow.Half{Packets: packets, Bytes: bytes} }
	tests := map[string]struct {
		values []value
		want   flow.Record
	}{
		"delta counters":                 {tcp(n4(2, 1), n4(1, 60)), with(func(r *flow.Record) { r.Out = counted(1, 60) })},
		"total counters of 64 bits":      {tcp(n8(86, 2), n8(85, 104)), with(func(r *flow.Record) { r.Out = counted(2, 104) })},
		"only counters of what went out": {tcp(n4(24, 1), n4(23, 60)), with(func(r *flow.Record) { r.Out = counted(1, 60) })},
		"reduced size (RFC 7011, 6.2)":   {tcp(n1(2, 3), n2(1, 160)), with(func(r *flow.Record) { r.Out = counted(3, 160) })},
		"flags": {tcp(n4(2, 1), n4(1, 60), n1(6, 2)), with(func(r *flow.Record) {
			r.Out, r.Facts = counted(1, 60), 0
			r.Out.Flags = capture.SYN
		})},
		"flags of 16 bits, with the data offset": {tcp(n4(2, 1), n4(1, 60), n2(6, 0xa002)), with(func(r *flow.Record) {
			r.Out, r.Facts = counted(1, 60), 0
			r.Out.Flags = capture.SYN
		})},
		"UDP has no flags": {between(17, 5000, 53, n4(2, 1), n4(1, 28), n1(6, 0)), with(func(r *flow.Record) {
			r.Proto, r.SrcPort, r.DstPort, r.Facts, r.Out = capture.ProtoUDP, 5000, 53, 0, counted(1, 28)
		})},
		"ICMP in the port": {between(1, 0, 8<<8, n4(2, 1), n4(1, 84)), with(func(r *flow.Record) {
			r.Proto, r.SrcPort, r.DstPort, r.Facts, r.Out, r.Type = capture.ProtoICMP, 0, 0, 0, counted(1, 84), 8
			r.Out.Data = true
		})},
		"ICMP in one field": {between(1, 0, 0, n2(32, 3<<8|1), n4(2, 1), n4(1, 84)), with(func(r *flow.Record) {
			r.Proto, r.SrcPort, r.DstPort, r.Facts, r.Out, r.Type, r.Code = capture.ProtoICMP, 0, 0, 0, counted(1, 84), 3, 1
			r.Out.Data = true
		})},
		"ICMP in two fields": {between(1, 0, 0, n1(176, 3), n1(177, 13), n4(2, 1), n4(1, 84)), with(func(r *flow.Record) {
			r.Proto, r.SrcPort, r.DstPort, r.Facts, r.Out, r.Type, r.Code = capture.ProtoICMP, 0, 0, 0, counted(1, 84), 3, 13
			r.Out.Data = true
		})},
		"denied by a firewall": {tcp(n1(233, firewallDenied)), with(func(r *flow.Record) {
			r.State, r.Facts = flow.StateSilent, flow.NoFlags|flow.Oriented
		})},
		"dropped by a list": {tcp(n1(89, 130), n4(2, 1), n4(1, 60)), with(func(r *flow.Record) {
			r.State, r.Out = flow.StateSilent, counted(1, 60)
		})},
		"a part dropped by a policer": {tcp(n1(89, 138), n4(2, 1), n4(1, 60)), with(func(r *flow.Record) { r.Out = counted(1, 60) })},
		"payload of both ways": {tcp(n4(231, 500), n4(232, 9000), n4(298, 8), n4(299, 9)), with(func(r *flow.Record) {
			r.Out, r.Back, r.Facts = flow.Half{Packets: 8, Data: true}, flow.Half{Packets: 9, Data: true}, flow.NoFlags|flow.Both|flow.Oriented
		})},
		"payload without packets says nothing of an answer": {tcp(n4(231, 0), n4(232, 0)), with(func(r *flow.Record) {
			r.Out, r.Facts = flow.Half{Packets: 1}, flow.NoFlags|flow.Both|flow.Oriented|flow.OneWay
		})},
		"who began is the destination": {tcp(n4(231, 5), n4(232, 0), n4(298, 1), n4(299, 2), n1(239, biflowReverse)), with(func(r *flow.Record) {
			r.Src, r.Dst, r.SrcPort, r.DstPort = r.Dst, r.Src, r.DstPort, r.SrcPort
			r.Out, r.Back, r.Facts = flow.Half{Packets: 2}, flow.Half{Packets: 1, Data: true}, flow.NoFlags|flow.Both|flow.Oriented
		})},
		"its own sampling": {tcp(n4(2, 1), n4(1, 60), n4(34, 100)), with(func(r *flow.Record) { r.Out, r.Sampling = counted(1, 60), 100 })},
		"start by uptime": {tcp(n4(2, 1), n4(1, 60), n4(22, uptimeAt-7000), n4(21, uptimeAt-2000)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-7*second
		})},
		"start by a clock that is years from ours": {tcp(n4(2, 1), n4(1, 60), n8(152, (sentAt-9)*1000), n8(153, (sentAt-1)*1000)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-9*second
		})},
		"start in seconds": {tcp(n4(2, 1), n4(1, 60), n4(150, sentAt-9), n4(151, sentAt)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-9*second
		})},
		"start in microseconds": {tcp(n4(2, 1), n4(1, 60), n8(154, (sentAt-9+secondsTo1970)<<32|1<<31), n8(155, (sentAt+secondsTo1970)<<32)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-8*second-second/2
		})},
		"start before the export in microseconds": {tcp(n4(2, 1), n4(1, 60), n4(158, 3_000_000)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-3*second
		})},
		"duration alone": {tcp(n4(2, 1), n4(1, 60), n4(161, 4000)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-4*second
		})},
		"out of a file of years ago": {tcp(n4(2, 1), n4(1, 60), n8(152, 1000), n8(153, 5000)), with(func(r *flow.Record) {
			r.Out, r.Start = counted(1, 60), testTime-4*second
		})},
	}
	for name, test := range tests {
		for _, version := range []uint16{9, 10} {
			t.Run(fmt.Sprintf("%s, version %d", name, version), func(t *testing.T) {
				if version == 10 {
					for _, v := range test.values {
						if v.element == 22 {
							test.values = append(test.values, n8(160, sentAt*1000-uptimeAt)) // else the uptime says nothing
							break
						}
					}
				}
				records, stats := decodeAll(t, record(version, 0, test.values))
				if len(records) != 1 {
					t.Fatalf("%d records: %+v", len(records), stats)
				}
				if diff := cmp.Diff(test.want, records[0]); diff != "" {
					t.Errorf("want -, got +:\n%s", diff)
				}
			})
		}
	}
}

// TestIgnored reads records that are none of flows that packets could show.
func TestIgnored(t *testing.T) {
	tests := map[string][]value{
		"another protocol":         between(47, 0, 0, n4(2, 1)),
		"a translation":            between(6, 1, 2, n1(230, 1)),
		"a connection let through": between(6, 1, 2, n1(233, firewallCreated)),
		"no addresses":             {n1(4, 6), n2(7, 1), n2(11, 2), n4(2, 1)},
		"no protocol":              {{element: 8, bytes: client[12:]}, {element: 12, bytes: server[12:]}, n4(2, 1)},
		"an address too short":     {{element: 8, bytes: client[13:]}, {element: 12, bytes: server[12:]}, n1(4, 6)},
	}
	for name, values := range tests {
		t.Run(name, func(t *testing.T) {
			if records, stats := decodeAll(t, record(10, 0, values)); len(records) != 0 || stats.Ignored != 1 {
				t.Errorf("%v, %+v", records, stats)
			}
		})
	}
}

// TestBiflow reads both ways of RFC 5103, of which nothing says who began.
func TestBiflow(t *testing.T) {
	one := between(6, 443, 40000, n4(2, 1), n4(1, 44), n1(6, 0x12), back(n4(2, 2)), back(n4(1, 104)), back(n1(6, 0x16)))
	records, _ := decodeAll(t, record(10, 0, one))
	r := records[0]
	if r.Facts != flow.Both || r.Out.Flags != 0x12 || r.Back.Flags != 0x16 || r.Back.Packets != 2 || r.Back.Bytes != 104 {
		t.Fatalf("%+v", r)
	}
	records, _ = decodeAll(t, record(10, 0, between(17, 53, 5000, n4(2, 0), n4(1, 0), back(n4(2, 1)), back(n4(1, 50)))))
	if r := records[0]; r.Src != server || r.DstPort != 53 || r.Out.Packets != 1 || r.Back.Packets != 0 {
		t.Errorf("went one way alone: %+v", r)
	}
	records, _ = decodeAll(t, record(10, 0, between(1, 0, 0, n4(2, 0), n4(1, 0), back(n4(2, 1)), back(n4(1, 84)))))
	if r := records[0]; r.Src != server || r.Facts.Has(flow.Both) {
		t.Errorf("an echo reply, of which the request is told of in another flow: %+v", r)
	}
	records, _ = decodeAll(t, record(10, 0, append(one, n1(239, biflowInitiator))))
	if !records[0].Facts.Has(flow.Oriented) {
		t.Error("the source began, and that is not told")
	}
}

// TestOutcomes plays records as packets, and asks what contacts came of them.
func TestOutcomes(t *testing.T) {
	reverse := func(values []value) []value { // the other way
		values = append([]value{}, values...)
		values[0].bytes, values[1].bytes = values[1].bytes, values[0].bytes
		values[3].bytes, values[4].bytes = values[4].bytes, values[3].bytes
		return values
	}
	syn := between(6, 40000, 443, n4(2, 1), n4(1, 60), n1(6, 2))
	tests := map[string]struct {
		datagrams [][]byte
		want      string
	}{
		"SYN alone":     {[][]byte{record(9, 0, syn)}, "silent"},
		"SYN and RST":   {[][]byte{record(9, 0, syn), record(9, 1, reverse(between(6, 40000, 443, n4(2, 1), n4(1, 40), n1(6, 0x14))))}, "refused"},
		"connection":    {[][]byte{record(10, 0, between(6, 40000, 443, n4(2, 9), n4(1, 2000), n1(6, 0x1b))), record(10, 1, reverse(between(6, 40000, 443, n4(2, 9), n4(1, 9000), n1(6, 0x1b))))}, "answered"},
		"biflow":        {[][]byte{record(10, 0, reverse(between(6, 40000, 443, n4(2, 1), n4(1, 40), n1(6, 0x14), back(n4(2, 1)), back(n4(1, 60)), back(n1(6, 2)))))}, "refused"},
		"biflow of UDP": {[][]byte{record(10, 0, reverse(between(17, 40000, 443, n4(2, 1), n4(1, 90), back(n4(2, 1)), back(n4(1, 60)))))}, "answered"},
		"denied":        {[][]byte{record(9, 0, between(6, 40000, 443, n1(233, firewallDenied)))}, "silent"},
		"sampled":       {[][]byte{record(9, 0, append(syn, n4(34, 100)))}, "pending"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			records, _ := decodeAll(t, test.datagrams...)
			if got := outcomeOf(t, records); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

type unheard struct{}

func (unheard) Opened(*featurize.Tracker, uint32, *featurize.Contact)                     {}
func (unheard) Settled(*featurize.Tracker, uint32, *featurize.Contact, featurize.Outcome) {}
func (unheard) Forgotten(*featurize.Tracker, uint32)                                      {}

// outcomeOf plays records through a Joiner into a Tracker, and returns what became
// of client's contact with port 443.
func outcomeOf(t *testing.T, records []flow.Record) (outcome string) {
	t.Helper()
	tracker, err := featurize.NewTracker(featurize.Config{Memory: 16 << 20, Key: featurize.DefaultKey}, unheard{})
	if err != nil {
		t.Fatal(err)
	}
	player := flow.NewPlayer(flow.DefaultHeld, tracker.Add)
	for i := range records {
		player.Add(&records[i])
	}
	player.Flush()
	tracker.Advance(tracker.CaptureTime(tracker.Now()) + 60e9)
	for i := 1; i < tracker.Sources(); i++ {
		if s := tracker.Source(uint32(i)); s.Count == 0 || s.Scope.Group() || s.Addr != client {
			continue
		}
		tracker.Each(uint32(i), 0, func(c *featurize.Contact) bool {
			if c.Dst == server && c.Port == 443 {
				outcome += c.Outcome.String()
			}
			return true
		})
	}
	return outcome
}

// TestContinued reads a flow that is told of while it lasts.
func TestContinued(t *testing.T) {
	lasting := func(number uint32, why uint8) []byte {
		return record(10, number, between(6, 1, 2, n4(2, 9), n4(1, 900), n1(6, 0x18), n1(136, why)))
	}
	records, _ := decodeAll(t, lasting(0, endActive), lasting(1, endActive), lasting(2, 3), lasting(3, 3))
	var got []bool
	for _, r := range records {
		got = append(got, r.Facts.Has(flow.Continued))
	}
	if diff := cmp.Diff([]bool{false, true, true, false}, got); diff != "" {
		t.Error(diff)
	}
}

// TestFlagsNeverTold reads exporters that have a field of flags: what has none is a
// NULL probe only if the exporter fills it in.
func TestFlagsNeverTold(t *testing.T) {
	flags := func(number uint32, n uint8) []byte {
		return record(9, number, between(6, 1, 2, n4(2, 1), n4(1, 40), n1(6, n)))
	}
	records, _ := decodeAll(t, flags(0, 0), flags(1, 2), flags(2, 0))
	if !records[0].Facts.Has(flow.NoFlags) || records[1].Facts.Has(flow.NoFlags) || records[2].Facts.Has(flow.NoFlags) {
		t.Errorf("%+v", records)
	}
}

// TestSampling reads what exporters tell of their sampling, and of which sampler.
func TestSampling(t *testing.T) {
	for _, version := range []uint16{9, 10} {
		one := func(sampler uint8) []byte {
			return record(version, 0, between(17, 1, 2, n4(2, 1), n4(1, 40), n1(48, sampler)))
		}
		told := start(version, 0, 7, sentAt, 0).options(300, spec{1, 4, 0}, spec{48, 1, 0}, spec{50, 4, 0}).
			set(300, []byte{0, 0, 0, 1, 1, 0, 0, 0, 10, 0, 0, 0, 1, 2, 0, 0, 0, 20}).end()
		space := start(version, 0, 7, sentAt, 0).options(301, spec{1, 4, 0}, spec{302, 8, 0}, spec{305, 4, 0}, spec{306, 4, 0}).
			set(301, []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 58}).end()
		records, _ := decodeAll(t, one(1), told, one(1), one(2), one(9), space, one(3))
		var got []uint32
		for _, r := range records {
			got = append(got, r.Sampling)
		}
		if diff := cmp.Diff([]uint32{0, 10, 20, 20, 30}, got); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
	}
}

// TestTemplates reads records before their template, with fields of enterprises and
// of variable length, after another template of the number, and after it was withdrawn.
func TestTemplates(t *testing.T) {
	flow := append(append(append([]byte{}, client[12:]...), server[12:]...), 6)
	data := start(10, 0, 7, sentAt, 0).set(256, flow).end()
	plain := start(10, 0, 7, sentAt, 0).template(256, spec{8, 4, 0}, spec{12, 4, 0}, spec{4, 1, 0}).end()
	records, stats := decodeAll(t, data, plain, data)
	if len(records) != 1 || stats.NoTemplate != 1 || stats.Malformed != 0 {
		t.Errorf("data first: %d records, %+v", len(records), stats)
	}
	withdrawn := start(10, 0, 7, sentAt, 0).template(256).end()
	if records, stats := decodeAll(t, plain, withdrawn, data); len(records) != 0 || stats.NoTemplate != 1 {
		t.Errorf("withdrawn: %d records, %+v", len(records), stats)
	}
	all := start(10, 0, 7, sentAt, 0).template(2).end()
	if records, stats := decodeAll(t, plain, all, data); len(records) != 0 || stats.NoTemplate != 1 {
		t.Errorf("all withdrawn: %d records, %+v", len(records), stats)
	}
	swapped := start(10, 0, 7, sentAt, 0).template(256, spec{12, 4, 0}, spec{8, 4, 0}, spec{4, 1, 0}).set(256, flow).end()
	if records, _ := decodeAll(t, plain, swapped); len(records) != 1 || records[0].Src != server {
		t.Errorf("another template of the number: %+v", records)
	}
	odd := start(10, 0, 7, sentAt, 0).template(256, spec{82, variable, 0}, spec{8, 4, 0}, spec{8, 4, 9}, spec{12, 4, 0}, spec{95, variable, 0}, spec{4, 1, 0})
	body := append([]byte{3, 'l', 'a', 'n'}, client[12:]...)
	body = append(append(append(body, 1, 2, 3, 4), server[12:]...), 255, 1, 0)
	body = append(append(body, make([]byte, 256)...), 17)
	records, stats = decodeAll(t, odd.set(256, append(body, body...)).end())
	if len(records) != 2 || records[1].Src != client || records[1].Dst != server || records[1].Proto != capture.ProtoUDP {
		t.Errorf("variable lengths: %+v, %+v", records, stats)
	}
}

// TestErrors reads what is none of the formats.
func TestErrors(t *testing.T) {
	short := stored(t, "softflowd-5")[0].Data
	tests := map[string]struct {
		datagram []byte
		want     error
	}{
		"nothing":            {nil, ErrVersion},
		"another version":    {[]byte{0, 7, 0, 0}, ErrVersion},
		"text":               {[]byte("<34>1 hello"), ErrVersion},
		"sFlow 4":            {[]byte{0, 0, 0, 4, 0, 0, 0, 1}, ErrVersion},
		"v5 cut off":         {short[:len(short)-1], ErrMalformed},
		"v9 header alone":    {[]byte{0, 9, 0, 1}, ErrMalformed},
		"sFlow header alone": {[]byte{0, 0, 0, 5}, ErrMalformed},
		"a set of length 3":  {append(start(10, 0, 1, 0, 0).end(), 1, 0, 0, 3), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(DefaultMemory)
			err := d.Decode(testExporter, testTime, test.datagram, nil, nil)
			if !errors.Is(err, test.want) || (err != nil) != (d.Stats().Malformed == 1) {
				t.Errorf("%v, want %v; %+v", err, test.want, d.Stats())
			}
		})
	}
}

// TestSFlowAgainstGoflow holds the headers that sFlow samples against those that
// goflow2 finds.
func TestSFlowAgainstGoflow(t *testing.T) {
	for _, one := range stored(t, "pmacct-sflow-sampled") {
		_, packets, _ := decode(t, []Datagram{one})
		var m goflow.Packet
		if err := goflow.DecodeMessageVersion(bytes.NewBuffer(one.Data), &m); err != nil {
			t.Fatal(err)
		}
		var want []capture.Packet
		var decoder capture.Decoder
		for _, s := range m.Samples {
			for _, r := range s.(goflow.FlowSample).Records {
				h, ok := r.Data.(goflow.SampledHeader)
				var p capture.Packet
				if ok && decoder.Decode(capture.LinkTypeEthernet, testTime, h.HeaderData[:h.OriginalLength], int(h.FrameLength-h.Stripped), &p) == capture.ReasonOK {
					p.Partial = true
					want = append(want, p)
				}
			}
		}
		if diff := cmp.Diff(want, packets); diff != "" || len(want) == 0 {
			t.Errorf("%d packets: %s", len(want), diff)
		}
	}
}

// TestSFlowClaims reads datagrams that claim to hold more than they do.
func TestSFlowClaims(t *testing.T) {
	header := func(samples uint32) []byte {
		b := []byte{0, 0, 0, 5, 0, 0, 0, 1, 10, 0, 0, 1}
		for _, n := range []uint32{0, 1, 1000, samples} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	sample := func(kind, length, records uint32) (b []byte) {
		for _, n := range []uint32{kind, length, 1, 0, 3, 1, 0, 0, 0, 0, 0, 0, records} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	vendor := append(binary.BigEndian.AppendUint32(nil, 9<<12|1), 0, 0, 0, 4, 1, 2, 3, 4)
	tests := map[string]struct {
		datagram []byte
		want     error
	}{
		"no samples":               {header(0), nil},
		"a vendor's sample":        {append(header(1), vendor...), nil},
		"four billion samples":     {header(1<<32 - 1), ErrMalformed},
		"four billion records":     {append(header(1), sample(sampleFlowExpanded, 44, 1<<32-1)...), ErrMalformed},
		"a sample longer than all": {append(header(1), sample(sampleFlow, 1<<31, 0)...), ErrMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(DefaultMemory)
			if err := d.Decode(testExporter, testTime, test.datagram, nil, nil); err != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// TestAllocates holds that records cost no memory: a datagram of 29 as much as one of 1.
func TestAllocates(t *testing.T) {
	data := stored(t, "softflowd-9")
	d := NewDecoder(DefaultMemory)
	none := func(*flow.Record) {}
	for _, one := range data {
		d.Decode(one.Exporter, one.Time, one.Data, none, nil)
	}
	if n := testing.AllocsPerRun(100, func() { d.Decode(testExporter, testTime, data[1].Data, none, nil) }); n > 16 {
		t.Errorf("%v allocations for a datagram", n)
	}
	sflow := stored(t, "pmacct-sflow-sampled")[1].Data
	drop := func(*capture.Packet) {}
	if n := testing.AllocsPerRun(100, func() { d.Decode(testExporter, testTime, sflow, nil, drop) }); n > 1 {
		t.Errorf("%v allocations for a datagram of sFlow", n)
	}
}

func benchmark(b *testing.B, name string, which, records int) {
	data := stored(b, name)
	d := NewDecoder(DefaultMemory)
	record, packet := func(*flow.Record) {}, func(*capture.Packet) {}
	for _, one := range data {
		d.Decode(one.Exporter, one.Time, one.Data, record, packet)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(testExporter, testTime, data[which].Data, record, packet)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
}

func BenchmarkNetFlow5(b *testing.B) { benchmark(b, "softflowd-5", 0, 30) }
func BenchmarkNetFlow9(b *testing.B) { benchmark(b, "softflowd-9", 1, 32) }
func BenchmarkIPFIX(b *testing.B)    { benchmark(b, "softflowd-10", 1, 32) }
func BenchmarkSFlow(b *testing.B)    { benchmark(b, "pmacct-sflow-sampled", 1, 8) }

// TestExporters keeps apart what different exporters and domains tell.
func TestExporters(t *testing.T) {
	plain := record(10, 0, between(17, 1, 2, n4(2, 1), n4(1, 40)))
	data := start(10, 1, 7, sentAt, 0).set(256, plain[len(plain)-21:]).end()
	d := NewDecoder(DefaultMemory)
	records := 0
	emit := func(*flow.Record) { records++ }
	d.Decode(testExporter, testTime, plain, emit, nil)
	d.Decode(netip.MustParseAddr("192.0.2.9"), testTime, data, emit, nil)
	if records != 1 || d.Stats().NoTemplate != 1 {
		t.Errorf("%d records, %+v", records, d.Stats())
	}
	d.Decode(netip.MustParseAddr("::ffff:192.0.2.1"), testTime, data, emit, nil)
	if records != 2 {
		t.Errorf("the same exporter, mapped: %d records", records)
	}
}
