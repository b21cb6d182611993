package flow

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const nfdumpHeader = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,tr\n"

// Lines of nfdump 1.7.1, shortened by columns that are not looked at.
const nfdumpLog = nfdumpHeader +
	`2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.50.0.66,10.60.0.5,58640,222,TCP,......S.,0,0,1,44,0,0,1,0,2026-11-23 07:19:02.310
2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.60.0.5,10.50.0.66,222,58640,TCP,...A.R..,0,0,1,40,0,0,1,0,2026-11-23 07:19:02.310
2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.50.0.66,10.60.0.6,58640,23,TCP,......S.,0,0,2,88,0,0,1,0,2026-11-23 07:19:02.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.001,10.60.0.5,10.50.0.25,8004,45466,TCP,...AP.SF,0,0,4,1267,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.001,10.50.0.25,10.60.0.5,45466,8004,TCP,...AP.SF,0,0,6,1030,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,10.50.0.25,10.60.0.5,45467,99,TCP,........,0,0,1,40,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,10.50.0.25,10.60.0.5,0,2048,ICMP,........,0,0,1,84,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,10.60.0.5,10.50.0.25,0,0,ICMP,........,0,0,1,84,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,10.50.0.25,10.60.0.7,40000,161,UDP,........,0,0,1,60,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,10.60.0.7,10.50.0.25,0,771,ICMP,........,0,0,1,88,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,fd00::1,fd00::2,40000,53,UDP,........,0,0,1,80,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.000,fd00::2,fd00::1,53,40000,UDP,........,0,0,1,180,0,0,0,0,2026-11-23 07:19:32.310
2026-11-23 07:18:57,2026-11-23 07:18:57,0.421,10.50.0.1,224.0.0.1,0,0,IGMP,........,0,0,2,192,0,0,0,0,2026-11-23 07:18:58.310
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
13,2536809,5714,508391,143,443
`

func TestNfdumpOutcomes(t *testing.T) {
	testOutcomes(t, map[string]outcomes{
		"version 1.7.1": {nfdumpLog, map[string]string{
			"10.50.0.66 10.60.0.5 tcp/222":  "refused",
			"10.50.0.66 10.60.0.6 tcp/23":   "silent",
			"10.50.0.25 10.60.0.5 tcp/8004": "answered data",
			"10.50.0.25 10.60.0.5 tcp/99":   "odd",
			"10.50.0.25 10.60.0.5 icmp/8":   "answered data",
			"10.50.0.25 10.60.0.7 udp/161":  "refused",
			"fd00::1 fd00::2 udp/53":        "answered data",
		}},
		"biflows by nfdump -B": {nfdumpHeader +
			`2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.50.0.66,10.60.0.5,58640,222,TCP,...A.R..,0,0,1,44,1,40,0,0,2026-11-23 07:19:02.310
2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.50.0.66,10.60.0.5,58640,22,TCP,...A.RS.,0,0,2,84,1,44,0,0,2026-11-23 07:19:02.310
2026-11-23 07:19:31,2026-11-23 07:19:31,0.001,10.50.0.25,10.60.0.5,45466,8004,TCP,...AP.SF,0,0,6,1030,4,1267,0,0,2026-11-23 07:19:32.310
`, map[string]string{
			"10.50.0.66 10.60.0.5 tcp/222":  "refused",
			"10.50.0.66 10.60.0.5 tcp/22":   "answered",
			"10.50.0.25 10.60.0.5 tcp/8004": "answered data",
		}},
		"version 1.7.6, columns of one's own": {`firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,flags,packets,bytes
1795418341.130,1795418341.131,TCP,10.50.0.66,58640,10.60.0.5,222,......S.,1,44
1795418341.130,1795418341.131,TCP,10.60.0.5,222,10.50.0.66,58640,...A.R..,1,40
1795418341.130,1795418341.131,ICMP,10.50.0.66,0,10.60.0.5,8.0,........,1,84
`, map[string]string{
			"10.50.0.66 10.60.0.5 tcp/222": "refused",
			"10.50.0.66 10.60.0.5 icmp/8":  "silent",
		}},
		"csv-fast": {`cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes
1,2,1795418341130,1795418341131,6,10.50.0.66,58640,10.60.0.5,222,0,0,0,0,......S.,0,1,44
2,2,1795418341130,1795418341131,6,10.60.0.5,222,10.50.0.66,58640,0,0,0,0,...A.R..,0,1,40
`, map[string]string{"10.50.0.66 10.60.0.5 tcp/222": "refused"}},
		"version 1.7.6 without flags": {`firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows
2026-11-23 07:19:01.100,0.000,TCP,10.50.0.66,58640,10.60.0.5,222,1,44,1
2026-11-23 07:19:01.101,0.000,TCP,10.60.0.5,222,10.50.0.66,58640,1,40,1
2026-11-23 07:19:02.100,00:00:01.100,TCP,10.50.0.66,58640,10.60.0.6,222,3,132,1
`, map[string]string{"10.50.0.66 10.60.0.5 tcp/222": "refused", "10.50.0.66 10.60.0.6 tcp/222": "silent"}},
	})
}

