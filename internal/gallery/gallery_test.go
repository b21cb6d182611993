package gallery

import (
	"errors"
	"image/png"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// evidence is a look at nothing.
func evidence(t *testing.T) *detect.Look {
	t.Helper()
	engine, err := detect.NewEngine(detect.Config{Memory: detect.MinMemory}, nil, func(*detect.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	return engine.Evidence()
}

// event is the start of a scan, of the nth second.
func event(n int, source string) *detect.Event {
	return &detect.Event{ID: uint64(n), Kind: detect.Vertical, Source: capture.AddrFrom(netip.MustParseAddr(source)), FirstSeen: int64(n) * 1e9}
}

// files lists a folder.
func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func noFailure(t *testing.T) func(error) { return func(err error) { t.Errorf("failed: %v", err) } }

func TestGalleryKeepsTheLatest(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "holiday.png"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for round := range 2 { // the second finds what the first left
		g, err := Open(folder, 3, noFailure(t))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			n := 5*round + i
			if _, err := g.Put(event(n, "10.0.0.1"), evidence(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Put(event(n, "10.0.0.1"), evidence(t)); err != nil { // again: the same file
				t.Fatal(err)
			}
		}
		g.Close()
		want := []string{"19700101T000002Z", "19700101T000003Z", "19700101T000004Z", "holiday.png"}
		if round == 1 {
			want = []string{"19700101T000007Z", "19700101T000008Z", "19700101T000009Z", "holiday.png"}
		}
		got := files(t, folder)
		for i := range want {
			if len(got) != len(want) || !strings.HasPrefix(got[i], want[i]) {
				t.Fatalf("round %d: files %v, want %v", round, got, want)
			}
		}
	}
}

func TestNamesAreSafeAndDrawn(t *testing.T) {
	folder := t.TempDir()
	g, err := Open(folder, 10, noFailure(t))
	if err != nil {
		t.Fatal(err)
	}
	prefix := event(2, "2001:db8:66::")
	prefix.Scope, prefix.Prefix = featurize.Prefix, netip.MustParsePrefix("2001:db8:66::/64")
	var paths []string
	for _, e := range []*detect.Event{event(1, "fe80::1"), prefix} {
		path, err := g.Put(e, evidence(t))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	g.Close()
	for i, want := range []string{"19700101T000001Z-fe80--1-0000000000000001.png", "19700101T000002Z-2001-db8-66---64-0000000000000002.png"} {
		if filepath.Base(paths[i]) != want || !ownNames.MatchString(want) {
			t.Errorf("%s, want %s", paths[i], want)
		}
		f, err := os.Open(paths[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}

func TestGalleryWithoutAFolder(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none"), 1, noFailure(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestAFolderThatGoesIsToldOf: what cannot be written is told, and does not stop the
// rest.
func TestAFolderThatGoesIsToldOf(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pictures")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	told := 0
	g, err := Open(folder, 1, func(error) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, err := g.Put(event(n, "10.0.0.1"), evidence(t)); err != nil {
			t.Fatal(err)
		}
	}
	g.Close()
	if told != 3 {
		t.Errorf("told %d times of three pictures", told)
	}
}
