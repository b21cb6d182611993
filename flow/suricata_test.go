package flow

import (
	"fmt"
	"strings"
	"testing"
)

// eveFlow writes an event of a flow, as Suricata 7 does.
func eveFlow(port int, proto string, packets, bytes [2]int, tcp string) string {
	if tcp != "" {
		tcp = `,"tcp":{` + tcp + `}`
	}
	return fmt.Sprintf(`{"timestamp":"2026-11-25T06:01:10.500000+0000","flow_id":1234,"in_iface":"eth0","event_type":"flow","src_ip":"10.0.0.7","src_port":40000,"dest_ip":"10.0.0.1","dest_port":%d,"proto":"%s",`+
		`"flow":{"pkts_toserver":%d,"pkts_toclient":%d,"bytes_toserver":%d,"bytes_toclient":%d,"start":"2026-11-25T06:00:04.124537+0000","end":"2026-11-25T06:00:05.624537+0000","age":1,"state":"closed","reason":"timeout","alerted":false}%s}`+"\n",
		port, proto, packets[0], packets[1], bytes[0], bytes[1], tcp)
}

var eveLog = `{"timestamp":"2026-11-25T06:00:04.124537+0000","flow_id":1,"event_type":"dns","src_ip":"10.0.0.7","src_port":1,"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","dns":{"rrname":"x\"},\"event_type\":\"flow\"","answers":[{"a":1},{"b":"]"}]}}` + "\n" +
	eveFlow(1, "TCP", [2]int{1, 0}, [2]int{74, 0}, `"tcp_flags":"02","tcp_flags_ts":"02","tcp_flags_tc":"00","syn":true,"state":"syn_sent"`) +
	eveFlow(2, "TCP", [2]int{1, 1}, [2]int{74, 54}, `"tcp_flags":"16","tcp_flags_ts":"02","tcp_flags_tc":"14","syn":true,"rst":true,"ack":true,"state":"closed"`) +
	eveFlow(3, "TCP", [2]int{6, 5}, [2]int{486, 1550}, `"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","state":"closed"`) +
	eveFlow(4, "TCP", [2]int{2, 1}, [2]int{128, 58}, `"tcp_flags":"16","tcp_flags_ts":"06","tcp_flags_tc":"12","state":"closed"`) +
	eveFlow(5, "TCP", [2]int{1, 1}, [2]int{54, 54}, `"tcp_flags":"00","tcp_flags_ts":"00","tcp_flags_tc":"00"`) + // of FIN, NULL, XMAS and ACK no flags are told
	eveFlow(6, "TCP", [2]int{1, 0}, [2]int{54, 0}, `"tcp_flags":"00","tcp_flags_ts":"00","tcp_flags_tc":"00"`) +
	eveFlow(7, "TCP", [2]int{1, 0}, [2]int{74, 0}, "") +
	eveFlow(8, "TCP", [2]int{2, 0}, [2]int{120, 0}, `"tcp_flags":"00","tcp_flags_ts":"00","tcp_flags_tc":"00"`) + // padded
	eveFlow(9, "TCP", [2]int{9, 7}, [2]int{1369, 5372}, `"tcp_flags":"00","tcp_flags_ts":"00","tcp_flags_tc":"00"`) + // there before Suricata
	eveFlow(10, "TCP", [2]int{2, 2}, [2]int{132, 132}, `"tcp_flags":"00","tcp_flags_ts":"00","tcp_flags_tc":"00"`) + // the last segments of one
	strings.Replace(eveFlow(50000, "TCP", [2]int{9, 7}, [2]int{1369, 5372}, `"tcp_flags":"00","tcp_flags_ts":"00","tcp_flags_tc":"00"`), `"src_port":40000`, `"src_port":8443`, 1) +
	eveFlow(11, "TCP", [2]int{1, 1}, [2]int{74, 102}, `"tcp_flags":"02","tcp_flags_ts":"02","tcp_flags_tc":"00","syn":true,"state":"syn_sent"`) + // rejected by ICMP
	strings.Replace(eveFlow(162, "UDP", [2]int{1, 1}, [2]int{84, 112}, ""), `"state":"closed"`, `"state":"new"`, 1) + // refused by ICMP
	eveFlow(53, "UDP", [2]int{1, 1}, [2]int{72, 162}, "") +
	eveFlow(161, "UDP", [2]int{1, 0}, [2]int{84, 0}, "") +
	eveFlow(132, "SCTP", [2]int{1, 0}, [2]int{84, 0}, "") +
	`{"timestamp":"2026-11-25T06:01:10.500000+0000","event_type":"flow","src_ip":"10.0.0.7","dest_ip":"10.0.0.1","proto":"ICMP","icmp_type":8,"icmp_code":0,"response_icmp_type":0,"response_icmp_code":0,"flow":{"pkts_toserver":1,"pkts_toclient":1,"bytes_toserver":98,"bytes_toclient":98,"start":"2026-11-25T06:00:04.124537+0000","end":"2026-11-25T06:00:04.124700+0000"}}` + "\n" +
	`{"timestamp":"2026-11-25T06:01:10.500000+0000","event_type":"flow","src_ip":"fd00::7","dest_ip":"fd00::1","proto":"IPv6-ICMP","icmp_type":128,"icmp_code":0,"flow":{"pkts_toserver":1,"pkts_toclient":0,"bytes_toserver":118,"bytes_toclient":0,"start":"2026-11-25T06:00:04.124537+0000","end":"2026-11-25T06:00:04.124537+0000"}}` + "\n" +
	`{"timestamp":"2026-11-25T06:02:10.000000+0000","event_type":"stats","stats":{"uptime":9}}` + "\n"

