package policy

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/internal/detect"
)

func addr(text string) capture.Addr { return capture.AddrFrom(netip.MustParseAddr(text)) }

func ns(text string) int64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at.UnixNano()
}

const full = `source=10.0.0.9 destination=10.0.0.0/8 ports=22,8000-8100 protocols=tcp,udp kinds=horizontal until=2027-01-01 reason="the monitoring host"`

func TestRulesAreWrittenAsTheyAreRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"everything":       {full, full},
		"order and blanks": {"\treason=x  source=10.0.0.9 ", `source=10.0.0.9 reason="x"`},
		"ports are joined": {"ports=80,22,81,100-90000 reason=x", ""},
		"ranges overlap":   {"ports=80,22,81,60-90,23 reason=x", `ports=22-23,60-90 reason="x"`},
		"doubles":          {"protocols=udp,tcp,udp reason=x", `protocols=tcp,udp reason="x"`},
		"all kinds":        {"source=::1 kinds=block,vertical,horizontal reason=x", `source=::1 reason="x"`},
		"a host's prefix":  {"source=10.0.0.9/32 reason=x", `source=10.0.0.9 reason="x"`},
		"mapped":           {"source=::ffff:10.0.0.9 reason=x", `source=10.0.0.9 reason="x"`},
		"IPv6":             {"destination=2001:DB8::/32 reason=x", `destination=2001:db8::/32 reason="x"`},
		"a time of day":    {"source=::1 until=2027-01-01T18:30:00+01:00 reason=x", `source=::1 until=2027-01-01T17:30:00Z reason="x"`},
		"quotes":           {`source=::1 reason="a \"b\" \\ c=d # é"`, `source=::1 reason="a \"b\" \\ c=d # é"`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := ParseRule(c.text)
			if c.want == "" {
				if !errors.Is(err, ErrRule) {
					t.Fatalf("error %v, want ErrRule", err)
				}
				return
			}
			if err != nil || r.String() != c.want {
				t.Errorf("%v, %v; want %s", r, err, c.want)
			}
		})
	}
}

func TestWhatIsWrongWithARuleIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"empty":            {" ", "it is empty"},
		"no reason":        {"source=10.0.0.9", "reason is missing"},
		"blank reason":     {`source=10.0.0.9 reason=" "`, "reason: it is empty"},
		"control in it":    {"source=10.0.0.9 reason=\"a\nb\"", `reason: "a\nb" has characters`},
		"long reason":      {"source=10.0.0.9 reason=" + strings.Repeat("x", 201), "longer than 200 bytes"},
		"everything":       {"reason=x", "allow everything"},
		"unknown key":      {"src=10.0.0.9 reason=x", `unknown key "src", want one of source, destination,`},
		"twice":            {"source=10.0.0.9 source=10.0.0.8 reason=x", `source is given twice, the second time as "10.0.0.8"`},
		"no equals sign":   {"source=10.0.0.9 reason=the monitoring host", `"monitoring" is no key=value; a value with blanks goes in double quotes`},
		"open quote":       {`source=10.0.0.9 reason="x`, `reason: the quote before "x" is not closed`},
		"behind the quote": {`reason="x"source=10.0.0.9`, `reason: "source=10.0.0.9" follows the closing quote`},
		"no address":       {"source=10.0.0 reason=x", `source: "10.0.0" is no address`},
		"host bits":        {"destination=10.0.0.9/8 reason=x", `write 10.0.0.0/8 for the network, or 10.0.0.9 for the host`},
		"zone":             {"source=fe80::1%eth0 reason=x", "leave %eth0 out"},
		"mapped prefix":    {"source=::ffff:10.0.0.0/104 reason=x", "write it as IPv4"},
		"port":             {"ports=22,ssh reason=x", `ports: "ssh" is no port`},
		"large port":       {"ports=65536 reason=x", `ports: "65536" is no port`},
		"backwards":        {"ports=80-22 reason=x", `ports: "80-22" goes backwards`},
		"no ports":         {"ports= reason=x", `ports: "" is no port`},
		"protocol":         {"protocols=tcp,TCP reason=x", `protocols: "TCP" is no protocol, want of tcp,udp,icmp,icmp6,arp`},
		"kind":             {"kinds=horizontally reason=x", `kinds: "horizontally" is no kind`},
		"date":             {"source=::1 until=1.1.2027 reason=x", `until: "1.1.2027" is no date`},
		"far away":         {"source=::1 until=2999-01-01 reason=x", "not of the years"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseRule(c.text); !errors.Is(err, ErrRule) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want ErrRule with %q", err, c.says)
			}
		})
	}
}

