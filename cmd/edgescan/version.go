package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is the release; the Makefile sets it (-X main.version).
var version = "devel"

// versionText is what --version prints behind the name: release, revision and
// platform, which are what a report of a fault has to say.
func versionText() string {
	text := version
	if info, ok := debug.ReadBuildInfo(); ok {
		text += revision(info.Settings)
	}
	return fmt.Sprintf("%s %s/%s", text, runtime.GOOS, runtime.GOARCH)
}

// revision returns " (REVISION)" with a plus sign behind it where the sources
// had been changed, or nothing where the build did not know.
func revision(settings []debug.BuildSetting) string {
	var commit, changed string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if commit == "" {
		return ""
	}
	return fmt.Sprintf(" (%s%s)", commit, changed)
}
