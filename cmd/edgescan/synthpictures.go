//go:build !device

package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edgescan/featurize"
	"edgescan/internal/alert"
	"edgescan/internal/dataset"
	"edgescan/internal/picture"
	"edgescan/internal/record"
	"edgescan/internal/synth"
)

// maxSynthPictures is how many pictures one call writes at most.
const maxSynthPictures = 100_000

// maxBarren is how many scenes without a picture may follow each other.
const maxBarren = 200

// seedPicture is the latest look at a source of a scene, and what it is.
type seedPicture struct {
	record.Party
	view  record.View
	class int
	tool  string
}

// folder returns where pictures of a class go.
func (p *seedPicture) folder() string {
	if p.class == 0 {
		return "benign"
	}
	return "scan"
}

// writePictures writes count labelled pictures of the sources of scenes, those of a
// seed and the following ones, to folder/scan and folder/benign, and what each shows
// to folder/labels.csv.
func writePictures(ctx context.Context, folder string, seed uint64, count int, opt synth.Options) error {
	for _, class := range []string{"scan", "benign"} {
		if err := os.MkdirAll(filepath.Join(folder, class), 0o755); err != nil {
			return err
		}
	}
	rows := [][]string{{"file", "class", "behaviour", "contacts", "window_s"}}
	for barren := 0; len(rows) <= count; seed++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if barren++; barren > maxBarren {
			return fmt.Errorf("%d pictures, and then none of %d scenes: nothing in them is ever looked at", len(rows)-1, maxBarren)
		}
		pictures, err := sourcesOf(synth.Generate(seed, opt))
		if err != nil {
			return err
		}
		for _, p := range pictures[:min(len(pictures), count+1-len(rows))] {
			name := fmt.Sprintf("%s/%s-%d-%s.png", p.folder(), p.tool, seed, strings.ReplaceAll(p.Prefix.Addr().String(), ":", "-"))
			if err := writeFile(filepath.Join(folder, name), p.draw); err != nil {
				return err
			}
			window := featurize.Windows[p.view.Window] / 1e9
			barren = 0
			rows = append(rows, []string{name, dataset.Classes[p.class], p.tool, fmt.Sprint(len(p.view.Contacts)), fmt.Sprint(window)})
		}
	}
	return writeFile(filepath.Join(folder, "labels.csv"), func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}

// sourcesOf returns the pictures of a scene's sources, in the order of their
// addresses.
func sourcesOf(s *synth.Scene) ([]*seedPicture, error) {
	latest := map[record.Party]*seedPicture{}
	err := dataset.Play(s, dataset.Packets, nil, func(sample *dataset.Sample) {
		if sample.Class != dataset.Unclear && sample.Tool != "" && sample.Look.Scope == featurize.Host {
			p := record.Party{Scope: featurize.Host, Prefix: sample.Look.Prefix()}
			latest[p] = &seedPicture{p, record.See(sample.Look), sample.Class, sample.Tool}
		}
	})
	return slices.SortedFunc(maps.Values(latest), func(a, b *seedPicture) int { return a.Prefix.Compare(b.Prefix) }), err
}

// draw draws what a person sees, and below it what the network does.
func (p *seedPicture) draw(w io.Writer) error {
	return picture.Contacts(w, p.view.Drawable(), picture.Options{
		Title:    fmt.Sprintf("%s: %s, %s", dataset.Classes[p.class], p.tool, p.Party),
		Note:     span(p.view.Contacts),
		PortName: alert.PortName,
		Map:      &p.view.Map,
	})
}
