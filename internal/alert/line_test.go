package alert

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

func TestLine(t *testing.T) {
	for _, test := range []struct {
		name  string
		event detect.Event
		want  string
	}{
		{"vertical", vertical(), "2026-11-23 01:06:02 scan start 10.50.0.66 vertical: 12 tcp ports of 10.60.0.5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, 8081, ..., score 0.998"},
		{"horizontal", horizontal(), "2026-11-23 01:06:02 scan update 2001:db8::66 horizontal: 254 hosts such as 2001:db8:1::5 on 1 tcp port in 2 h 1 min, 2 a minute (254 silent), port telnet 23, since 2026-11-22 23:05:02, score 0.998"},
		{"block", block(), "2026-11-23 01:06:02 scan end 10.50.0.66 block: 20 tcp/udp ports of 32 hosts such as 10.60.0.5 in 5 min, 2 a second (3 answered, 600 refused, 37 odd), ports ssh 22, http 80, 8081, ..., since 01:01:02, score 0.998"},
		{"ports after ARP", afterARP(), "2026-11-23 01:06:02 scan start 10.50.0.66 vertical: 12 tcp ports of 10.60.0.5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, 8081, ..., score 0.998"},
		{"no ports", arpSweep(), "2026-11-23 01:06:02 scan start 10.50.0.66 horizontal: 12 hosts such as 10.60.0.5 by arp in 841 ms (2 answered, 10 silent), score 0.998"},
		{"prefix", prefixScan(), "2026-11-23 01:06:02 scan start 2001:db8:66::/64 (12 sources such as 2001:db8:66::a1, 2001:db8:66::7) vertical: 12 tcp ports of 2001:db8:1::5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, 8081, ..., score 0.998"},
		{"distributed", distributed(), "2026-11-23 01:06:02 scan start many (40 sources such as 198.51.100.7) vertical: 12 tcp ports of 10.60.0.5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, 8081, ..., score 0.998"},
		{"flow and name", named(), "2026-11-23 01:06:02 scan start 10.50.0.66 (printer) vertical: 12 tcp ports of 10.60.0.5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, 8081, ..., score 0.998, flow 1:t0+OaF2o5WuiFRE4semKxrHLUQU="},
		{"summary", flooded(), "2026-11-23 01:06:02 scan summary: 312 more sources began to scan, such as 198.51.100.7, 2001:db8::66 (10 vertical, 302 horizontal), most of them on ports telnet 23, ssh 22; of those not named 5 ended, 307 go on"},
		{"summary of ends", detect.Event{State: detect.Summary, Folded: &detect.Folded{Ended: 5}}, "1970-01-01 00:00:00 scan summary: of those not named 5 ended, 0 go on"},
		{"empty", detect.Event{}, "1970-01-01 00:00:00 scan unknown :: unknown: 0 ports of 0 hosts such as :: in under 1 ms, score 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Line(test.event); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// afterARP is a port scan that began with a look for the gateway.
func afterARP() detect.Event {
	e := vertical()
	e.Protocols = append(e.Protocols, capture.ProtoARP)
	return e
}

func TestPace(t *testing.T) {
	for _, test := range []struct {
		name     string
		contacts int
		over     time.Duration
		want     string
	}{
		{"one", 1, time.Hour, ""},
		{"too fast to say", 300, 3 * time.Millisecond, ""},
		{"a second", 2001, 2 * time.Second, "1000 a second"},
		{"half a second rounds up", 31, time.Minute, "1 a second"},
		{"a minute", 6, 5 * time.Minute, "1 a minute"},
		{"an hour", 13, time.Hour, "12 an hour"},
		{"a day", 6, 60 * time.Hour, "2 a day"},
		{"less", 2, 96 * time.Hour, ""},
		{"hostile", math.MaxInt64, math.MaxInt64, "1000000000 a second"},
	} {
		if got := pace(test.contacts, int64(test.over)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestElapsed(t *testing.T) {
	for ns, want := range map[int64]string{
		-5: "under 1 ms", 1e6: "1 ms", 999e6: "999 ms", 1e9: "1 s", 119e9: "119 s", 120e9: "2 min", 7199e9: "119 min",
		7200e9: "2 h 0 min", 90000e9: "25 h 0 min", 172800e9: "2 days", math.MaxInt64: "106751 days",
	} {
		if got := elapsed(ns); got != want {
			t.Errorf("elapsed(%d) = %q, want %q", ns, got, want)
		}
	}
}

// FuzzFormats hands arbitrary events to every format: each must stay one line
// of printable ASCII of bounded length, and be valid in its own syntax.
func FuzzFormats(f *testing.F) {
	for _, e := range []detect.Event{vertical(), horizontal(), block(), arpSweep(), prefixScan(), distributed(), named(), hostile()} {
		f.Add(e.ID, string(e.State), string(e.Kind), e.Source[:], e.Score, e.Time, e.FirstSeen, e.Window, e.Contacts, e.Hosts, e.Ports, e.Silent, []byte("\x06\x11\xff"), []byte("\x00\x16"), e.Example[:])
	}
	f.Add(uint64(0), "", "", []byte(nil), math.NaN(), int64(0), int64(0), int64(0), 0, 0, 0, 0, []byte(nil), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, id uint64, state, kind string, src []byte, score float64, now, first, window int64, contacts, hosts, ports, silent int, protocols, top, example []byte) {
		e := detect.Event{ID: id, State: detect.State(state), Kind: detect.Kind(kind), Score: score, Time: now, FirstSeen: first, LastSeen: now, Window: window, Contacts: contacts, Hosts: hosts, Ports: ports, Silent: silent}
		copy(e.Source[:], src)
		e.Scope, e.Prefix = featurize.Scope(len(src)), netip.PrefixFrom(e.Example.Netip(), hosts)
		e.Sources, e.Members = ports, make([]capture.Addr, len(top))
		copy(e.Example[:], example)
		for _, p := range protocols {
			e.Protocols = append(e.Protocols, capture.Proto(p))
		}
		for i := 1; i < len(top); i += 2 {
			e.TopPorts = append(e.TopPorts, uint16(top[i-1])<<8|uint16(top[i]))
		}
		checkFormats(t, e)
	})
}

func checkFormats(t *testing.T, e detect.Event) {
	t.Helper()
	line, object := Line(e), JSON(e)
	local := appendRFC3164(nil, e, testHeader())
	remote := appendRFC5424(nil, e, testHeader())
	h := headerOfCEF(t)
	for name, s := range map[string]string{
		"Line": line, "JSON": string(object), "RFC 3164": string(local), "RFC 5424": string(remote),
		"CEF in RFC 3164": string(appendRFC3164(nil, e, h)), "CEF in RFC 5424": string(appendRFC5424(nil, e, h)),
	} {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s is not one line of printable ASCII: %q", name, s)
		}
		limit := 1180 // what a UDP packet is sure to carry
		if strings.HasPrefix(name, "CEF") {
			limit = 1440 // what one of Ethernet does
		}
		if len(s) > limit {
			t.Errorf("%s is %d bytes long, more than %d", name, len(s), limit)
		}
	}
	var decoded struct{ Scan map[string]any }
	if err := json.Unmarshal(object, &decoded); err != nil {
		t.Errorf("JSON: %v in %s", err, object)
	}
	if decoded.Scan["protocols"] == nil || decoded.Scan["top_ports"] == nil {
		t.Errorf("an array is null in %s", object)
	}
	if len(local) > 1024 {
		t.Errorf("RFC 3164 allows 1024 bytes, got %d: %q", len(local), local)
	}
	if _, err := rfc5424.NewParser().Parse(remote); err != nil {
		t.Errorf("RFC 5424: %v in %q", err, remote)
	}
}

func TestFormatsOfHostileEvent(t *testing.T) {
	for _, score := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e-300, 2} {
		e := hostile()
		e.Score = score
		checkFormats(t, e)
	}
}
