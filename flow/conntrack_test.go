package flow

import (
	"strings"
	"testing"
)

// What Linux 6.18 wrote of nmap -sS, -sT, -sA and -sU, and of web clients, one of
// them through DNAT, behind masquerading; shortened.
const conntrackLog = `[1795585694.215709]	    [NEW] tcp      6 120 SYN_SENT src=10.1.0.2 dst=10.2.0.2 sport=65161 dport=80 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=80 dport=65161
[1795585694.215812]	 [UPDATE] tcp      6 60 SYN_RECV src=10.1.0.2 dst=10.2.0.2 sport=65161 dport=80 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=65161
[1795585694.215817]	 [UPDATE] tcp      6 10 CLOSE src=10.1.0.2 dst=10.2.0.2 sport=65161 dport=80 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=65161
[1795585694.215820]	    [NEW] tcp      6 120 SYN_SENT src=10.1.0.2 dst=10.2.0.2 sport=65161 dport=81 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=81 dport=65161
[1795585694.215845]	[DESTROY] tcp      6 120 CLOSE src=10.1.0.2 dst=10.2.0.2 sport=65161 dport=81 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=81 dport=65161
[1795585694.295360]	    [NEW] tcp      6 120 SYN_SENT src=10.1.0.2 dst=10.2.0.99 sport=42376 dport=83 [UNREPLIED] src=10.2.0.99 dst=10.2.0.1 sport=83 dport=42376
[1795585695.355468]	    [NEW] tcp      6 300 ESTABLISHED src=10.1.0.2 dst=10.2.0.2 sport=59125 dport=84 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=84 dport=59125
[1795585695.355472]	[DESTROY] tcp      6 300 CLOSE src=10.1.0.2 dst=10.2.0.2 sport=59125 dport=84 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=84 dport=59125
[1795585695.479506]	    [NEW] udp      17 30 src=10.1.0.2 dst=10.2.0.2 sport=39760 dport=86 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=86 dport=39760
[1795585695.479606]	    [NEW] udp      17 30 src=10.1.0.2 dst=10.2.0.2 sport=39761 dport=53 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=53 dport=39761
[1795585695.479706]	 [UPDATE] udp      17 30 src=10.1.0.2 dst=10.2.0.2 sport=39761 dport=53 src=10.2.0.2 dst=10.2.0.1 sport=53 dport=39761
[1795585695.543481]	    [NEW] ipv6     10 tcp      6 120 SYN_SENT src=fd01::2 dst=fd02::2 sport=63041 dport=81 [UNREPLIED] src=fd02::2 dst=fd01::2 sport=81 dport=63041 id=3
[1795585695.543484]	[DESTROY] ipv6     10 tcp      6 120 CLOSE src=fd01::2 dst=fd02::2 sport=63041 dport=81 packets=1 bytes=64 [UNREPLIED] src=fd02::2 dst=fd01::2 sport=81 dport=63041 packets=1 bytes=60 id=3
[1795585695.660679]	    [NEW] tcp      6 120 SYN_SENT src=10.1.0.2 dst=10.1.0.1 sport=34700 dport=8080 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=80 dport=34700
[1795585695.660704]	 [UPDATE] tcp      6 60 SYN_RECV src=10.1.0.2 dst=10.1.0.1 sport=34700 dport=8080 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=34700
[1795585695.660708]	 [UPDATE] tcp      6 432000 ESTABLISHED src=10.1.0.2 dst=10.1.0.1 sport=34700 dport=8080 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=34700 [ASSURED]
[1795585695.661771]	 [UPDATE] tcp      6 120 FIN_WAIT src=10.1.0.2 dst=10.1.0.1 sport=34700 dport=8080 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=34700 [ASSURED]
[1795585695.661794]	 [UPDATE] tcp      6 120 TIME_WAIT src=10.1.0.2 dst=10.1.0.1 sport=34700 dport=8080 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=34700 [ASSURED]
[1795585696.000001]	    [NEW] icmp     1 30 src=10.1.0.2 dst=10.2.0.2 type=8 code=0 id=7 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 type=0 code=0 id=7
[1795585696.000101]	 [UPDATE] icmp     1 30 src=10.1.0.2 dst=10.2.0.2 type=8 code=0 id=7 src=10.2.0.2 dst=10.2.0.1 type=0 code=0 id=7
[1795585696.000201]	    [NEW] icmpv6   58 30 src=fd01::2 dst=fd02::9 type=128 code=0 id=7 [UNREPLIED] src=fd02::9 dst=fd01::2 type=129 code=0 id=7
[1795585696.000301]	    [NEW] sctp     132 10 CLOSED src=10.1.0.2 dst=10.2.0.2 sport=1 dport=2 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=2 dport=1
[1795585725.543484]	[DESTROY] udp      17 src=10.1.0.2 dst=10.2.0.2 sport=39760 dport=86 packets=1 bytes=28 [UNREPLIED] src=10.2.0.2 dst=10.2.0.1 sport=86 dport=39760 packets=0 bytes=0
[1795585815.295360]	[DESTROY] tcp      6 SYN_SENT src=10.1.0.2 dst=10.2.0.99 sport=42376 dport=83 packets=1 bytes=44 [UNREPLIED] src=10.2.0.99 dst=10.2.0.1 sport=83 dport=42376 packets=0 bytes=0
[1795585815.661794]	[DESTROY] tcp      6 TIME_WAIT src=10.1.0.2 dst=10.1.0.1 sport=34700 dport=8080 packets=6 bytes=400 src=10.2.0.2 dst=10.2.0.1 sport=80 dport=34700 packets=5 bytes=900 [ASSURED]
`

