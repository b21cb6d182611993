//go:build !device

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/alert"
	"edgescan/internal/detect"
	"edgescan/internal/eval"
	"edgescan/internal/explain"
	"edgescan/internal/picture"
	"edgescan/internal/record"
	"edgescan/internal/report"
)

// Of how many sources a report has pictures.
const (
	maxCards      = 100 // named ones
	defaultOthers = 8   // others
)

func newReport() *cobra.Command {
	f := newStudyFlags()
	var others int
	cmd := &cobra.Command{
		Use:   "report (-r FILE | --flows FILE)... -o OUT.html",
		Short: "Write a page about a capture: its scans, their pictures, and what else was busy",
		Long:  `The page is one file, which needs no network and no script.`,
		Example: `  edgescan report -r capture.pcap.gz -o report.html
  edgescan report -r FOLDER -o report.html            the capture files in it
  edgescan report --flows conn.log -o report.html     flows`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeReport(cmd.Context(), f, others) },
	}
	flags := cmd.Flags()
	f.add(flags, "HTML file to write")
	flags.IntVar(&others, "others", defaultOthers, fmt.Sprintf("of how many sources that do not scan to show pictures, the busiest; at most %d", maxCards))
	flags.StringVar(&f.hosts, "hosts-file", "", "call sources by the names in this file, which is like /etc/hosts")
	flags.StringVar(&f.leases, "leases-file", "", "call sources by the names that DHCP clients gave themselves, as 'edgescan run --help' says")
	f.policy.add(flags)
	return cmd
}

// writeReport reads everything and writes the page, also about what could be read of
// files that are damaged.
func writeReport(ctx context.Context, f *studyFlags, others int) error {
	if f.out == "" {
		return usageError{errors.New("give a page to write (-o), see 'edgescan report --help'")}
	}
	if others < 0 || others > maxCards {
		return usageError{fmt.Errorf("--others %d: want 0 to %d", others, maxCards)}
	}
	s, err := f.study(ctx, simpleRules)
	if err != nil {
		return err
	}
	page, err := s.page(f, others)
	if err != nil {
		return err
	}
	return errors.Join(writeFile(f.out, page.Write), s.unread)
}

// simpleRules has a Recorder record what the simple rules say.
func simpleRules(r *record.Recorder) {
	for _, d := range eval.Rules() {
		r.AddRule(d.Name, func(named func(*featurize.Source, int64)) featurize.Observer {
			return eval.WatchRule(d.Rule(), named)
		})
	}
}

// page makes a page of what was found out.
func (s *study) page(f *studyFlags, others int) (*report.Page, error) {
	r, tracker := s.recorder, s.watcher.engine.Tracker()
	p := &report.Page{
		Capture:   strings.Join(baseNames(append(f.files, f.flows...)), ", "),
		Program:   "edgescan " + versionText(),
		Threshold: float64(s.threshold) / detect.One,
		Traffic:   report.Traffic{Start: moment(r.Traffic.Start), Width: time.Duration(r.Traffic.Width), Parts: r.Traffic.Buckets},
		Facts:     s.watcher.facts(),
		NotShown:  r.NotKept,
		Rules:     r.Rules(),
	}
	if r.Traffic.Width > 0 {
		p.From, p.To = moment(r.Traffic.Start), moment(tracker.CaptureTime(tracker.Now()))
	}
	if s.unread != nil {
		p.Problems = strings.Split(s.unread.Error(), "\n")
	}
	named, rest := r.Named(), r.Others()
	for _, source := range named {
		p.Scans = append(p.Scans, scans(source)...)
	}
	room := maxPictures
	var err error
	p.Named = len(named)
	if p.Sources, err = describe(named[:min(len(named), maxCards)], &room); err != nil {
		return nil, err
	}
	p.Others, err = describe(rest[:min(len(rest), others)], &room)
	return p, err
}

// maxPictures is what all pictures of a page may take in bytes, so that it can be
// sent by mail however much there was.
const maxPictures = 3 << 19

// describe tells what is known of sources, with pictures while there is room.
func describe(sources []*record.Source, room *int) (list []report.Source, err error) {
	for _, s := range sources {
		told := words(s)
		if *room > 0 {
			if err := addPictures(&told, s); err != nil {
				return nil, err
			}
			*room -= len(told.Plot) + 4*(len(told.PlotPNG)+len(told.Map))/3
		} else {
			told.Caption = "There are too many pictures on this page: see edgescan map."
		}
		list = append(list, told)
	}
	return list, nil
}

// baseNames returns files' names without their folders.
func baseNames(paths []string) (names []string) {
	for _, path := range paths {
		if path == "-" {
			path = "standard input"
		}
		names = append(names, filepath.Base(path))
	}
	return names
}

