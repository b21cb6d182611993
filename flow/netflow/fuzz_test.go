package netflow

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/capture"
	"edgescan/flow"
)

// testExporter and testTime are those of datagrams of which neither matters.
var testExporter = netip.MustParseAddr("192.0.2.1")

const testTime = int64(1_790_000_000e9)

// split returns datagrams that lie behind each other, each behind its length.
func split(stream []byte) (all []Datagram) {
	for len(stream) >= 2 {
		n := min(int(binary.BigEndian.Uint16(stream)), len(stream)-2)
		all = append(all, Datagram{Exporter: testExporter, Time: testTime, Data: stream[2 : 2+n]})
		stream = stream[2+n:]
	}
	return all
}

// stored returns the datagrams of a file in testdata.
func stored(t testing.TB, name string) []Datagram {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	return split(b)
}

// FuzzDecode reads any bytes as datagrams of one exporter: nothing may panic or
// hang, memory stays within its bound, and every record is one that Record says it is.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) == 0 {
		f.Fatal("no datagrams to begin with", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 16 << 10
		d := NewDecoder(limit)
		given := 0
		for _, one := range split(stream) {
			err := d.Decode(one.Exporter, one.Time, one.Data, func(r *flow.Record) {
				given++
				if r.Start > r.Time || r.Start < r.Time-maxAge {
					t.Errorf("starts at %d, told of at %d", r.Start, r.Time)
				}
				if r.Proto == capture.ProtoNone || r.Proto == capture.ProtoARP {
					t.Errorf("protocol %d", r.Proto)
				}
				r.Packets(nil)
			}, func(p *capture.Packet) {
				given++
				if p.Proto == capture.ProtoNone {
					t.Error("a packet without protocol")
				}
			})
			if err != nil && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrMalformed) {
				t.Error(err)
			}
			checkMemory(t, &d.memory)
		}
		if s := d.Stats(); s.Records+s.Packets != uint64(given) {
			t.Errorf("%d given out, counted %+v", given, s)
		}
	})
}

// checkMemory counts what is remembered anew.
func checkMemory(t *testing.T, m *memory) {
	t.Helper()
	size, queued := 0, 0
	for _, q := range []*queue{&m.fresh, &m.kept} {
		for d := q.first; d != nil; d = d.after {
			queued++
			if m.domains[d.key] != d || m.queue(d) != q {
				t.Error("a domain in the wrong queue")
			}
		}
	}
	for _, d := range m.domains {
		size += domainSize + cap(d.samplers)*samplerSize
		for _, tmpl := range d.templates {
			size += templateSize + cap(tmpl.fields)*fieldSize
		}
		if len(d.templates) > maxTemplates || len(d.samplers) > maxSamplers {
			t.Errorf("%d templates, %d samplers", len(d.templates), len(d.samplers))
		}
	}
	if size != m.size || size > m.limit || queued != len(m.domains) {
		t.Errorf("%d bytes, counted %d, of %d; %d domains, %d in queues", size, m.size, m.limit, len(m.domains), queued)
	}
}

// TestStored reads what exporters have sent. The numbers are those that tshark counts.
func TestStored(t *testing.T) {
	tests := map[string]struct {
		records, packets, ignored int
		sampling                  uint32
	}{
		"softflowd-5":          {records: 60},
		"softflowd-9":          {records: 85, sampling: 1},
		"softflowd-9-sampled":  {records: 63, sampling: 10},
		"softflowd-10":         {records: 83, sampling: 1},
		"softflowd-10-biflow":  {records: 59, sampling: 1},
		"softflowd-10-milli":   {records: 20, sampling: 1},
		"pmacct-9-sampled":     {records: 9, sampling: 4},
		"pmacct-10-sampled":    {records: 7, sampling: 4},
		"pmacct-sflow-sampled": {packets: 30},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			records, packets, stats := decode(t, stored(t, name))
			if len(records) != want.records || len(packets) != want.packets || int(stats.Ignored) != want.ignored {
				t.Errorf("%d records, %d packets, want %d and %d: %+v", len(records), len(packets), want.records, want.packets, stats)
			}
			for i := range records {
				if records[i].Sampling != want.sampling {
					t.Fatalf("sampled 1 in %d, want %d", records[i].Sampling, want.sampling)
				}
			}
			for i := range packets {
				if partial := strings.Contains(name, "sampled"); packets[i].Partial != partial {
					t.Fatalf("partial is %v, want %v", packets[i].Partial, partial)
				}
			}
		})
	}
}

// TestCut reads datagrams cut off anywhere: it ends, and never tells of more than there was.
func TestCut(t *testing.T) {
	for _, name := range []string{"softflowd-5", "softflowd-9", "softflowd-10-biflow", "pmacct-sflow-sampled"} {
		whole := stored(t, name)[0].Data
		d := NewDecoder(DefaultMemory)
		for n := range whole {
			d.Decode(testExporter, testTime, whole[:n:n], func(*flow.Record) {}, func(*capture.Packet) {})
		}
		checkMemory(t, &d.memory)
	}
}
