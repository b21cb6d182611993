package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"edgescan/capture"
	"edgescan/internal/detect"
	"edgescan/internal/policy"
	"edgescan/internal/web"
)

// policyFlags are the flags that say what is of no interest.
type policyFlags struct {
	allow       []string
	allowFiles  []string
	showAllowed bool
	inside      []string
	thresholds  []string
	made        *web.Rules // on the page; nil: none can be
}

// inFiles reports whether rules are in files, which may change.
func (f *policyFlags) inFiles() bool {
	return len(f.allowFiles) > 0 || f.made != nil && f.made.Path != ""
}

// add adds the flags of run.
func (f *policyFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.allow, "allow", nil, `do not name scans that this rule allows, as 'source=10.0.0.9 destination=10.0.0.0/8 ports=22,80 protocols=tcp kinds=horizontal until=2027-01-01 reason="the monitoring host"'; all but the reason can be left out; may be repeated`)
	flags.StringArrayVar(&f.allowFiles, "allow-file", nil, "read such rules from a file, one a line; may be repeated")
	flags.BoolVar(&f.showAllowed, "show-allowed", false, "write allowed scans to --json as well, with the reason in allowed")
	flags.StringArrayVar(&f.thresholds, "threshold", nil, "name scans in a direction (inbound, outbound, internal, transit) only from a score on, as inbound=0.999, or never, as inbound=off; may be repeated")
	f.addInside(flags)
}

// addInside adds the flag that run and tune have.
func (f *policyFlags) addInside(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.inside, "inside", nil, "a network that is protected, beside those of this machine's interfaces if it watches any (default the private ranges); may be repeated")
}

// load makes the policy that the flags ask for. base is the model's threshold;
// own are the networks of this machine, nil where none of its interfaces is
// watched. It opens the files of rules, so that it is called while this is
// allowed. Errors are those of the command line.
func (f *policyFlags) load(log zerolog.Logger, base uint32, own *ownNetworks) (detect.Policy, error) {
	p, err := f.parse(log, base)
	if err != nil {
		return detect.Policy{}, usageError{err}
	}
	inside, err := f.networks()
	if err != nil {
		return detect.Policy{}, usageError{err}
	}
	p.Inside = func(a capture.Addr) bool { return inside.Hold(a) || own.hold(a) }
	return p, nil
}

// parse is load without what is inside.
func (f *policyFlags) parse(log zerolog.Logger, base uint32) (p detect.Policy, err error) {
	for _, text := range f.thresholds {
		d, threshold, err := policy.ParseThreshold(text)
		if err != nil {
			return p, fmt.Errorf("--threshold %w", err)
		}
		if threshold < base {
			return p, fmt.Errorf("--threshold %s is below the model's own of %.4f, with which it names few benign hosts: want at least that, or off", text, float64(base)/detect.One)
		}
		p.Thresholds[d] = threshold
	}
	rules, err := f.rules()
	if err != nil || rules.Len() == 0 {
		return p, err
	}
	p.Allows = func(src, dst capture.Addr, proto capture.Proto, port uint16, at int64) detect.Allowance {
		for _, r := range rules.Expired(at) {
			log.Warn().Stringer("rule", r).Msg("a rule has expired, what it allowed is named from now on")
		}
		return rules.Allows(src, dst, proto, port, at)
	}
	return p, nil
}

// rules reads all rules.
func (f *policyFlags) rules() (*policy.Rules, error) {
	var rules []policy.Rule
	for _, text := range f.allow {
		r, err := policy.ParseRule(text)
		if err != nil {
			return nil, fmt.Errorf("--allow: %w", err)
		}
		rules = append(rules, r)
	}
	for _, path := range f.allowFiles {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("--allow-file: %w", err)
		}
		more, err := policy.ReadRules(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("--allow-file %s: %w", path, err)
		}
		rules = append(rules, more...)
	}
	if f.made != nil {
		more, err := f.made.Read()
		if err != nil {
			return nil, fmt.Errorf("--web-rules: %w", err)
		}
		rules = append(rules, more...)
	}
	return policy.NewRules(rules)
}

// networks returns what is inside: what was given, or else the private ranges.
func (f *policyFlags) networks() (policy.Networks, error) {
	inside := policy.Private()
	if len(f.inside) > 0 {
		inside = nil
	}
	for _, text := range f.inside {
		p, err := policy.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--inside: %w", err)
		}
		inside = append(inside, p)
	}
	return policy.NewNetworks(inside), nil
}

// setPolicy replaces the policy while packets are read.
func (w *watcher) setPolicy(p detect.Policy) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.SetPolicy(p)
}
