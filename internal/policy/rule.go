package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// ErrRule is the error of a text that is no rule.
var ErrRule = errors.New("not a rule")

// Rule allows contacts. What it leaves out is any.
type Rule struct {
	Source      netip.Prefix // not valid: any
	Destination netip.Prefix // not valid: any
	Ports       []PortRange  // in order and apart; none: any, and protocols without ports
	Protocols   []capture.Proto
	Kinds       detect.KindSet // detect.AnyKind where the rule names none
	Until       int64          // packet time, nanoseconds since 1970 UTC; 0: for ever
	Reason      string
}

// PortRange is the ports from First to Last.
type PortRange struct{ First, Last uint16 }

// maxReason is how long a reason may be, in bytes.
const maxReason = 200

// protocols are those that a rule can name.
var protocols = []capture.Proto{capture.ProtoTCP, capture.ProtoUDP, capture.ProtoICMP, capture.ProtoICMPv6, capture.ProtoARP}

var allKinds = []detect.Kind{detect.Vertical, detect.Horizontal, detect.Block}

// keys are those of a rule's text, with what reads their values.
var keys = []struct {
	name string
	set  func(*Rule, string) error
}{
	{"source", func(r *Rule, v string) (err error) { r.Source, err = ParsePrefix(v); return err }},
	{"destination", func(r *Rule, v string) (err error) { r.Destination, err = ParsePrefix(v); return err }},
	{"ports", (*Rule).setPorts},
	{"protocols", (*Rule).setProtocols},
	{"kinds", (*Rule).setKinds},
	{"until", (*Rule).setUntil},
	{"reason", (*Rule).setReason},
}

// ParseRule reads a rule such as
//
//	source=10.0.0.9 destination=10.0.0.0/8 ports=22,8000-8100 protocols=tcp kinds=horizontal until=2027-01-01 reason="the monitoring host"
//
// Keys may come in any order, each once. All may be left out but the reason,
// and one that says what is allowed. Errors are ErrRule; they name the key and
// quote what is wrong with it.
func ParseRule(text string) (Rule, error) {
	r := Rule{Kinds: detect.AnyKind}
	given := map[string]bool{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		name, value, left, err := cutPair(rest)
		if err != nil {
			return Rule{}, fmt.Errorf("%w: %w", ErrRule, err)
		}
		if err := r.set(name, value, given); err != nil {
			return Rule{}, fmt.Errorf("%w: %w", ErrRule, err)
		}
		rest = left
	}
	switch {
	case len(given) == 0:
		return Rule{}, fmt.Errorf("%w: it is empty, want as source=10.0.0.9 reason=\"the monitoring host\"", ErrRule)
	case !given["reason"]:
		return Rule{}, fmt.Errorf("%w: reason is missing: add reason=\"why this is allowed\"", ErrRule)
	case !r.narrow():
		return Rule{}, fmt.Errorf("%w: it would allow everything: add a source, destination, ports, protocols or kinds", ErrRule)
	}
	return r, nil
}

// narrow reports whether the rule leaves something out.
func (r *Rule) narrow() bool {
	return r.Source.IsValid() || r.Destination.IsValid() || len(r.Ports)+len(r.Protocols) > 0 || r.Kinds != detect.AnyKind
}

// cutPair cuts key=value off a text that begins with it. The value may be in
// double quotes, within which a backslash makes the next byte be itself.
func cutPair(text string) (name, value, rest string, err error) {
	word := text
	if end := strings.IndexAny(text, " \t"); end >= 0 {
		word = text[:end]
	}
	name, value, found := strings.Cut(word, "=")
	switch {
	case !found:
		return "", "", "", fmt.Errorf("%s is no key=value; a value with blanks goes in double quotes", quote(word))
	case strings.HasPrefix(value, `"`):
		value, rest, err = cutQuoted(text[len(name)+2:])
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return name, value, rest, err
	}
	return name, value, text[len(word):], nil
}

// cutQuoted cuts a value off a text that begins behind its opening quote.
func cutQuoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == '"':
			if rest = text[i+1:]; rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return "", "", fmt.Errorf("%s follows the closing quote without a blank", quote(rest))
			}
			return b.String(), rest, nil
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf("the quote before %s is not closed", quote(text))
}

