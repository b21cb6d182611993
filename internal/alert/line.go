package alert

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// Line returns e as one readable line without a line end, such as
//
//	2026-11-23 01:06:02 scan start 10.50.0.66 vertical: 12 tcp ports of 10.60.0.5 in 3 s, 4 a second (3 answered, 9 refused), ports ssh 22, http 80, score 0.998, flow 1:LQU9qZlK+B5F3KDmev6m5PMibrg=
//
// The time is capture time in UTC, the span from the first contact to the
// latest; when that began is said where it is longer ago than the line's own
// time would have one think. The flow is the Community ID of an example. The
// line is printable ASCII.
func Line(e detect.Event) string {
	return time.Unix(0, e.Time).UTC().Format(time.DateTime) + " " + message(e)
}

// message is Line without the time, which syslog carries in its header.
func message(e detect.Event) string {
	if isSummary(e) {
		return summaryMessage(e.Folded)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "scan %s %s %s: %s in %s", stateWord(e.State), who(e), kindWord(e.Kind), extent(e), elapsed(e.LastSeen-e.FirstSeen))
	if p := pace(e.Contacts, e.LastSeen-e.FirstSeen); p != "" {
		fmt.Fprintf(&b, ", %s", p)
	}
	if o := outcomes(e); o != "" {
		fmt.Fprintf(&b, " (%s)", o)
	}
	if p := portList(e); p != "" {
		fmt.Fprintf(&b, ", %s", p)
	}
	if s := since(e); s != "" {
		fmt.Fprintf(&b, ", since %s", s)
	}
	if e.Direction != detect.Undirected {
		fmt.Fprintf(&b, ", %s", e.Direction)
	}
	fmt.Fprintf(&b, ", score %s", strconv.FormatFloat(probability(e.Score), 'f', -1, 64))
	if id := communityID(e.Flow); id != "" {
		fmt.Fprintf(&b, ", flow %s", id)
	}
	return b.String()
}

// pace says how fast contacts came, in the largest unit that gives a whole
// number of them, or nothing where they came too fast to say, or too few.
func pace(contacts int, ns int64) string {
	if contacts < 2 || ns < int64(time.Second) {
		return ""
	}
	perSecond := float64(contacts-1) / time.Duration(ns).Seconds()
	for _, unit := range []struct {
		seconds float64
		name    string
	}{{1, "a second"}, {60, "a minute"}, {3600, "an hour"}, {86400, "a day"}} {
		if n := math.Round(perSecond * unit.seconds); n >= 1 {
			return fmt.Sprintf("%.0f %s", n, unit.name)
		}
	}
	return ""
}

// tellSince is how long before a line's time a scan must have begun for the
// line to say when.
const tellSince = int64(time.Minute)

// since says when a scan began, with the date where that is another one than
// the line's, or nothing where it was a moment ago.
func since(e detect.Event) string {
	if e.FirstSeen >= e.Time || uint64(e.Time)-uint64(e.FirstSeen) <= uint64(tellSince) {
		return ""
	}
	first, now := time.Unix(0, e.FirstSeen).UTC(), time.Unix(0, e.Time).UTC()
	if first.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return first.Format(time.TimeOnly)
	}
	return first.Format(time.DateTime)
}

// who names the source; of a group how many there are, and some of them.
func who(e detect.Event) string {
	g := groupOf(e)
	if g == nil {
		address := e.Source.Netip().String()
		if name := cleanName(e.Name); name != "" {
			return fmt.Sprintf("%s (%s)", address, name)
		}
		return address
	}
	of := "many"
	if g.srcPrefix != "" {
		of = g.srcPrefix
	}
	such := ""
	if len(g.members) > 0 {
		such = " such as " + strings.Join(g.members, ", ")
	}
	return fmt.Sprintf("%s (%s%s)", of, plural(e.Sources, "source"), such)
}

// Who says in printable ASCII who scans: an address, with a name if there is one, or
// how many there are.
func Who(e detect.Event) string { return who(e) }

// Targets says in words what was tried, and on which ports, both of which are
// printable ASCII.
func Targets(e detect.Event) (targets, ports string) { return extent(e), portList(e) }

// extent says how many ports of how many hosts were tried. Where there were
// ports, protocols without any are not named: most often they are the ARP and
// echo requests that come before.
func extent(e detect.Event) string {
	ported := withPorts(e.Protocols)
	if len(ported) == 0 && len(e.Protocols) > 0 {
		return fmt.Sprintf("%s by %s", hosts(e), strings.Join(protocolNames(e.Protocols), "/"))
	}
	noun := strings.TrimSpace(strings.Join(protocolNames(ported), "/") + " port")
	if e.Kind == detect.Horizontal {
		return fmt.Sprintf("%s on %s", hosts(e), plural(e.Ports, noun))
	}
	return fmt.Sprintf("%s of %s", plural(e.Ports, noun), hosts(e))
}

// hosts names the host if it is one, else how many they are and an example.
func hosts(e detect.Event) string {
	if e.Hosts == 1 {
		return e.Example.Netip().String()
	}
	return fmt.Sprintf("%s such as %s", plural(e.Hosts, "host"), e.Example.Netip())
}

// withPorts returns those of the protocols that have ports.
func withPorts(protocols []capture.Proto) []capture.Proto {
	var ported []capture.Proto
	for _, p := range protocols {
		if p.HasPorts() {
			ported = append(ported, p)
		}
	}
	return ported
}

// outcomes lists how the contacts were answered, without those that are none.
func outcomes(e detect.Event) string {
	var parts []string
	for _, o := range []struct {
		count int
		word  string
	}{{e.Answered, "answered"}, {e.Refused, "refused"}, {e.Silent, "silent"}, {e.Odd, "odd"}} {
		if o.count != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", o.count, o.word))
		}
	}
	return strings.Join(parts, ", ")
}

// portList names the ports most contacted, with an ellipsis if there were more.
func portList(e detect.Event) string {
	var names []string
	for _, p := range topPorts(e.TopPorts) {
		names = append(names, PortName(p))
	}
	if len(names) == 0 {
		return ""
	}
	if e.Ports > len(names) {
		names = append(names, "...")
	}
	if len(names) == 1 {
		return "port " + names[0]
	}
	return "ports " + strings.Join(names, ", ")
}

// elapsed writes a duration in nanoseconds to two units at most.
func elapsed(ns int64) string {
	d := time.Duration(max(ns, 0))
	switch {
	case d < time.Millisecond:
		return "under 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
