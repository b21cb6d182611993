package eval

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
)

func host(n int) capture.Addr {
	a := capture.AddrFrom(netip.MustParseAddr("10.0.0.0"))
	binary.BigEndian.PutUint16(a[14:], uint16(n))
	return a
}

// contact makes one with a host's port.
func contact(h, port int, o featurize.Outcome) *featurize.Contact {
	return &featurize.Contact{Dst: host(h), Proto: capture.ProtoTCP, Port: uint16(port), Outcome: o}
}

// firstNamed feeds contacts a while apart and returns after how many the rule
// names the source, 0 for never.
func firstNamed(r Rule, apart time.Duration, contacts ...*featurize.Contact) int {
	for i, c := range contacts {
		if r.See(1, c, int64(i)*int64(apart)) {
			return i + 1
		}
	}
	return 0
}

func many(n int, f func(i int) *featurize.Contact) []*featurize.Contact {
	var all []*featurize.Contact
	for i := range n {
		all = append(all, f(i))
	}
	return all
}

func TestThreshold(t *testing.T) {
	hosts := many(60, func(i int) *featurize.Contact { return contact(i, 80, featurize.Refused) })
	ports := many(60, func(i int) *featurize.Contact { return contact(1, i, featurize.Silent) })
	answered := many(60, func(i int) *featurize.Contact { return contact(i, 80, featurize.Answered) })
	udp := many(60, func(i int) *featurize.Contact {
		c := contact(i, 80, featurize.Refused)
		c.Proto = capture.ProtoUDP
		return c
	})
	for _, c := range []struct {
		name     string
		rule     Rule
		apart    time.Duration
		contacts []*featurize.Contact
		want     int
	}{
		{"hosts", &Threshold{}, time.Second, hosts, 25},
		{"ports", &Threshold{}, time.Second, ports, 15},
		{"slow", &Threshold{}, time.Minute, hosts, 0},
		{"answered", &Threshold{}, time.Second, answered, 0},
		{"other protocols", &Threshold{}, time.Second, udp, 0},
		{"all protocols", &Threshold{AllProtocols: true}, time.Second, udp, 25},
		{"retries", &Threshold{}, time.Second, many(60, func(int) *featurize.Contact { return contact(1, 80, featurize.Refused) }), 0},
	} {
		if got := firstNamed(c.rule, c.apart, c.contacts...); got != c.want {
			t.Errorf("%s: named after %d, want %d", c.name, got, c.want)
		}
	}
}

// TestTRW checks the number of steps to either bound against the paper's
// formula: with its parameters each failure is a factor of 4 and the bound 99.
func TestTRW(t *testing.T) {
	failed := func(i int) *featurize.Contact { return contact(i, 80, featurize.Refused) }
	for _, c := range []struct {
		name     string
		rule     Rule
		contacts []*featurize.Contact
		want     int
	}{
		{"failures on new hosts", &TRW{}, many(20, failed), 4},
		{"one success between", &TRW{}, append(many(2, failed), append([]*featurize.Contact{contact(50, 80, featurize.Answered)}, many(20, func(i int) *featurize.Contact { return failed(i + 100) })...)...), 6},
		{"ports of one host", &TRW{}, many(20, func(i int) *featurize.Contact { return contact(1, i, featurize.Refused) }), 0},
		{"ports of one host, by contacts", &TRW{PerContact: true}, many(20, func(i int) *featurize.Contact { return contact(1, i, featurize.Refused) }), 4},
		{"as many successes", &TRW{}, many(40, func(i int) *featurize.Contact {
			if i%2 == 0 {
				return contact(i, 80, featurize.Answered)
			}
			return failed(i)
		}), 0},
	} {
		if got := firstNamed(c.rule, time.Second, c.contacts...); got != c.want {
			t.Errorf("%s: named after %d, want %d", c.name, got, c.want)
		}
	}
}