// set sets what a key says, if it is one and was not given before.
func (r *Rule) set(name, value string, given map[string]bool) error {
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
		if k.name != name {
			continue
		}
		if given[name] {
			return fmt.Errorf("%s is given twice, the second time as %s", name, quote(value))
		}
		given[name] = true
		if err := k.set(r, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("unknown key %s, want one of %s", quote(name), strings.Join(names, ", "))
}

func (r *Rule) setPorts(value string) error {
	for _, item := range strings.Split(value, ",") {
		from, to, isRange := strings.Cut(item, "-")
		if !isRange {
			to = from
		}
		first, err := parsePort(from)
		if err != nil {
			return err
		}
		last, err := parsePort(to)
		if err != nil {
			return err
		}
		if first > last {
			return fmt.Errorf("%s goes backwards", quote(item))
		}
		r.Ports = append(r.Ports, PortRange{first, last})
	}
	r.Ports = Join(r.Ports)
	return nil
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%s is no port, want numbers of 0 to 65535 as 22,80 or 8000-8100", quote(text))
	}
	return uint16(n), nil
}

// Join returns ranges in order, with those that touch made one.
func Join(ranges []PortRange) []PortRange {
	slices.SortFunc(ranges, func(a, b PortRange) int { return int(a.First) - int(b.First) })
	joined := ranges[:0]
	for _, p := range ranges {
		if n := len(joined); n > 0 && int(p.First) <= int(joined[n-1].Last)+1 {
			joined[n-1].Last = max(joined[n-1].Last, p.Last)
		} else {
			joined = append(joined, p)
		}
	}
	return joined
}

func (r *Rule) setProtocols(value string) error {
	for _, item := range strings.Split(value, ",") {
		i := slices.IndexFunc(protocols, func(p capture.Proto) bool { return p.String() == item })
		if i < 0 {
			return fmt.Errorf("%s is no protocol, want of %s", quote(item), list(protocols))
		}
		r.Protocols = append(r.Protocols, protocols[i])
	}
	slices.Sort(r.Protocols)
	r.Protocols = slices.Compact(r.Protocols)
	return nil
}

func (r *Rule) setKinds(value string) error {
	r.Kinds = 0
	for _, item := range strings.Split(value, ",") {
		k := detect.SetOf(detect.Kind(item))
		if k == 0 {
			return fmt.Errorf("%s is no kind, want of vertical, horizontal, block", quote(item))
		}
		r.Kinds |= k
	}
	return nil
}

// lastYear is the last whose nanoseconds since 1970 an int64 can count.
const lastYear = 2261

func (r *Rule) setUntil(value string) error {
	at, err := time.Parse(time.DateOnly, value)
	if err != nil {
		at, err = time.Parse(time.RFC3339, value)
	}
	if err != nil {
		return fmt.Errorf("%s is no date, want as 2027-01-01 (when that day begins, UTC) or 2027-01-01T18:00:00+01:00", quote(value))
	}
	if year := at.UTC().Year(); year < 1971 || year > lastYear {
		return fmt.Errorf("%s is not of the years 1971 to %d", quote(value), lastYear)
	}
	r.Until = at.UnixNano()
	return nil
}

func (r *Rule) setReason(value string) error {
	err := CheckReason(value)
	if err == nil {
		r.Reason = value
	}
	return err
}

// CheckReason says what is wrong with a reason, nil if nothing is.
func CheckReason(value string) error {
	switch {
	case strings.TrimSpace(value) == "":
		return errors.New("it is empty, say why this is allowed")
	case len(value) > maxReason:
		return fmt.Errorf("%s is longer than %d bytes", quote(value), maxReason)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, func(c rune) bool { return !unicode.IsPrint(c) }):
		return fmt.Errorf("%s has characters that cannot be printed", quote(value))
	}
	return nil
}

// String returns the rule as ParseRule reads it.
func (r Rule) String() string {
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	add("source", prefixText(r.Source))
	add("destination", prefixText(r.Destination))
	add("ports", list(r.Ports))
	add("protocols", list(r.Protocols))
	if r.Kinds != detect.AnyKind {
		add("kinds", list(slices.DeleteFunc(slices.Clone(allKinds), func(k detect.Kind) bool { return !r.Kinds.Has(k) })))
	}
	if r.Until != 0 {
		add("until", untilText(r.Until))
	}
	add("reason", `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(r.Reason)+`"`)
	return strings.Join(words, " ")
}

// String returns a port, or two with a hyphen.
func (p PortRange) String() string {
	if p.First == p.Last {
		return strconv.Itoa(int(p.First))
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

func list[T any](items []T) string {
	var words []string
	for _, item := range items {
		words = append(words, fmt.Sprint(item))
	}
	return strings.Join(words, ",")
}

// prefixText writes a host as its address, and nothing for any.
func prefixText(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return ""
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

func untilText(ns int64) string {
	at := time.Unix(0, ns).UTC()
	if at.Equal(at.Truncate(24 * time.Hour)) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339Nano)
}

// quote quotes what somebody wrote, or its beginning.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		return strconv.Quote(text[:most]) + "..."
	}
	return strconv.Quote(text)
}
