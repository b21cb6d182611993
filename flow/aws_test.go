package flow

import (
	"fmt"
	"strings"
	"testing"
)

// awsHeader is of a format of one's own, with fields of versions 2 to 5.
const awsHeader = "version vpc-id interface-id action pkt-srcaddr pkt-dstaddr srcaddr dstaddr srcport dstport protocol packets bytes start end log-status tcp-flags type flow-direction\n"

// awsLine writes a record of that format, one way or the other.
func awsLine(action, src, dst, sport, dport, proto, packets, bytes, flags string) string {
	return "5 vpc-1 eni-0a " + action + " " + src + " " + dst + " 10.9.9.9 " + dst + " " + sport + " " + dport + " " + proto + " " + packets + " " + bytes + " 1795586404 1795586460 OK " + flags + " IPv4 ingress\n"
}

var awsLog = awsHeader +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "1", "6", "1", "60", "2") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "2", "6", "1", "60", "2") +
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "2", "40000", "6", "1", "40", "4") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "3", "6", "6", "402", "3") +
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "3", "40000", "6", "5", "1480", "19") +
	awsLine("REJECT", "10.0.0.7", "10.0.0.1", "40000", "4", "6", "3", "180", "2") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "5", "6", "9", "4402", "0") + // that goes on
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "5", "40000", "6", "9", "9480", "0") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "6", "6", "1", "40", "1") + // FIN alone
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "7", "6", "1", "40", "1") + // FIN, refused
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "7", "40000", "6", "1", "40", "4") +
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "8", "40000", "6", "1", "52", "1") + // the end of a connection
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "8", "6", "2", "104", "1") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "15", "6", "2", "80", "1") + // and without options
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "15", "40000", "6", "1", "40", "1") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "9", "6", "4", "240", "2") + // SYN again and again
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "10", "6", "1", "40", "0") + // NULL or ACK, refused
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "10", "40000", "6", "1", "40", "4") +
	awsLine("REJECT", "10.0.0.7", "10.0.0.1", "40000", "11", "6", "1", "40", "1") + // FIN
	awsLine("REJECT", "10.0.0.1", "10.0.0.7", "12", "40000", "6", "1", "52", "1") + // the end of what a security group has forgotten
	awsLine("REJECT", "10.0.0.1", "10.0.0.7", "13", "40000", "6", "5", "300", "18") + // an answer
	awsLine("REJECT", "10.0.0.1", "10.0.0.7", "14", "40000", "6", "1", "40", "4") +
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "53", "17", "1", "58", "0") +
	awsLine("ACCEPT", "10.0.0.1", "10.0.0.7", "53", "40000", "17", "1", "148", "0") +
	awsLine("REJECT", "10.0.0.7", "10.0.0.1", "0", "0", "1", "1", "84", "0") +
	awsLine("ACCEPT", "10.0.0.8", "10.0.0.1", "0", "0", "1", "1", "84", "0") + // of no known type
	awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "0", "0", "50", "1", "84", "0") +
	"5 vpc-1 eni-0a - - - - - - - - - - 1795586404 1795586460 NODATA - - -\n" +
	"5 vpc-1 eni-0a - - - - - - - - - - 1795586404 1795586460 SKIPDATA - - -\n"

// Lines of the default format, which has no flags.
const awsVersion2 = `2 123456789010 eni-1235b8ca123456789 10.0.0.7 10.0.0.1 40000 22 6 1 60 1795586404 1795586460 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 10.0.0.1 10.0.0.7 22 40000 6 1 40 1795586404 1795586460 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 10.0.0.7 10.0.0.1 40000 3389 6 2 120 1795586404 1795586460 REJECT OK
2 123456789010 eni-1235b8ca123456789 fd00::7 fd00::1 40000 443 6 20 4249 1795586404 1795586460 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 fd00::1 fd00::7 443 40000 6 20 9249 1795586404 1795586460 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1795586404 1795586460 - NODATA
`

