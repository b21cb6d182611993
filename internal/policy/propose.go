package policy

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// proposalDays is for how long a proposed rule applies.
const proposalDays = 90

// Proposal collects incidents, and makes rules of them for an operator to
// review. The zero Proposal is ready for use.
type Proposal struct {
	found map[string]*finding
	first int64 // packet time of the first contact and the latest event
	last  int64
	more  int // findings that there was no room for
}

// finding is what incidents have in common that one set of rules allows.
type finding struct {
	event     detect.Event // the latest
	targets   netip.Prefix // of all
	protocols []capture.Proto
	incidents int
	contacts  int
	hosts     int // the most
	ports     int
}

func newFinding(e detect.Event) *finding {
	f := &finding{event: e, targets: e.Targets, protocols: slices.Clone(e.Protocols)}
	slices.Sort(f.protocols)
	return f
}

// Add takes an event. Only the ends of incidents count, which tell all.
func (p *Proposal) Add(e detect.Event) {
	if e.State != detect.End {
		return
	}
	if p.found == nil {
		p.found = map[string]*finding{}
		p.first = e.FirstSeen
	}
	p.first, p.last = min(p.first, e.FirstSeen), max(p.last, e.Time)
	f := newFinding(e)
	key := fmt.Sprint(e.Scope, e.Prefix, e.Kind, f.protocols, f.rulePorts())
	if old := p.found[key]; old != nil {
		old.targets = cover(old.targets, e.Targets)
		f = old
	} else if len(p.found) == MaxRules/2 { // of which each makes two rules at most
		p.more++
		return
	} else {
		p.found[key] = f
	}
	f.incidents++
	f.contacts += e.Contacts
	f.hosts, f.ports = max(f.hosts, e.Hosts), max(f.ports, e.Ports)
}

// cover returns the least prefix that holds two, an invalid one where there is
// none.
func cover(a, b netip.Prefix) netip.Prefix {
	if !a.IsValid() || !b.IsValid() || a.Addr().Is4() != b.Addr().Is4() {
		return netip.Prefix{}
	}
	bits := min(a.Bits(), b.Bits())
	for !netip.PrefixFrom(a.Addr(), bits).Contains(b.Addr()) {
		bits--
	}
	return netip.PrefixFrom(a.Addr(), bits).Masked()
}

// rulePorts returns the ports that a rule has to name, nil where they are none
// or more than an event lists.
func (f *finding) rulePorts() []PortRange {
	var ranges []PortRange
	if f.event.Ports <= len(f.event.TopPorts) {
		for _, port := range f.event.TopPorts {
			ranges = append(ranges, PortRange{port, port})
		}
	}
	return Join(ranges)
}

// doubt says why a finding is not proposed, but left to be uncommented; nothing
// where it may be a service that somebody runs: few ports, from inside.
func (f *finding) doubt() string {
	switch e := &f.event; {
	case e.Scope == featurize.Target:
		return "it comes from many sources"
	case e.Scope.Group():
		return "it comes from all over a prefix"
	case e.Direction == detect.Inbound || e.Direction == detect.Transit:
		return "it comes from outside"
	case e.Ports > 0 && f.rulePorts() == nil:
		return "it tries more ports than a service has"
	}
	return ""
}

// Allowing returns rules that allow what an incident is: no more than it tried, and, the
// wider one, whatever its source scans, or whatever scans its one destination.
func Allowing(e detect.Event, until int64, reason string) (narrow []Rule, wide Rule) {
	for _, r := range newFinding(e).rules(until) {
		r.Reason = reason
		narrow = append(narrow, r)
	}
	wide = Rule{Source: e.Prefix, Kinds: detect.AnyKind, Until: until, Reason: reason}
	if e.Scope == featurize.Target {
		wide.Source, wide.Destination = netip.Prefix{}, e.Prefix
	}
	return narrow, wide
}

// rules returns what allows a finding: protocols with ports and those without
// need a rule each.
func (f *finding) rules(until int64) []Rule {
	e := &f.event
	r := Rule{Source: e.Prefix, Destination: f.targets, Kinds: detect.AnyKind, Until: until, Reason: f.reason()}
	if e.Scope == featurize.Target {
		r.Source = netip.Prefix{}
	}
	with, without := r, r
	for _, p := range f.protocols {
		if p.HasPorts() {
			with.Protocols = append(with.Protocols, p)
		} else {
			without.Protocols = append(without.Protocols, p)
		}
	}
	var rules []Rule
	if len(with.Protocols) > 0 {
		if with.Ports = f.rulePorts(); with.Ports == nil {
			with.Kinds = detect.SetOf(e.Kind)
		}
		rules = append(rules, with)
	}
	if len(without.Protocols) > 0 {
		rules = append(rules, without)
	}
	return rules
}

// reason says what was seen.
func (f *finding) reason() string {
	on := ""
	switch ports := f.rulePorts(); {
	case len(ports) > 0:
		on = " on port " + list(ports)
	case f.ports > 0:
		on = fmt.Sprintf(" on %d ports", f.ports)
	}
	return fmt.Sprintf("seen by tune: %s, %s%s by %s", plural(f.incidents, string(f.event.Kind)+" scan"), plural(f.hosts, "host"), on, list(f.protocols))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Write writes the rules, most frequent first, as ReadRules reads them: what
// had better not be allowed as comments. They expire some time after now, or
// after the latest packet if that is later.
func (p *Proposal) Write(w io.Writer, now time.Time) error {
	if len(p.found) == 0 {
		_, err := fmt.Fprintln(w, "# Nothing was named: there is nothing to allow.")
		return err
	}
	var b strings.Builder
	stamp := func(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04") }
	fmt.Fprintf(&b, "# Proposed by edgescan tune of what it saw from %s to %s UTC.\n", stamp(p.first), stamp(p.last))
	fmt.Fprintf(&b, "# Review each rule: a scanner that nobody knows of is proposed as well. Say why in the reason.\n")
	until := max(now.UnixNano(), p.last)
	until = time.Unix(0, until).UTC().Truncate(24*time.Hour).AddDate(0, 0, proposalDays).UnixNano()
	for _, f := range p.sorted() {
		prefix := ""
		if doubt := f.doubt(); doubt != "" {
			fmt.Fprintf(&b, "# Not proposed, for %s:\n", doubt)
			prefix = "# "
		}
		for _, r := range f.rules(until) {
			fmt.Fprintf(&b, "%s%s\n", prefix, r)
		}
	}
	if p.more > 0 {
		fmt.Fprintf(&b, "# There were more scans than rules could be made of: %d.\n", p.more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sorted returns the findings, those that are proposed first, of which the most
// frequent.
func (p *Proposal) sorted() []*finding {
	var keys []string
	for key := range p.found {
		keys = append(keys, key)
	}
	doubtful := func(f *finding) int { return min(len(f.doubt()), 1) }
	slices.SortFunc(keys, func(x, y string) int {
		a, b := p.found[x], p.found[y]
		return cmp.Or(cmp.Compare(doubtful(a), doubtful(b)), cmp.Compare(b.incidents, a.incidents), cmp.Compare(b.contacts, a.contacts), cmp.Compare(x, y))
	})
	var sorted []*finding
	for _, key := range keys {
		sorted = append(sorted, p.found[key])
	}
	return sorted
}
