package flow

import (
	"testing"
	"time"
)

// Lines of Linux 6.18, of nmap -sS, -sF, -sU and -PE against rules of nftables, in a
// syslog file with others, and of the usual front ends.
const netfilterLog = `2026-11-25T06:00:01.000001+00:00 gw systemd[1]: Started session 3 of user root.
2026-11-25T06:00:04.205911+00:00 gw kernel: [34752.205911] lgb REJECT: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:08:00 SRC=10.1.0.2 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=41 ID=13947 PROTO=TCP SPT=40732 DPT=23 WINDOW=1024 RES=0x00 SYN URGP=0 
2026-11-25T06:00:04.205960+00:00 gw kernel: [34752.205960] lgb OUT: IN= OUT=b0 SRC=10.1.0.1 DST=10.1.0.2 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=0 DF PROTO=TCP SPT=23 DPT=40732 WINDOW=0 RES=0x00 ACK RST URGP=0 
2026-11-25T06:00:04.205978+00:00 gw kernel: [34752.205978] lgb ACCEPT: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:08:00 SRC=10.1.0.2 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=38 ID=6943 PROTO=TCP SPT=40732 DPT=22 WINDOW=1024 RES=0x00 SYN URGP=0 
2026-11-25T06:00:04.205998+00:00 gw kernel: [34752.205998] lgb DROP: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:08:00 SRC=10.1.0.2 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=39 ID=62817 PROTO=TCP SPT=40732 DPT=24 WINDOW=1024 RES=0x00 SYN URGP=0 
2026-11-25T06:00:04.417824+00:00 gw kernel: [34752.417824] lgb DROP: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:08:00 SRC=10.1.0.2 DST=10.1.0.1 LEN=40 TOS=0x00 PREC=0x00 TTL=45 ID=7275 PROTO=TCP SPT=34606 DPT=25 WINDOW=1024 RES=0x00 FIN URGP=0 
2026-11-25T06:00:04.629872+00:00 gw kernel: [34752.629872] lgb DROP: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:08:00 SRC=10.1.0.2 DST=10.1.0.1 LEN=29 TOS=0x00 PREC=0x00 TTL=46 ID=39523 PROTO=UDP SPT=56213 DPT=26 LEN=9 
2026-11-25T06:00:04.781991+00:00 gw kernel: [34752.781991] lgb DROP: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:08:00 SRC=10.1.0.2 DST=10.1.0.1 LEN=28 TOS=0x00 PREC=0x00 TTL=41 ID=19733 PROTO=ICMP TYPE=8 CODE=0 ID=5130 SEQ=0 
2026-11-25T06:00:04.800000+00:00 gw kernel: [34752.800000] lgb OUT: IN= OUT=b0 SRC=10.1.0.1 DST=10.1.0.9 LEN=72 TOS=0x00 PREC=0xC0 TTL=64 ID=19733 PROTO=ICMP TYPE=3 CODE=3 [SRC=10.1.0.9 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=64 ID=3 DF PROTO=UDP SPT=40000 DPT=161 LEN=24 ] 
2026-11-25T06:00:04.873875+00:00 gw kernel: [34753.873875] lgb DROP: IN=b0 OUT= MAC=7e:12:e0:83:da:0a:b2:8a:b3:19:75:56:86:dd SRC=fd01:0000:0000:0000:0000:0000:0000:0002 DST=fd01:0000:0000:0000:0000:0000:0000:0001 LEN=64 TC=0 HOPLIMIT=255 FLOWLBL=0 PROTO=TCP SPT=40070 DPT=27 WINDOW=1024 RES=0x00 SYN URGP=0 
2026-11-25T06:00:05.000000+00:00 gw kernel: [34754.000000] [UFW BLOCK] IN=eth0 OUT= MAC=x SRC=192.0.2.9 DST=10.1.0.1 LEN=40 TOS=0x00 PREC=0x00 TTL=54 ID=0 PROTO=TCP SPT=443 DPT=51000 WINDOW=0 RES=0x00 RST URGP=0 
2026-11-25T06:00:06.000000+00:00 gw kernel: [34755.000000] [UFW AUDIT] IN=eth0 OUT= MAC=x SRC=192.0.2.8 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=54 ID=0 PROTO=TCP SPT=44300 DPT=3389 WINDOW=1024 RES=0x00 SYN URGP=0 
2026-11-25T06:00:06.000001+00:00 gw kernel: [34755.000001] [UFW BLOCK] IN=eth0 OUT= MAC=x SRC=192.0.2.8 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=54 ID=0 PROTO=TCP SPT=44300 DPT=3389 WINDOW=1024 RES=0x00 SYN URGP=0 
2026-11-25T06:00:07.000000+00:00 gw kernel: [34755.000001] fw: IN=eth0 OUT= MAC=x SRC=192.0.2.8 DST=10.1.0.1 LEN=44 TOS=0x00 PREC=0x00 TTL=54 ID=0 PROTO=2 
2026-11-25T06:00:08.000000+00:00 gw kernel: [34755.000001] fw: IN=eth0 OUT= MAC=x SRC=192.0.2.8 DST=10.1.0.1 LEN=1500 TOS=0x00 PREC=0x00 TTL=54 ID=0 FRAG:185 PROTO=UDP 
`

