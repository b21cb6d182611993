package detect

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/quant"
)

// shipped returns an engine with the shipped network.
func shipped(t *testing.T) (*Engine, *[]Event) {
	t.Helper()
	n, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	judge, err := NewNetwork(n)
	if err != nil {
		t.Fatal(err)
	}
	events := &[]Event{}
	e, err := NewEngine(Config{
		Memory:    DefaultMemory,
		Key:       featurize.DefaultKey,
		Threshold: n.Threshold(),
	}, judge, func(ev *Event) { *events = append(*events, *ev) })
	if err != nil {
		t.Fatal(err)
	}
	return e, events
}

func at(prefix string, n int) capture.Addr {
	a := capture.AddrFrom(netip.MustParseAddr(prefix))
	binary.BigEndian.PutUint16(a[14:], binary.BigEndian.Uint16(a[14:])+uint16(n))
	return a
}

// anywhere returns addresses that have no prefix in common.
func anywhere(n int) capture.Addr {
	a := capture.AddrFrom(netip.MustParseAddr("20.0.0.1"))
	binary.BigEndian.PutUint32(a[12:], 20<<24|uint32(n)*0x9e3779b1>>1)
	return a
}

// TestSpreadScanIsOneIncident spreads scans over sources, none of which does
// enough to be named, and expects one incident that says who it is.
func TestSpreadScanIsOneIncident(t *testing.T) {
	cases := []struct {
		name  string
		src   func(i int) capture.Addr
		dst   func(i int) capture.Addr
		port  func(i int) uint16
		scope featurize.Scope
		want  string
		kind  Kind
	}{
		{"a new IPv6 address for each probe", func(i int) capture.Addr { return at("2001:db8:66::", i) },
			func(int) capture.Addr { return at("2001:db8:1::", 5) }, func(i int) uint16 { return uint16(i + 1) },
			featurize.Prefix, "2001:db8:66::/64", Vertical},
		{"a new link for each probe", func(i int) capture.Addr {
			a := at("2001:db8:66::", 1)
			binary.BigEndian.PutUint16(a[6:], uint16(i))
			return a
		}, func(i int) capture.Addr { return at("2001:db8:1::", i) }, func(int) uint16 { return 23 },
			featurize.Prefix, "2001:db8:66::/48", Horizontal},
		{"scanners of an IPv4 prefix", func(i int) capture.Addr { return at("198.51.100.0", i%200) },
			func(i int) capture.Addr { return at("10.60.0.0", i) }, func(int) uint16 { return 445 },
			featurize.Prefix, "198.51.100.0/24", Horizontal},
		{"sources from everywhere on the ports of one host", anywhere,
			func(int) capture.Addr { return at("10.60.0.0", 5) }, func(i int) uint16 { return uint16(i + 1) },
			featurize.Target, "10.60.0.5/32", Vertical},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, events := shipped(t)
			for i := range 200 {
				probe(e, time.Duration(i)*200*time.Millisecond, c.src(i), c.dst(i), c.port(i))
			}
			e.Close()
			if got := states(*events); got != "se" {
				t.Fatalf("events %q, want a start and an end", got)
			}
			last := (*events)[1]
			if last.Scope != c.scope || last.Prefix.String() != c.want || last.Kind != c.kind {
				t.Errorf("%d %v %s, want %d %s %s", last.Scope, last.Prefix, last.Kind, c.scope, c.want, c.kind)
			}
			if last.Sources < 150 || len(last.Members) != maxMembers || !slices.Contains(membersOf(c.src), last.Members[0]) {
				t.Errorf("%d sources such as %v", last.Sources, last.Members)
			}
		})
	}
}

func membersOf(src func(int) capture.Addr) (all []capture.Addr) {
	for i := range 200 {
		all = append(all, src(i))
	}
	return all
}