func TestNfdumpTimes(t *testing.T) {
	zone := time.Local
	time.Local = time.FixedZone("", 3600)
	defer func() { time.Local = zone }()
	at := func(s string) int64 {
		t.Helper()
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixNano()
	}
	tests := map[string]struct {
		line        string
		start, time int64
	}{
		"received": {"2026-11-23 07:19:01,2026-11-23 07:19:03,2.0,10.0.0.1,10.0.0.2,1,2,TCP,......S.,0,0,1,44,0,0,0,0,2026-11-23 07:19:04.310",
			at("2026-11-23T06:19:01Z"), at("2026-11-23T06:19:04.31Z")},
		"read from a capture later": {"2026-11-23 07:19:01,2026-11-23 07:19:03,2.0,10.0.0.1,10.0.0.2,1,2,TCP,......S.,0,0,1,44,0,0,0,0,2026-11-25 07:19:04.310",
			at("2026-11-23T06:19:01Z"), at("2026-11-23T06:19:03Z")},
		"not received": {"2026-11-23 07:19:01,2026-11-23 07:19:03,2.0,10.0.0.1,10.0.0.2,1,2,TCP,......S.,0,0,1,44,0,0,0,0,1970-01-01 01:00:00.000",
			at("2026-11-23T06:19:01Z"), at("2026-11-23T06:19:03Z")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			records, _ := readLog(t, nfdumpHeader+test.line+"\n")
			if len(records) != 1 || records[0].Start != test.start || records[0].Time != test.time {
				t.Errorf("got %+v, want start %d, time %d", records, test.start, test.time)
			}
		})
	}
}

func TestNfdumpMalformed(t *testing.T) {
	leftOut(t, nfdumpHeader, 0, map[string]badLine{
		"cut off":           {"2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.50.0.66,10.6", 1},
		"a date of nowhere": {"2026-13-23 07:19:01,2026-11-23 07:19:01,0.000,10.0.0.1,10.0.0.2,1,2,TCP,......S.,0,0,1,44,0,0,0,0,0", 1},
		"no address":        {"2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,host,10.0.0.2,1,2,TCP,......S.,0,0,1,44,0,0,0,0,0", 1},
		"no port":           {"2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.0.0.1,10.0.0.2,1,http,TCP,......S.,0,0,1,44,0,0,0,0,0", 1},
		"packets as 1.2 M":  {"2026-11-23 07:19:01,2026-11-23 07:19:01,0.000,10.0.0.1,10.0.0.2,1,2,TCP,......S.,0,0,1.2 M,44,0,0,0,0,0", 1},
	})
}

// The flows that nfpcapd makes of the sample capture have the outcomes that its packets
// have.
func TestNfdumpTool(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	file, folder := sample(t), t.TempDir()
	if out, err := exec.CommandContext(ctx, tool(t, "nfpcapd"), "-r", file, "-w", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, args := range map[string][]string{
		"both directions apart": {"-R", folder, "-o", "csv", "-O", "tstart"},
		"biflows":               {"-B", "-R", folder, "-o", "csv", "-O", "tstart"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(ctx, tool(t, "nfdump"), args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			records := readAll(t, string(out))
			agree(t, outcomesOf(t, records), outcomesOfCapture(t, file))
			compare(t, scansIn(t, records), sampleScans)
		})
	}
}

func TestNfdumpAllocations(t *testing.T) {
	flows, _, _ := strings.Cut(nfdumpLog, "Summary")
	lines := linesOf(flows)
	allocations(t, detectNfdump(lines[0]), lines[1:])
}

func BenchmarkNfdump(b *testing.B) {
	flows, _, _ := strings.Cut(nfdumpLog, "Summary")
	lines := linesOf(flows)
	benchmark(b, detectNfdump(lines[0]), lines[1:])
}