func TestFilesOfRules(t *testing.T) {
	rules, err := ReadRules(strings.NewReader("# ours\n\n  source=10.0.0.9 reason=x\r\n\tports=161 reason=\"y # z\""))
	if err != nil || len(rules) != 2 || rules[1].Reason != "y # z" {
		t.Errorf("%v, %v", rules, err)
	}
	if _, err := ReadRules(strings.NewReader("# ours\n\nsource=x reason=y\n")); err == nil || !strings.HasPrefix(err.Error(), "line 3: ") || !errors.Is(err, ErrRule) {
		t.Errorf("error %v, want ErrRule of line 3", err)
	}
	if _, err := ReadRules(strings.NewReader("\n" + strings.Repeat("x", 1<<17))); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("error %v, want one of line 2", err)
	}
	if _, err := NewRules(make([]Rule, MaxRules+1)); err == nil {
		t.Error("more than MaxRules are taken")
	}
}

func TestWhatARuleAllows(t *testing.T) {
	at := ns("2026-11-25T00:00:00Z")
	for name, c := range map[string]struct {
		rule     string
		src, dst string
		proto    capture.Proto
		port     uint16
		want     detect.KindSet
	}{
		"all fits":                    {full, "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 8050, detect.SetOf(detect.Horizontal)},
		"another source":              {full, "10.0.0.8", "10.1.2.3", capture.ProtoTCP, 22, 0},
		"another destination":         {full, "10.0.0.9", "11.0.0.1", capture.ProtoTCP, 22, 0},
		"another port":                {full, "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 23, 0},
		"just behind":                 {full, "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 8101, 0},
		"another protocol":            {"protocols=tcp reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoUDP, 22, 0},
		"ports leave ICMP out":        {"ports=8 reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoICMP, 8, 0},
		"no ports take ICMP in":       {"source=10.0.0.9 reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoICMP, 8, detect.AnyKind},
		"all of IPv6 is no IPv4":      {"source=::/0 reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 22, 0},
		"all of IPv4":                 {"source=0.0.0.0/0 reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 22, detect.AnyKind},
		"all of IPv4 is no IPv6":      {"source=0.0.0.0/0 reason=x", "2001:db8::1", "2001:db8::2", capture.ProtoTCP, 22, 0},
		"a prefix that ends in a bit": {"destination=10.0.0.128/25 reason=x", "10.0.0.9", "10.0.0.127", capture.ProtoTCP, 22, 0},
		"and holds the other half":    {"destination=10.0.0.128/25 reason=x", "10.0.0.9", "10.0.0.200", capture.ProtoTCP, 22, detect.AnyKind},
		"IPv6":                        {"source=2001:db8::/33 reason=x", "2001:db8:7fff::1", "::1", capture.ProtoTCP, 22, detect.AnyKind},
		"IPv6 longer than half":       {"source=2001:db8::8000:0/97 reason=x", "2001:db8::8fff:1", "::1", capture.ProtoTCP, 22, detect.AnyKind},
		"IPv6 longer, beyond":         {"source=2001:db8::8000:0/97 reason=x", "2001:db8::7fff:1", "::1", capture.ProtoTCP, 22, 0},
		"IPv6 of half":                {"source=2001:db8:0:1::/64 reason=x", "2001:db8:0:2::1", "::1", capture.ProtoTCP, 22, 0},
		"IPv6 beyond":                 {"source=2001:db8::/33 reason=x", "2001:db8:8000::1", "::1", capture.ProtoTCP, 22, 0},
		"before it expires":           {"source=10.0.0.9 until=2026-11-25T00:00:01Z reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 22, detect.AnyKind},
		"when it expires":             {"source=10.0.0.9 until=2026-11-25 reason=x", "10.0.0.9", "10.1.2.3", capture.ProtoTCP, 22, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := ParseRule(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			rules, err := NewRules([]Rule{r})
			if err != nil {
				t.Fatal(err)
			}
			if got := rules.Allows(addr(c.src), addr(c.dst), c.proto, c.port, at); got.Kinds != c.want {
				t.Errorf("allows %b, want %b", got.Kinds, c.want)
			}
		})
	}
}

func TestRulesAddUp(t *testing.T) {
	rules := readAll(t, "ports=22 kinds=vertical reason=a\nports=22 kinds=block reason=b\nports=23 kinds=block reason=c\nsource=10.0.0.9 reason=d")
	for port, want := range map[uint16]detect.KindSet{22: detect.SetOf(detect.Vertical) | detect.SetOf(detect.Block), 23: detect.SetOf(detect.Block), 24: 0} {
		if got := rules.Allows(addr("10.0.0.1"), addr("10.0.0.2"), capture.ProtoTCP, port, 0); got.Kinds != want {
			t.Errorf("port %d: allows %b, want %b", port, got.Kinds, want)
		}
	}
	if got := rules.Allows(addr("10.0.0.9"), addr("10.0.0.2"), capture.ProtoTCP, 22, 0); got != (detect.Allowance{Kinds: detect.AnyKind, Reason: "a"}) {
		t.Errorf("%+v, want any kind because of a", got)
	}
}

func readAll(t *testing.T, text string) *Rules {
	t.Helper()
	list, err := ReadRules(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := NewRules(list)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestExpiryIsSaidOnce(t *testing.T) {
	rules := readAll(t, "ports=1 until=2027-01-02 reason=later\nports=2 until=2027-01-01 reason=sooner\nports=3 reason=never")
	said := func(at string) string {
		var reasons []string
		for _, r := range rules.Expired(ns(at)) {
			reasons = append(reasons, r.Reason)
		}
		return strings.Join(reasons, " ")
	}
	for _, c := range []struct{ at, want string }{
		{"2026-12-31T23:59:59Z", ""}, {"2027-01-01T00:00:00Z", "sooner"}, {"2027-01-01T00:00:00Z", ""},
		{"2026-01-01T00:00:00Z", ""}, {"2030-01-01T00:00:00Z", "later"}, {"2031-01-01T00:00:00Z", ""},
	} {
		if got := said(c.at); got != c.want {
			t.Errorf("at %s %q is said to have expired, want %q", c.at, got, c.want)
		}
	}
}

func TestAskingAllocatesNothing(t *testing.T) {
	rules := readAll(t, full+"\nsource=10.0.0.0/8 ports=1-10 reason=x")
	src, dst := addr("10.0.0.9"), addr("10.1.2.3")
	if n := testing.AllocsPerRun(100, func() { rules.Allows(src, dst, capture.ProtoTCP, 99, 0) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkAllows asks rules that are each about another host.
func BenchmarkAllows(b *testing.B) {
	for _, n := range []int{10, 100, MaxRules} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			list := make([]Rule, n)
			for i := range list {
				list[i] = Rule{Source: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 200, byte(i >> 8), byte(i)}), 32), Kinds: detect.AnyKind}
			}
			rules, err := NewRules(list)
			if err != nil {
				b.Fatal(err)
			}
			src, dst := addr("10.0.0.9"), addr("10.1.2.3")
			for b.Loop() {
				rules.Allows(src, dst, capture.ProtoTCP, 22, 0)
			}
		})
	}
}

func TestThresholds(t *testing.T) {
	for text, want := range map[string]struct {
		d    detect.Direction
		at   uint32
		says string
	}{
		"inbound=0.9999": {d: detect.Inbound, at: 65530},
		"outbound=1":     {d: detect.Outbound, at: detect.One},
		"internal=off":   {d: detect.Internal, at: detect.One + 1},
		"transit=0":      {d: detect.Transit},
		"=0.9":           {says: "want inbound, outbound"},
		"upward=0.9":     {says: `"upward=0.9": want inbound`},
		"inbound":        {says: `inbound: "" is no probability`},
		"inbound=99":     {says: `inbound: "99" is no probability`},
		"inbound=NaN":    {says: `"NaN" is no probability`},
	} {
		d, at, err := ParseThreshold(text)
		if want.says != "" {
			if err == nil || !strings.Contains(err.Error(), want.says) {
				t.Errorf("%s: error %v, want %q", text, err, want.says)
			}
		} else if err != nil || d != want.d || at != want.at {
			t.Errorf("%s: %v %d, %v; want %v %d", text, d, at, err, want.d, want.at)
		}
	}
}

func TestNetworks(t *testing.T) {
	n := NewNetworks(Private())
	for text, want := range map[string]bool{"10.255.0.1": true, "11.0.0.1": false, "172.31.0.1": true, "172.32.0.1": false, "192.168.1.1": true, "fe80::1": true, "fd00::1": true, "2001:db8::1": false, "::1": false} {
		if n.Hold(addr(text)) != want {
			t.Errorf("%s inside: %v, want %v", text, !want, want)
		}
	}
}

// FuzzParseRule wants every text refused with ErrRule, or read as a rule whose
// own text reads as the same.
func FuzzParseRule(f *testing.F) {
	for _, seed := range []string{full, `reason="\"" ports=1-2,4`, "source=::/0 reason=x", `kinds=block reason=a"b`, "until=2027-01-01T00:00:00.5Z source=::1 reason=\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err != nil {
			if !errors.Is(err, ErrRule) {
				t.Fatalf("error %v is no ErrRule", err)
			}
			return
		}
		again, err := ParseRule(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q is written as %q, and that read as %q, %v", text, r, again, err)
		}
		list, err := ReadRules(strings.NewReader(r.String() + "\n"))
		if err != nil || len(list) != 1 {
			t.Fatalf("%q is no line of a file: %v", r, err)
		}
	})
}
