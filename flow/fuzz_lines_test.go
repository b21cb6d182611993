package flow

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"edgescan/capture"
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
		r := NewReader(strings.NewReader(first+text), "fuzz")
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

// FuzzAddress reads what the standard library reads as it does, and nothing else.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{
		"::", "::1", "1::", "fd01::2", "fd01:0000:0000:0000:0000:0000:0000:0002", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
		"::ffff:10.0.0.1", "1:2:3:4:5:6:10.0.0.1", "64:ff9b::10.0.0.1", "fe80::1%eth0", "fe80::1%", "1:2:3", "1::2::3", ":::", ":1", "1:", "12345::", "g::",
		"1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:10.0.0.1", "::10.0.0", "10.0.0.1", "10.0.0.256", "::FFFF", "1:2:3:4:5:6:7:8::", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := address([]byte(text))
		want, err := netip.ParseAddr(text)
		if err == nil && ok && got != capture.AddrFrom(want) {
			t.Errorf("%q: %v, want %v", text, got.Netip(), want)
		}
		if ok != (err == nil) && !leadingZero(text) {
			t.Errorf("%q: taken is %v, want %v", text, ok, err)
		}
	})
}

// leadingZero reports whether IPv4 may have one, as in 010.0.0.1, which logs may but
// netip does not take.
func leadingZero(text string) bool { return strings.Contains(text, ".") && strings.Contains(text, "0") }
