package main

import (
	"strings"
	"testing"
)

func TestEvalEvasion(t *testing.T) {
	r := edgescan(t, nil, "eval", "--evasion", "--evasion-scenes", "1")
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	for _, want := range []string{"vertical: ", "horizontal: ", "probes answered", "decoys", "sources", "browsing"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	if r := edgescan(t, nil, "eval", "--evasion", "--evasion-scenes", "0"); r.code != exitUsage {
		t.Errorf("no scenes: exit %d: %s", r.code, r.stderr)
	}
}