func TestAWSOutcomes(t *testing.T) {
	version2 := map[string]string{
		"10.0.0.7 10.0.0.1 tcp/22": "refused", "10.0.0.7 10.0.0.1 tcp/3389": "silent", "fd00::7 fd00::1 tcp/443": "answered data",
	}
	before := func(log, what string) (lines string) {
		for line := range strings.Lines(log) {
			lines += what + line
		}
		return lines
	}
	testOutcomes(t, map[string]outcomes{
		"fields of version 5": {awsLog, map[string]string{
			"10.0.0.7 10.0.0.1 tcp/1": "silent", "10.0.0.7 10.0.0.1 tcp/2": "refused", "10.0.0.7 10.0.0.1 tcp/3": "answered data",
			"10.0.0.7 10.0.0.1 tcp/4": "silent", "10.0.0.7 10.0.0.1 tcp/5": "answered data", "10.0.0.7 10.0.0.1 tcp/6": "odd",
			"10.0.0.7 10.0.0.1 tcp/7": "odd", "10.0.0.7 10.0.0.1 tcp/8": "answered", "10.0.0.7 10.0.0.1 tcp/9": "silent", "10.0.0.7 10.0.0.1 tcp/10": "odd",
			"10.0.0.7 10.0.0.1 tcp/11": "odd", "10.0.0.7 10.0.0.1 tcp/15": "answered data",
			"10.0.0.7 10.0.0.1 udp/53": "answered data", "10.0.0.7 10.0.0.1 icmp/8": "silent",
		}},
		"version 2 with its header":      {awsDefault + "\n" + awsVersion2, version2},
		"version 2":                      {awsVersion2, version2},
		"version 2 by CloudWatch":        {before(awsVersion2, "2026-11-25T06:01:00.000Z "), version2},
		"version 2 by logs tail":         {before(awsVersion2, "2026-11-25T06:01:00+00:00 eni-1235b8ca123456789-all "), version2},
		"version 2, tail --format short": {before(awsVersion2, "2026-11-25T06:01:00 "), version2},
		"fields of one's own by CloudWatch": {"srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags\n" +
			before("10.0.0.7 10.0.0.1 40000 22 6 1 60 1795586404 1795586460 REJECT 2\n", "2026-11-25T06:01:00.000Z "),
			map[string]string{"10.0.0.7 10.0.0.1 tcp/22": "silent"}},
	})
}

// The two halves of a connection stand anywhere in a file, and their intervals end
// apart.
func TestAWSApart(t *testing.T) {
	const fields = "srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags\n"
	others := ""
	for i := range 60 {
		others += fmt.Sprintf("10.0.0.9 10.0.0.2 %d 80 6 6 400 1795586300 %d ACCEPT 3\n", 40000+i, 1795586460+i)
	}
	log := fields + "10.0.0.1 10.0.0.7 22 40000 6 1 40 1795586404 1795586460 ACCEPT 4\n" + others +
		"10.0.0.7 10.0.0.1 40000 22 6 1 60 1795586404 1795586435 ACCEPT 2\n" + "10.0.0.7 10.0.0.1 40000 23 6 1 60 1795586404 1795586435 ACCEPT 2\n" + others
	records := readAll(t, log)
	for i := 1; i < len(records); i++ {
		if records[i].Time < records[i-1].Time {
			t.Errorf("record %d was written before the one before it", i)
		}
	}
	if got := outcomesOf(t, records)["10.0.0.7 10.0.0.1 tcp/22"]; got != "refused" {
		t.Errorf("outcome %q, want refused", got)
	}
}

func TestAWSMalformed(t *testing.T) {
	good := awsLine("ACCEPT", "10.0.0.7", "10.0.0.1", "40000", "1", "6", "1", "60", "2")
	leftOut(t, awsHeader, 0, map[string]badLine{
		"cut off":     {good[:50], 1},
		"no address":  {strings.TrimSpace(strings.ReplaceAll(good, "10.0.0.7", "host")), 1},
		"no port":     {strings.TrimSpace(strings.Replace(good, "40000", "-", 1)), 1},
		"no protocol": {strings.TrimSpace(strings.Replace(good, " 6 ", " tcp ", 1)), 1},
		"no flags":    {strings.TrimSpace(strings.Replace(good, "OK 2", "OK SYN", 1)), 1},
		"a header":    {strings.TrimSpace(awsHeader), 0},
	})
}

func TestAWSAllocations(t *testing.T) {
	lines := linesOf(awsVersion2)
	allocations(t, detectAWS(lines[0]), lines)
}

func FuzzAWS(f *testing.F)         { fuzz(f, awsHeader, awsLog) }
func FuzzAWSVersion2(f *testing.F) { fuzz(f, "", awsVersion2) }

func BenchmarkAWSLine(b *testing.B) {
	lines := linesOf(awsVersion2)
	benchmark(b, detectAWS(lines[0]), lines)
}
