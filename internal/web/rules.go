package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"edgescan/internal/policy"
)

// ErrRule is the error for a rule that is not there to be removed.
var ErrRule = errors.New("there is no such rule")

// Rules are those that readers make: in a file of one a line, as policy.ReadRules reads
// it, or in memory where there is no Path. It is safe for concurrent use.
//
// What is written is a line at the end, and a # before a line that is removed, so that no
// failure and no loss of power costs another rule: for that, lines begin with a blank.
// The file can be edited, and replaced, by others.
type Rules struct {
	Path string

	mu   sync.Mutex
	kept []byte // what would be in the file
}

// maxRules is how large the file may be, in bytes.
const maxRules = 1 << 20

// errHandWritten is why a line is not removed.
var errHandWritten = errors.New("it begins without a blank, so that somebody else wrote it: remove it there, and send SIGHUP")

// Read returns the rules.
func (r *Rules) Read() ([]policy.Rule, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := r.read()
	if err != nil {
		return nil, err
	}
	rules, err := policy.ReadRules(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Path, err)
	}
	return rules, nil
}

func (r *Rules) read() ([]byte, error) {
	if r.Path == "" {
		return r.kept, nil
	}
	f, err := os.Open(r.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRules+1))
	if err == nil && len(text) > maxRules {
		err = fmt.Errorf("%s: larger than %d bytes: no rules", r.Path, maxRules)
	}
	return text, err
}

// Add adds rules, all of them or none.
func (r *Rules) Add(rules []policy.Rule) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := r.read()
	if err != nil {
		return err
	}
	var lines strings.Builder
	if len(text) > 0 && text[len(text)-1] != '\n' {
		lines.WriteByte('\n')
	}
	for _, rule := range rules {
		fmt.Fprintf(&lines, " %s\n", rule)
	}
	if len(text)+lines.Len() > maxRules {
		return fmt.Errorf("the rules would be larger than %d bytes: remove some", maxRules)
	}
	return r.write(len(text), lines.String())
}

// Remove removes a rule, which is given as Rule's String writes it.
func (r *Rules) Remove(rule string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := r.read()
	if err != nil {
		return err
	}
	at := 0
	for line := range strings.Lines(string(text)) {
		if found, err := policy.ParseRule(line); err == nil && found.String() == rule {
			if line[0] != ' ' {
				return errHandWritten
			}
			return r.write(at, "#")
		}
		at += len(line)
	}
	return ErrRule
}

// write writes at a place, and has it last.
func (r *Rules) write(at int, text string) error {
	if r.Path == "" {
		r.kept = append(bytes.Clone(r.kept[:at]), text+string(r.kept[min(at+len(text), len(r.kept)):])...)
		return nil
	}
	f, err := os.OpenFile(r.Path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(text), int64(at))
	if err != nil {
		f.Truncate(int64(at)) // a line that is not whole would be no rule
	} else {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
