package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/internal/picture"
)

func TestPictureBelowEachLine(t *testing.T) {
	r := edgescan(t, nil, "run", "-r", sample, "--picture=ascii")
	for _, want := range []string{
		"scan start 10.50.0.66 vertical", "10.60.0.5 -xxxx\n", "          # productive 1  x refused 4  - pending 1\n",
		"scan end 10.50.0.67 horizontal", "# productive 1  x refused 25  . silent 39\n",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	if plain := edgescan(t, nil, "run", "-r", sample); strings.Contains(plain.stdout, "productive") {
		t.Errorf("nobody asked for a picture:\n%s", plain.stdout)
	}
}

func TestPictureOfEachScan(t *testing.T) {
	folder := t.TempDir()
	r := edgescan(t, nil, "run", "-r", sample, "--json", "-", "--picture-dir", folder)
	entries, err := os.ReadDir(folder)
	if r.code != 0 || err != nil || len(entries) != 3 {
		t.Fatalf("code %d, %v: %v: %s", r.code, entries, err, r.stderr)
	}
	for _, e := range entries {
		if n := strings.Count(r.stdout, `"picture":"`+filepath.Join(folder, e.Name())+`"`); n != 2 {
			t.Errorf("%s is named in %d lines, want 2", e.Name(), n)
		}
	}
}

// TestNoPictureOfAFileIsLost: a hundred scans end at once.
func TestNoPictureOfAFileIsLost(t *testing.T) {
	folder := t.TempDir()
	r := edgescan(t, nil, "run", "-r", write(t, "crowd.pcap", crowdOfScanners(t, 100, 60)), "--picture-dir", folder, "--picture-keep", "90")
	entries, err := os.ReadDir(folder)
	if r.code != 0 || err != nil || len(entries) != 90 || strings.Contains(r.stderr, "WRN") {
		t.Errorf("code %d, %v, %d pictures: %s", r.code, err, len(entries), r.stderr)
	}
}

func TestPictureInLettersThatTheTerminalHas(t *testing.T) {
	for _, c := range []struct {
		name, word, env string
		terminal        bool
		want            picture.TextStyle
	}{
		{"UTF-8 on a terminal", pictureAuto, "LANG=de_DE.UTF-8", true, picture.TextStyle{Colour: true}},
		{"into a file", pictureAuto, "LC_ALL=C.utf8", false, picture.TextStyle{}},
		{"no locale", pictureAuto, "TERM=xterm", true, picture.TextStyle{ASCII: true, Colour: true}},
		{"no colour", pictureUnicode, "NO_COLOR=1", true, picture.TextStyle{}},
		{"dumb", pictureASCII, "TERM=dumb", true, picture.TextStyle{ASCII: true}},
	} {
		f := newPictureFlags()
		f.style.word = c.word
		env := func(name string) string {
			value, _ := strings.CutPrefix(c.env, name+"=")
			if value == c.env {
				return ""
			}
			return value
		}
		if got := f.textStyle(env, c.terminal); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