// eveNetflow writes an event of one way.
func eveNetflow(src, dst string, sport, dport, bytes int, flags string) string {
	return fmt.Sprintf(`{"timestamp":"2026-11-25T06:01:10.500000+0000","event_type":"netflow","src_ip":"%s","src_port":%d,"dest_ip":"%s","dest_port":%d,"proto":"TCP",`+
		`"netflow":{"pkts":1,"bytes":%d,"start":"2026-11-25T06:00:04.124537+0000","end":"2026-11-25T06:00:04.124537+0000","age":0,"min_ttl":64,"max_ttl":64},"tcp":{"tcp_flags":"%s"}}`+"\n", src, sport, dst, dport, bytes, flags)
}

func TestSuricataOutcomes(t *testing.T) {
	testOutcomes(t, map[string]outcomes{
		"flow": {eveLog, map[string]string{
			"10.0.0.7 10.0.0.1 tcp/1": "silent", "10.0.0.7 10.0.0.1 tcp/2": "refused", "10.0.0.7 10.0.0.1 tcp/3": "answered data",
			"10.0.0.7 10.0.0.1 tcp/4": "answered", "10.0.0.7 10.0.0.1 tcp/5": "odd", "10.0.0.7 10.0.0.1 tcp/6": "odd", "10.0.0.7 10.0.0.1 tcp/7": "silent",
			"10.0.0.7 10.0.0.1 tcp/8": "odd", "10.0.0.7 10.0.0.1 tcp/9": "answered data", "10.0.0.7 10.0.0.1 tcp/11": "refused", "10.0.0.1 10.0.0.7 tcp/8443": "answered data",
			"10.0.0.7 10.0.0.1 udp/162": "refused",
			"10.0.0.7 10.0.0.1 udp/53":  "answered data", "10.0.0.7 10.0.0.1 udp/161": "silent",
			"10.0.0.7 10.0.0.1 icmp/8": "answered data", "fd00::7 fd00::1 icmp6/128": "silent",
		}},
		"netflow": {eveNetflow("10.0.0.7", "10.0.0.1", 40000, 22, 74, "02") + eveNetflow("10.0.0.1", "10.0.0.7", 22, 40000, 54, "14") + eveNetflow("10.0.0.7", "10.0.0.1", 40000, 23, 74, "02"),
			map[string]string{"10.0.0.7 10.0.0.1 tcp/22": "refused", "10.0.0.7 10.0.0.1 tcp/23": "silent"}},
	})
}

func TestSuricataTimes(t *testing.T) {
	event := eveFlow(1, "TCP", [2]int{1, 0}, [2]int{74, 0}, "")
	const start, end, written = 1795586404_124537000, 1795586405_624537000, 1795586470_500000000
	for name, test := range map[string]struct {
		log  string
		time int64
	}{
		"live":                  {event, written},
		"of a capture":          {strings.Replace(event, `"timestamp":"2026-11-25T06:01:10`, `"timestamp":"2026-12-25T06:01:10`, 1), end},
		"of a capture, earlier": {strings.Replace(event, `"timestamp":"2026-11-25T06:01:10`, `"timestamp":"2026-11-25T06:00:00`, 1), end},
	} {
		t.Run(name, func(t *testing.T) {
			if r := readAll(t, test.log)[0]; r.Start != start || r.Time != test.time {
				t.Errorf("from %d to %d, want %d to %d", r.Start, r.Time, int64(start), test.time)
			}
		})
	}
}

func TestSuricataMalformed(t *testing.T) {
	good := strings.TrimSpace(eveFlow(1, "TCP", [2]int{1, 0}, [2]int{74, 0}, `"tcp_flags_ts":"02"`))
	leftOut(t, eveFlow(2, "UDP", [2]int{1, 0}, [2]int{74, 0}, ""), 1, map[string]badLine{
		"cut off":          {good[:200], 1},
		"no address":       {strings.Replace(good, "10.0.0.7", "host", 1), 1},
		"no start":         {strings.Replace(good, `"start"`, `"begin"`, 1), 1},
		"packets as text":  {strings.Replace(good, `"pkts_toserver":1`, `"pkts_toserver":"one"`, 1), 1},
		"flags of nothing": {strings.Replace(good, `"02"`, `"xy"`, 1), 1},
		"an alert":         {`{"timestamp":"2026-11-25T06:00:04.124537+0000","event_type":"alert","src_ip":"x"}`, 0},
		"no event":         {`{"timestamp":"2026-11-25T06:00:04.124537+0000"}`, 0},
	})
}

func TestSuricataAllocations(t *testing.T) {
	lines := linesOf(eveLog)
	allocations(t, detectSuricata(lines[0]), lines)
}

func FuzzSuricata(f *testing.F) { fuzz(f, "", eveLog) }

func BenchmarkSuricataLine(b *testing.B) {
	lines := linesOf(eveLog)
	benchmark(b, detectSuricata(lines[0]), lines)
}
