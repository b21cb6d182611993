// Package gallery keeps pictures of incidents in a folder: a PNG for each, under a
// name that says when, who and which, the latest ones only.
//
// Views of incidents come in, files go out, drawn on a goroutine of its own: who
// hands one over never waits. Other files in the folder are left alone.
package gallery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"edgescan/internal/alert"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
	"edgescan/internal/record"
)

// ErrBusy is what Put returns where too many pictures wait to be drawn.
var ErrBusy = errors.New("too many pictures at once")

// maxWaiting is how many pictures may wait to be drawn.
const maxWaiting = 32

// ownNames are those of the files that a Gallery makes and removes.
var ownNames = regexp.MustCompile(`^\d{8}T\d{6}Z-[0-9a-z.-]+-[0-9a-f]{16}\.png$`)

// Gallery is a folder of pictures.
type Gallery struct {
	// Patient has Put wait where ErrBusy would be returned: for incidents of files,
	// which come faster than they are drawn and lose nothing by waiting.
	Patient bool

	folder string
	keep   int
	failed func(error)
	names  []string // of files, the oldest first
	jobs   chan job
	done   chan struct{}
}

// job is a picture to be drawn.
type job struct {
	name  string
	title string
	note  string
	view  record.View
}

// Open returns a Gallery of at most keep pictures, those that are in the folder
// included. Failed is told, from another goroutine, of what could not be written.
func Open(folder string, keep int, failed func(error)) (*Gallery, error) {
	entries, err := os.ReadDir(folder) // sorted
	if err != nil {
		return nil, fmt.Errorf("folder of pictures: %w", err)
	}
	probe, err := os.CreateTemp(folder, ".probe-*") // now, not when there is a scan to draw
	if err != nil {
		return nil, fmt.Errorf("folder of pictures: %w", err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, fmt.Errorf("folder of pictures: %w", err)
	}
	g := &Gallery{folder: folder, keep: keep, failed: failed, jobs: make(chan job, maxWaiting), done: make(chan struct{})}
	for _, e := range entries {
		if ownNames.MatchString(e.Name()) {
			g.names = append(g.names, e.Name())
		}
	}
	go g.work()
	return g, nil
}

// Put has the picture of an incident drawn, in place of the one that was drawn of it
// before, and returns the path of its file.
func (g *Gallery) Put(e *detect.Event, evidence *detect.Look) (path string, err error) {
	who := strings.Map(safe, e.Source.Netip().String())
	if e.Scope.Group() {
		who += fmt.Sprintf("-%d", e.Prefix.Bits())
	}
	j := job{
		name: fmt.Sprintf("%s-%s-%016x.png", time.Unix(0, e.FirstSeen).UTC().Format("20060102T150405Z"), who, e.ID),
		view: record.See(evidence),
	}
	j.title, j.note = record.Captions(who, e)
	path = filepath.Join(g.folder, j.name)
	if g.Patient {
		g.jobs <- j
		return path, nil
	}
	select {
	case g.jobs <- j:
		return path, nil
	default:
		return "", ErrBusy
	}
}

// safe leaves what every file system takes.
func safe(r rune) rune {
	if r == ':' {
		return '-'
	}
	return r
}

// Close draws what waits. Nothing may be put in after it.
func (g *Gallery) Close() {
	close(g.jobs)
	<-g.done
}

func (g *Gallery) work() {
	defer close(g.done)
	for j := range g.jobs {
		if err := g.draw(&j); err != nil {
			g.failed(fmt.Errorf("picture: %w", err))
		}
	}
}

// draw writes a picture, whole or not at all, and removes those that are too many.
func (g *Gallery) draw(j *job) error {
	var png bytes.Buffer
	if err := draw(&png, j); err != nil {
		return err
	}
	unfinished := filepath.Join(g.folder, "."+j.name)
	err := os.WriteFile(unfinished, png.Bytes(), 0o640)
	if err == nil {
		err = os.Rename(unfinished, filepath.Join(g.folder, j.name))
	}
	if err != nil {
		os.Remove(unfinished)
		return err
	}
	if at, found := slices.BinarySearch(g.names, j.name); !found {
		g.names = slices.Insert(g.names, at, j.name)
	}
	var failed error
	for len(g.names) > g.keep {
		if err := os.Remove(filepath.Join(g.folder, g.names[0])); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = err
		}
		g.names = g.names[1:]
	}
	return failed
}

func draw(w io.Writer, j *job) error {
	return picture.Contacts(w, j.view.Drawable(), picture.Options{Title: j.title, Note: j.note, PortName: alert.PortName, Map: &j.view.Map})
}