// TestCrowdIsOneIncident has each address of a prefix do a scan of its own.
func TestCrowdIsOneIncident(t *testing.T) {
	for prefix, crowd := range map[string]int{"2001:db8:66::": crowd6, "198.51.100.0": crowd4} {
		e, events := newEngine(t, &counting{from: 8})
		for h := range 100 {
			for i := range 30 {
				probe(e, time.Duration(30*h+i)*20*time.Millisecond, at(prefix, h+1), at("2001:db8:1::", 5), uint16(i+1))
			}
		}
		e.Close()
		hosts, groups := 0, 0
		for _, ev := range *events {
			switch {
			case ev.State != Start:
			case ev.Scope == featurize.Prefix:
				groups++
			default:
				hosts++
			}
		}
		// The first one is not counted: there is no group of one.
		if hosts > crowd+1 || hosts < crowd || groups != 1 {
			t.Errorf("%s: %d incidents of hosts, %d of the prefix", prefix, hosts, groups)
		}
	}
}

// TestBackgroundIsNoScan has the Internet's ordinary noise come to a network,
// every address of it probed now and then by another stranger, for two hours;
// then a scan from as many sources stands out.
func TestBackgroundIsNoScan(t *testing.T) {
	e, events := shipped(t)
	ports := []uint16{23, 22, 445, 3389, 80, 8080, 5555, 2323, 1433, 5900, 6379, 8443, 81, 7547, 3306}
	for i := range 20_000 {
		probe(e, time.Duration(i)*360*time.Millisecond, anywhere(i), at("203.0.113.0", i*97%256), ports[i*i%len(ports)])
	}
	if len(*events) != 0 {
		t.Fatalf("noise gives %+v", (*events)[0])
	}
	for i := range 256 {
		probe(e, 2*time.Hour+time.Duration(i)*10*time.Millisecond, anywhere(50_000+i), at("203.0.113.0", i), 2222)
	}
	e.Close()
	if got := states(*events); got != "se" || (*events)[0].Scope != featurize.Target {
		t.Errorf("a distributed sweep on top gives %q", got)
	}
}

// TestRoutersMayAsk has a router keep its neighbours' addresses fresh all day,
// some of which are gone, and then a host ask for every address of the subnet.
func TestRoutersMayAsk(t *testing.T) {
	e, events := shipped(t)
	ask := func(after time.Duration, src capture.Addr, n int, answered bool) {
		dst := at("10.50.0.0", n)
		p := capture.Packet{Time: start + int64(after), Src: src, Dst: dst, Proto: capture.ProtoARP, Type: capture.ARPRequest, Group: true}
		e.Add(&p)
		if answered {
			e.Add(&capture.Packet{Time: p.Time + 1, Src: dst, Dst: src, Proto: capture.ProtoARP, Type: capture.ARPReply})
		}
	}
	router := at("10.50.0.0", 254)
	for round := range 24 * 60 {
		for n := range 12 {
			ask(time.Duration(round)*time.Minute+time.Duration(n)*700*time.Millisecond, router, 10+n, n%6 != 0)
		}
	}
	if len(*events) != 0 {
		t.Fatalf("the router is named: %+v", (*events)[0])
	}
	for n := range 253 {
		ask(24*time.Hour+time.Duration(n)*20*time.Millisecond, at("10.50.0.0", 66), n+1, n%20 == 0)
	}
	e.Close()
	if got := states(*events); got != "se" || (*events)[0].Source != at("10.50.0.0", 66) {
		t.Errorf("the sweep gives %q", got)
	}
}

// TestSlowScanIsOneIncident sends probes at the pace of nmap -T1 and -T0, of
// ten an hour and of one, for two days and for all ports of a favourite kind.
func TestSlowScanIsOneIncident(t *testing.T) {
	ports := []uint16{21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 993, 995, 1723, 3306, 3389, 5900, 8080}
	for _, gap := range []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 6 * time.Minute, time.Hour} {
		for _, horizontal := range []bool{false, true} {
			e, events := shipped(t)
			for i := range 48 {
				dst, port := at("10.60.0.0", 5), ports[i%len(ports)]+uint16(i/len(ports)*1000)
				if horizontal {
					dst, port = at("10.60.0.0", i+1), 23
				}
				probe(e, time.Duration(i)*gap, at("10.50.0.0", 66), dst, port)
			}
			e.Close()
			got := states(*events)
			if strings.Trim(got, "u") != got || strings.ReplaceAll(got, "u", "") != "se" {
				t.Errorf("a probe in %v, horizontal %v: events %q", gap, horizontal, got)
				continue
			}
			if n := (*events)[0].Contacts; n > 20 {
				t.Errorf("a probe in %v, horizontal %v: named after %d contacts", gap, horizontal, n)
			}
		}
	}
}