// facts tells of the whole capture.
func (w *watcher) facts() []report.Fact {
	stats := w.engine.Stats()
	var facts []report.Fact
	add := func(name string, n uint64) { facts = append(facts, report.Fact{Name: name, Value: fmt.Sprint(n)}) }
	if w.flows != nil {
		figures := w.flows.figures()
		add("Flow records", figures.logs.Records)
		add("Records that could not be read", figures.logs.Malformed)
	} else {
		add("Packets", w.total().Frames)
		if w.only != nil {
			add("Packets that the filter left out", w.reasons[capture.ReasonFiltered])
		}
		w.eachUndecoded(func(r capture.Reason, n uint64) { add("Packets not decoded, "+r.String(), n) })
	}
	add("Sources", stats.Sources)
	add("Contacts", stats.Contacts)
	add("Scans", stats.Incidents)
	add("Scans that rules allow", stats.Allowed)
	add("Looks", stats.Looks)
	add("Sources forgotten for want of memory", stats.EvictedSources)
	add("Contacts forgotten for want of memory", stats.EvictedContacts)
	return facts
}

// scans tells of a source's incidents.
func scans(s *record.Source) (list []report.Scan) {
	for i := range s.Incidents {
		e := &s.Incidents[i].Latest
		targets, ports := alert.Targets(*e)
		list = append(list, report.Scan{
			Source: s.String(), Kind: string(e.Kind), What: targets, Ports: ports,
			Start: moment(e.FirstSeen), End: moment(e.LastSeen),
			Contacts: e.Contacts, Answered: e.Answered, Refused: e.Refused, Silent: e.Silent, Odd: e.Odd,
			Score: e.Score, Line: alert.Line(*e), Allowed: e.Allowed,
		})
	}
	return list
}

// words tells what is known of a source without pictures.
func words(s *record.Source) report.Source {
	out := report.Source{Name: s.String(), Caption: "What it touched: hosts by address, ports by number", Counts: counts(s.Best.Contacts)}
	for _, v := range s.Verdicts {
		out.Verdicts = append(out.Verdicts, report.Verdict{At: moment(v.At), Score: float64(v.Score) / detect.One})
	}
	if len(s.Incidents) > 0 {
		out.Named = moment(s.Incidents[0].First.Time)
	}
	for _, at := range s.Rules {
		var named time.Time
		if at != 0 {
			named = moment(at)
		}
		out.Rules = append(out.Rules, named)
	}
	return out
}

// addPictures draws what a source touched, and what the network saw of it.
func addPictures(to *report.Source, s *record.Source) (err error) {
	if to.Map, err = draw(func(w io.Writer) error { return picture.Draw(w, &s.Best.Map, picture.Options{}) }); err != nil {
		return err
	}
	to.Plot, to.PlotPNG, err = plot(s)
	return err
}

// draw returns what is drawn.
func draw(picture func(io.Writer) error) ([]byte, error) {
	var drawn bytes.Buffer
	err := picture(&drawn)
	return drawn.Bytes(), err
}

// maxSVG is the largest plot in bytes that is put on the page as SVG, whose text
// can be read and found. Larger ones are smaller as PNG.
const maxSVG = 10 << 10

// plot draws what a source touched.
func plot(s *record.Source) (svg template.HTML, png []byte, err error) {
	drawn, err := draw(func(w io.Writer) error { return portrait(w, s, picture.SVG, false) })
	if err != nil || len(drawn) <= maxSVG {
		return template.HTML(drawn), nil, err
	}
	png, err = draw(func(w io.Writer) error { return portrait(w, s, picture.PNG, false) })
	return "", png, err
}

// counts counts what the pictures of a source show.
func counts(contacts []record.Contact) []report.Fact {
	hosts, ports := map[netip.Addr]bool{}, map[explain.Port]bool{}
	var outcomes [featurize.ChannelPending + 1]int
	for _, c := range contacts {
		hosts[c.Host] = true
		if c.Proto.HasPorts() {
			ports[explain.Port{Proto: c.Proto, Number: c.Port}] = true
		}
		outcomes[c.Channel]++
	}
	facts := []report.Fact{{Name: "Contacts", Value: fmt.Sprint(len(contacts))}, {Name: "Hosts", Value: fmt.Sprint(len(hosts))}, {Name: "Ports", Value: fmt.Sprint(len(ports))}}
	for _, o := range []struct {
		name string
		n    int
	}{{"Answered", outcomes[featurize.ChannelAnswered] + outcomes[featurize.ChannelProductive]},
		{"Refused", outcomes[featurize.ChannelRefused]},
		{"Silent", outcomes[featurize.ChannelSilent] + outcomes[featurize.ChannelPending]},
		{"Odd", outcomes[featurize.ChannelOdd]},
	} {
		facts = append(facts, report.Fact{Name: o.name, Value: fmt.Sprint(o.n)})
	}
	return facts
}