var conntrackOutcomes = map[string]string{
	"10.1.0.2 10.2.0.2 tcp/80":   "answered",
	"10.1.0.2 10.2.0.2 tcp/81":   "refused",
	"10.1.0.2 10.2.0.99 tcp/83":  "silent",
	"10.1.0.2 10.2.0.2 tcp/84":   "odd",
	"10.1.0.2 10.2.0.2 udp/86":   "silent",
	"10.1.0.2 10.2.0.2 udp/53":   "answered data",
	"fd01::2 fd02::2 tcp/81":     "refused",
	"10.1.0.2 10.1.0.1 tcp/8080": "answered data",
	"10.1.0.2 10.2.0.2 icmp/8":   "answered data",
	"fd01::2 fd02::9 icmp6/128":  "silent",
}

func TestConntrackOutcomes(t *testing.T) {
	compare(t, outcomesOf(t, readAll(t, conntrackLog)), conntrackOutcomes)
}

// Each attempt is one, though several lines tell of it.
func TestConntrackAttemptsOnce(t *testing.T) {
	records, _ := readLog(t, conntrackLog)
	attempts := 0
	j := NewJoiner(DefaultHeld, func(r *Record) {
		for _, p := range r.Packets(nil) {
			if p.Flags == 2 && p.Src == r.Src {
				attempts++
			}
		}
	})
	for i := range records {
		j.Add(&records[i])
	}
	j.Flush()
	if attempts != 5 { // the sixth connection of TCP is a probe without SYN
		t.Errorf("%d SYNs, want 5", attempts)
	}
}

func TestConntrackMalformed(t *testing.T) {
	first, _, _ := strings.Cut(conntrackLog, "\n")
	leftOut(t, first+"\n", 1, map[string]badLine{
		"cut off in the tuple":     {"[1795585694.2] [NEW] tcp 6 120 SYN_SENT src=10.1.0.2 dst=10.", 1},
		"no port":                  {"[1795585694.2] [NEW] tcp 6 120 SYN_SENT src=10.1.0.2 dst=10.1.0.3 sport=1", 1},
		"a port too large":         {"[1795585694.2] [NEW] tcp 6 120 SYN_SENT src=10.1.0.2 dst=10.1.0.3 sport=1 dport=65536", 1},
		"no event":                 {"[1795585694.2] [GONE] tcp 6 src=10.1.0.2 dst=10.1.0.3 sport=1 dport=2", 1},
		"no time":                  {"[] [NEW] tcp 6 src=10.1.0.2 dst=10.1.0.3 sport=1 dport=2", 1},
		"conntrack's own words":    {"conntrack v1.4.7 (conntrack-tools): 12 flow events have been shown.", 0},
		"a protocol without ports": {"[1795585694.2] [NEW] gre 47 src=10.1.0.2 dst=10.1.0.3", 0},
	})
}

func TestConntrackAllocations(t *testing.T) {
	lines := linesOf(conntrackLog)
	allocations(t, detectConntrack(lines[0]), lines)
}

func BenchmarkConntrack(b *testing.B) {
	lines := linesOf(conntrackLog)
	benchmark(b, detectConntrack(lines[0]), lines)
}