func TestNetfilterOutcomes(t *testing.T) {
	compare(t, outcomesOf(t, readAll(t, netfilterLog)), map[string]string{
		"10.1.0.2 10.1.0.1 tcp/23":    "refused",
		"10.1.0.2 10.1.0.1 tcp/22":    "pending",
		"10.1.0.2 10.1.0.1 tcp/24":    "silent",
		"10.1.0.2 10.1.0.1 tcp/25":    "odd",
		"10.1.0.2 10.1.0.1 udp/26":    "silent",
		"10.1.0.2 10.1.0.1 icmp/8":    "silent",
		"10.1.0.9 10.1.0.1 udp/161":   "refused",
		"fd01::2 fd01::1 tcp/27":      "silent",
		"192.0.2.8 10.1.0.1 tcp/3389": "silent",
	})
}

func TestNetfilterVerdicts(t *testing.T) {
	for prefix, want := range map[string]verdict{
		"[UFW BLOCK]":              drops,
		"[UFW ALLOW]":              passes,
		"[UFW LIMIT BLOCK]":        drops,
		"[UFW AUDIT INVALID]":      passes,
		"Shorewall:net-fw:DROP:":   drops,
		"Shorewall:net2fw:REJECT:": rejects,
		"REJECT wan in:":           rejects,
		"DROP wan out:":            drops,
		"reject wan in: ":          rejects,
		"iptables denied: ":        drops,
		"FINAL_REJECT: ":           rejects,
		"filter_IN_public_DROP: ":  drops,
		"logdrop ACCEPT ":          passes,
		"":                         passes,
		"new connection: ":         passes,
	} {
		if got := verdictOf([]byte(prefix)); got != want {
			t.Errorf("%q: %d, want %d", prefix, got, want)
		}
	}
}

func TestNetfilterTimes(t *testing.T) {
	zone := time.Local
	time.Local = time.FixedZone("", 3600)
	defer func() { time.Local = zone }()
	now := time.Date(2027, 1, 2, 12, 0, 0, 0, time.Local)
	const rest = "IN=eth0 OUT= SRC=192.0.2.8 DST=10.1.0.1 LEN=44 PROTO=TCP SPT=44300 DPT=3389 SYN URGP=0"
	tests := map[string]struct {
		head, want string
		state      State
	}{
		"RFC 3164, of last year":          {"Dec  9 07:18:54 gw kernel: [12.5] DROP ", "2026-12-09T06:18:54Z", StateSilent},
		"RFC 3164, of this year":          {"Jan  2 07:18:54 gw kernel: DROP ", "2027-01-02T06:18:54Z", StateSilent},
		"RFC 3164, a clock that is ahead": {"Jan  3 07:18:54 gw kernel: DROP ", "2027-01-03T06:18:54Z", StateSilent},
		"with a priority":                 {"<4>Jan  2 07:18:54 gw kernel: DROP ", "2027-01-02T06:18:54Z", StateSilent},
		"journalctl -o short-precise":     {"Jan 02 07:18:54.123456 gw kernel: DROP ", "2027-01-02T06:18:54.123456Z", StateSilent},
		"ulogd":                           {"Jan  2 07:18:54 dropbox fw ", "2027-01-02T06:18:54Z", StateUnknown},
		"a host named for a verdict":      {"Jan  2 07:18:54 dropbox kernel: fw ", "2027-01-02T06:18:54Z", StateUnknown},
		"rsyslog":                         {"2026-11-25T06:00:04.205911+00:00 gw kernel: REJECT ", "2026-11-25T06:00:04.205911Z", StateRefused},
		"journalctl -o short-iso":         {"2026-11-25T06:00:04+0100 gw kernel: REJECT ", "2026-11-25T05:00:04Z", StateRefused},
		"UTC":                             {"2026-11-25T06:00:04Z gw kernel: REJECT ", "2026-11-25T06:00:04Z", StateRefused},
		"no zone":                         {"2026-11-25T06:00:04 gw kernel: REJECT ", "2026-11-25T05:00:04Z", StateRefused},
		"journalctl -o short-unix":        {"1795418334.500000 gw kernel: REJECT ", "2026-11-23T07:18:54.5Z", StateRefused},
		"logread of OpenWrt":              {"Wed Nov 25 06:00:04 2026 kern.warn kernel: [ 100.25] REJECT wan in: ", "2026-11-25T05:00:04Z", StateRefused},
		"dmesg -T":                        {"[Wed Nov 25 06:00:04 2026] REJECT ", "2026-11-25T05:00:04Z", StateRefused},
		"dmesg --time-format iso":         {"2026-11-25T06:00:04,981643+00:00 DROP ", "2026-11-25T06:00:04.981643Z", StateSilent},
		"dmesg":                           {"[34752.205911] DROP ", "1970-01-01T09:39:12.205911Z", StateSilent},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var r Record
			f := netfilter{now: func() time.Time { return now }}
			ok, err := f.parse([]byte(test.head+rest), &r)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			if got := time.Unix(0, r.Time).UTC().Format(time.RFC3339Nano); got != test.want || r.State != test.state {
				t.Errorf("%s, state %d, want %s, %d", got, r.State, test.want, test.state)
			}
		})
	}
}

