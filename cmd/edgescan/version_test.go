package main

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"--version"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "edgescan version "+versionText()+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !bytes.HasSuffix(out.Bytes(), []byte(runtime.GOOS+"/"+runtime.GOARCH+"\n")) {
		t.Errorf("no platform in %q", out.String())
	}
}

func TestRevision(t *testing.T) {
	const commit = "f36c127d8a0b1c2d3e4f"
	for _, test := range []struct {
		name     string
		settings []debug.BuildSetting
		want     string
	}{
		{"unknown", nil, ""},
		{"clean", []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: "false"}}, " (f36c127d8a0b)"},
		{"changed", []debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: commit}}, " (f36c127d8a0b+)"},
		{"short", []debug.BuildSetting{{Key: "vcs.revision", Value: "f3"}}, " (f3)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := revision(test.settings); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
