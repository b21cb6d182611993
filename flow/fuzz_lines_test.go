package flow

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// fuzz reads a log that begins with first, and plays what it is taken for: nothing
// may panic, and every record is one that Record says it is.
func fuzz(f *testing.F, first string, logs ...string) {
	for _, log := range logs {
		for line := range strings.Lines(log) {
			f.Add(line)
		}
		f.Add(strings.TrimPrefix(log, first))
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewReader(strings.NewReader(first+text), "fuzz")
		if err != nil {
			return
		}
		var joined Record
		j := NewJoiner(16, func(rec *Record) { joined = *rec; joined.Packets(nil) })
		for {
			var rec Record
			if err := r.Next(&rec); err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTruncated) {
					t.Fatal(err)
				}
				break
			}
			if rec.Start > rec.Time {
				t.Errorf("starts at %d, after it ended at %d", rec.Start, rec.Time)
			}
			if rec.Proto == 0 {
				t.Error("a record without protocol")
			}
			j.Add(&rec)
		}
		j.Flush()
	})
}

func FuzzNfdump(f *testing.F)    { fuzz(f, nfdumpHeader, nfdumpLog) }
func FuzzArgus(f *testing.F)     { fuzz(f, argusHeader, argusLog) }
func FuzzConntrack(f *testing.F) { fuzz(f, "", conntrackLog) }
func FuzzNetfilter(f *testing.F) { fuzz(f, "", netfilterLog) }
func FuzzHeaders(f *testing.F) {
	fuzz(f, "", nfdumpLog, argusLog, "ts,te,sa,da,dp,pr,ipkt\n1,2,10.0.0.1,10.0.0.2,1.2,ICMP,3\n",
		"StartTime|SrcAddr|Sport|Dir|DstAddr|Dport|Proto|TotPkts|State\n1|::1|0x1|<-|::2|2|tcp|1|A_\n")
}