func TestNetfilterMalformed(t *testing.T) {
	const good = "2026-11-25T06:00:04Z gw kernel: IN=eth0 OUT= SRC=192.0.2.1 DST=10.1.0.1 LEN=44 PROTO=TCP SPT=1 DPT=2 SYN\n"
	leftOut(t, good, 1, map[string]badLine{
		"another program": {"2026-11-25T06:00:04Z gw sshd[3]: Failed password from 10.0.0.1 port 3", 0},
		"no time":         {"IN=eth0 OUT= SRC=192.0.2.8 DST=10.1.0.1 LEN=44 PROTO=TCP SPT=44300 DPT=3389 SYN", 1},
		"no address":      {"2026-11-25T06:00:04Z gw kernel: IN=eth0 OUT= SRC=192.0.2 DST=10.1.0.1 LEN=44 PROTO=TCP SPT=1 DPT=2 SYN", 1},
		"cut off":         {"2026-11-25T06:00:04Z gw kernel: IN=eth0 OUT= SRC=192.0.2.1 DST=10.1.0.1 LEN=44 PROTO=TCP SPT=1 D", 0},
		"no month":        {"Foo 25 06:00:04 gw kernel: IN=eth0 OUT= SRC=192.0.2.1 DST=10.1.0.1 LEN=44 PROTO=TCP SPT=1 DPT=2 SYN", 1},
	})
}

func TestNetfilterAllocations(t *testing.T) {
	lines := linesOf(netfilterLog)
	allocations(t, detectNetfilter(lines[1]), lines)
}

func BenchmarkNetfilter(b *testing.B) {
	lines := linesOf(netfilterLog)
	benchmark(b, detectNetfilter(lines[1]), lines)
}

// Lines of ulogd 2.0.8, which have no name of a program.
func TestNetfilterUlogd(t *testing.T) {
	records := readAll(t, `Nov 25 06:12:39 vm lgb DROP:  IN=lo OUT= MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 SRC=10.0.0.1 DST=10.0.0.2 LEN=44 TOS=00 PREC=0x00 TTL=40 ID=39517 PROTO=TCP SPT=39264 DPT=22 SEQ=585730646 ACK=0 WINDOW=1024 SYN URGP=0 MARK=0x0 
Nov 25 06:12:40 vm lgb DROP:  IN=lo OUT= MAC=00:00:00:00:00:00:00:00:00:00:00:00:86:dd SRC=fd00::1 DST=fd00::2 LEN=64 TC=0 HOPLIMIT=255 FLOWLBL=0 PROTO=TCP SPT=47348 DPT=22 SEQ=488061234 ACK=0 WINDOW=1024 SYN URGP=0 MARK=0x0 
Nov 25 06:12:41 vm lgb REJECT:  IN=lo OUT= MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 SRC=10.0.0.1 DST=10.0.0.2 LEN=28 TOS=00 PREC=0x00 TTL=42 ID=4133 PROTO=UDP SPT=51810 DPT=22 LEN=8 MARK=0x0 
`)
	compare(t, outcomesOf(t, records), map[string]string{
		"10.0.0.1 10.0.0.2 tcp/22": "silent",
		"fd00::1 fd00::2 tcp/22":   "silent",
		"10.0.0.1 10.0.0.2 udp/22": "refused",
	})
}
