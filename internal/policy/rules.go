package policy

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// MaxRules is how many rules there may be. All are asked for each new contact.
const MaxRules = 1000

// Rules are the rules of one operator.
type Rules struct {
	rules []compiled
	next  int64 // when the next one expires that was not told
}

// compiled is a Rule in the form that is quick to ask.
type compiled struct {
	Rule
	source, destination block
	told                bool // that it has expired
}

// never is later than all packets.
const never = int64(1<<63 - 1)

// NewRules returns rules, the order of which decides only whose reason is given.
func NewRules(rules []Rule) (*Rules, error) {
	if len(rules) > MaxRules {
		return nil, fmt.Errorf("%d rules are too many, at most %d: one prefix allows many hosts", len(rules), MaxRules)
	}
	set := &Rules{}
	for _, r := range rules {
		set.rules = append(set.rules, compiled{Rule: r, source: newBlock(r.Source), destination: newBlock(r.Destination)})
	}
	set.next = set.nextExpiry()
	return set, nil
}

// ReadRules reads one rule a line. Empty lines, and those that begin with #,
// are passed over. Errors name the line.
func ReadRules(from io.Reader) ([]Rule, error) {
	var rules []Rule
	lines := bufio.NewScanner(from)
	number := 0
	for lines.Scan() {
		number++
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		r, err := ParseRule(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		rules = append(rules, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number+1, err)
	}
	return rules, nil
}

// Len returns how many rules there are.
func (s *Rules) Len() int { return len(s.rules) }

// Allows says what a contact that is made at a packet time is allowed to be a
// part of: what one of the rules that match it says, and any kind where one
// names none.
func (s *Rules) Allows(src, dst capture.Addr, proto capture.Proto, port uint16, at int64) detect.Allowance {
	var a detect.Allowance
	from, to := newAddress(&src), newAddress(&dst)
	for i := range s.rules {
		r := &s.rules[i]
		if !r.source.holds(&from) || !r.destination.holds(&to) || !r.takes(proto, port) || r.expired(at) {
			continue
		}
		if a.Kinds == 0 {
			a.Reason = r.Reason
		}
		if a.Kinds |= r.Kinds; a.Kinds == detect.AnyKind {
			break
		}
	}
	return a
}

// takes reports whether protocol and port are among the rule's. A rule that
// names ports is about protocols that have them.
func (r *compiled) takes(proto capture.Proto, port uint16) bool {
	if len(r.Protocols) > 0 && !slices.Contains(r.Protocols, proto) {
		return false
	}
	if len(r.Ports) == 0 {
		return true
	}
	return proto.HasPorts() &&
		slices.ContainsFunc(r.Ports, func(p PortRange) bool { return p.First <= port && port <= p.Last })
}

func (r *compiled) expired(at int64) bool { return r.Until != 0 && at >= r.Until }

// Expired returns the rules that apply no longer at a packet time and were not
// returned before.
func (s *Rules) Expired(at int64) []Rule {
	if at < s.next {
		return nil
	}
	var ended []Rule
	for i := range s.rules {
		if r := &s.rules[i]; !r.told && r.expired(at) {
			r.told = true
			ended = append(ended, r.Rule)
		}
	}
	s.next = s.nextExpiry()
	return ended
}

func (s *Rules) nextExpiry() int64 {
	next := never
	for i := range s.rules {
		if r := &s.rules[i]; !r.told && r.Until != 0 {
			next = min(next, r.Until)
		}
	}
	return next
}
