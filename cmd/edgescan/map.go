package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgescan/featurize"
	"edgescan/internal/alert"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
	"edgescan/internal/record"
)

// maxPanels is how many sources a contact sheet shows: the busiest.
const maxPanels = 48

func newMap() *cobra.Command {
	f := newStudyFlags()
	var source string
	cmd := &cobra.Command{
		Use:   "map (-r FILE | --flows FILE)... -o OUT.png",
		Short: "Draw what the sources of a capture touched",
		Example: `  edgescan map -r a.pcap -o all.png                    a small map of each
  edgescan map -r a.pcap --src 10.50.0.66 -o one.svg   hosts and ports of one
  edgescan map -r a.pcap --src 10.50.0.66 --at 07:19:08 -o then.png
  edgescan map --flows conn.log -o all.png             out of flows`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return drawMap(cmd.Context(), f, source) },
	}
	flags := cmd.Flags()
	f.add(flags, "PNG or SVG file to write, by its ending")
	flags.StringVar(&source, "src", "", "draw this source only, in full size: an address, or a prefix that was judged as a group")
	flags.Var(&f.at, "at", "draw the source as it stood at this time: 2026-11-23T07:19:08Z, 07:19:08 (UTC) of the first day, or +90s from the beginning (default: when most was seen)")
	return cmd
}

func drawMap(ctx context.Context, f *studyFlags, source string) (err error) {
	if f.out == "" {
		return usageError{errors.New("give a picture to write (-o), see 'edgescan map --help'")}
	}
	if f.wanted, err = parseSource(source); err != nil {
		return usageError{fmt.Errorf("--src: %w", err)}
	}
	if f.at.kind != never && source == "" {
		return usageError{errors.New("--at goes with --src")}
	}
	s, err := f.study(ctx, nil)
	if err != nil {
		return err
	}
	draw := func(w io.Writer) error { return s.sheet(w, formatOf(f.out)) }
	if source != "" {
		found, err := s.find(f.wanted)
		if err != nil {
			return err
		}
		draw = func(w io.Writer) error { return portrait(w, found, formatOf(f.out), true) }
	}
	if err := writeFile(f.out, draw); err != nil {
		return err
	}
	if s.unread != nil {
		return fmt.Errorf("the picture shows what came before: %w", s.unread)
	}
	return nil
}

// parseSource reads an address or a prefix; nothing is the zero Party.
func parseSource(text string) (record.Party, error) {
	if text == "" {
		return record.Party{}, nil
	}
	if p, err := netip.ParsePrefix(text); err == nil && !p.IsSingleIP() {
		return record.Party{Scope: featurize.Prefix, Prefix: p.Masked()}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return record.Party{}, err
	}
	return record.Host(a.Unmap()), nil
}

// formatOf returns the format that a file's ending asks for.
func formatOf(path string) picture.Format {
	if strings.EqualFold(filepath.Ext(path), ".svg") {
		return picture.SVG
	}
	return picture.PNG
}

// find returns what is known of a party.
func (s *study) find(p record.Party) (*record.Source, error) {
	switch found := s.recorder.Find(p); {
	case found != nil && found.Best.At != 0:
		return found, nil
	case p.Scope != featurize.Host:
		return nil, fmt.Errorf("the hosts of %s were not judged as a group", p)
	case s.watcher.until.kind != never:
		return nil, fmt.Errorf("%s touched nothing up to then", p)
	}
	return nil, fmt.Errorf("%s touched nothing", p)
}

// portrait draws the contacts of one source, with hosts and ports, and if asked for
// what the network sees of them.
func portrait(w io.Writer, s *record.Source, format picture.Format, withMap bool) error {
	options := picture.Options{Format: format, Title: title(s), Note: span(s.Best.Contacts), PortName: alert.PortName}
	if withMap {
		options.Map = &s.Best.Map
	}
	return picture.Contacts(w, s.Best.Drawable(), options)
}

// title names a source and how certain the network is of it.
func title(s *record.Source) string {
	score := s.Best.Score
	if len(s.Incidents) > 0 {
		for _, v := range s.Verdicts {
			score = max(score, v.Score)
		}
	}
	return fmt.Sprintf("%s  %d contacts, scan %.3f", s, len(s.Best.Contacts), float64(score)/detect.One)
}

// span says from when to when contacts began.
func span(contacts []record.Contact) string {
	if len(contacts) == 0 {
		return ""
	}
	byTime := func(a, b record.Contact) int { return cmp.Compare(a.First, b.First) }
	first, last := moment(slices.MinFunc(contacts, byTime).First).UTC(), moment(slices.MaxFunc(contacts, byTime).First).UTC()
	layout := time.TimeOnly
	if first.YearDay() != last.YearDay() || first.Year() != last.Year() {
		layout = time.DateTime
	}
	return fmt.Sprintf("contacts begun from %s to %s UTC", first.Format(time.DateTime), last.Format(layout))
}

func moment(at int64) time.Time { return time.Unix(0, at) }

// sheet draws small maps of the busiest sources; of groups of those that scan.
func (s *study) sheet(w io.Writer, format picture.Format) error {
	all := s.recorder.Named()
	for _, other := range s.recorder.Others() {
		if other.Scope == featurize.Host {
			all = append(all, other)
		}
	}
	slices.SortStableFunc(all, func(a, b *record.Source) int { return cmp.Compare(len(b.Best.Contacts), len(a.Best.Contacts)) })
	var panels []picture.Panel
	for _, one := range all[:min(len(all), maxPanels)] {
		panels = append(panels, picture.Panel{Title: title(one), Map: &one.Best.Map})
	}
	if len(panels) == 0 {
		return errors.New("there is no contact to draw")
	}
	return picture.Sheet(w, panels, picture.Options{Format: format})
}
