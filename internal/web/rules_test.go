package web

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgescan/internal/policy"
)

func rule(t testing.TB, text string) policy.Rule {
	t.Helper()
	r, err := policy.ParseRule(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func texts(t *testing.T, r *Rules) (list []string) {
	t.Helper()
	rules, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range rules {
		list = append(list, one.String())
	}
	return list
}

func TestRulesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules")
	byHand := "# the operator's\nsource=10.0.0.1 reason=\"by hand\"" // and no line end
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	a, b, hand := rule(t, `source=10.0.0.2 ports=22 reason="say \"why\""`), rule(t, `source=2001:db8::/32 kinds=block reason=because`), rule(t, `source=10.0.0.1 reason="by hand"`)
	for name, r := range map[string]*Rules{"file": {Path: path}, "memory": {kept: []byte(byHand)}} {
		if err := r.Add([]policy.Rule{a, b}); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, r); !slices.Equal(got, []string{hand.String(), a.String(), b.String()}) {
			t.Errorf("%s: after two were added: %q", name, got)
		}
		if err := r.Remove(a.String()); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, r); !slices.Equal(got, []string{hand.String(), b.String()}) {
			t.Errorf("%s: after one was removed: %q", name, got)
		}
		if err := r.Remove(a.String()); !errors.Is(err, ErrRule) {
			t.Errorf("%s: removed twice: %v", name, err)
		}
		if err := r.Remove(hand.String()); !errors.Is(err, errHandWritten) {
			t.Errorf("%s: what was written by hand: %v", name, err)
		}
		if err := r.Add(slices.Repeat([]policy.Rule{a}, maxRules/20)); err == nil || len(texts(t, r)) != 2 {
			t.Errorf("%s: too many: %v", name, err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), byHand+"\n#source=10.0.0.2 ") {
		t.Errorf("%v, the file holds\n%s", err, text)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r := &Rules{Path: path}
	for _, err := range []error{r.Add([]policy.Rule{a}), r.Remove(a.String())} {
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without its file: %v", err)
		}
	}
}
