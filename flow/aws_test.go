package flow

import (
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
	cloudWatch := ""
	for line := range strings.Lines(awsVersion2) {
		cloudWatch += "2026-11-25T06:01:00.000Z " + line
	}
	testOutcomes(t, map[string]outcomes{
		"fields of version 5": {awsLog, map[string]string{
			"10.0.0.7 10.0.0.1 tcp/1": "silent", "10.0.0.7 10.0.0.1 tcp/2": "refused", "10.0.0.7 10.0.0.1 tcp/3": "answered data",
			"10.0.0.7 10.0.0.1 tcp/4": "silent", "10.0.0.7 10.0.0.1 tcp/5": "answered data", "10.0.0.7 10.0.0.1 tcp/6": "odd",
			"10.0.0.7 10.0.0.1 udp/53": "answered data", "10.0.0.7 10.0.0.1 icmp/8": "silent",
		}},
		"version 2 with its header": {awsDefault + "\n" + awsVersion2, version2},
		"version 2":                 {awsVersion2, version2},
		"version 2 by CloudWatch":   {cloudWatch, version2},
	})
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
