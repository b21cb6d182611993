//go:build !device

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/alert"
	"edgescan/internal/confine"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
	"edgescan/internal/record"
	"edgescan/internal/report"
)

// Of how many sources a report has pictures.
const (
	maxCards      = 100 // named ones
	defaultOthers = 8   // others
)

// reportFlags are the flags of report: those of run for files, and its own.
type reportFlags struct {
	*runFlags
	out    string
	others int
}

func newReport() *cobra.Command {
	f := reportFlags{runFlags: newRunFlags()}
	f.workers, f.config = min(2, runtime.GOMAXPROCS(0)), &configuration{}
	cmd := &cobra.Command{
		Use:   "report (-r FILE | --flows FILE)... -o OUT.html",
		Short: "Write a page about a capture: its scans, their pictures, and what else was busy",
		Long: `Write a page about a capture: its scans, their pictures, and what else was busy.
The page is one file, which needs no network and no script.`,
		Example: `  edgescan report -r capture.pcap.gz -o report.html
  edgescan report -r FOLDER -o report.html            the capture files in it
  edgescan report --flows conn.log -o report.html     flows`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeReport(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.files, "read", "r", nil, "capture file or folder to read, - for standard input; may be repeated")
	flags.StringArrayVar(&f.flows, "flows", nil, "log of flows to read, - for standard input; may be repeated")
	flags.Var(&f.filter, "filter", filterUsage+"see 'edgescan run --help'")
	flags.StringVarP(&f.out, "out", "o", "", "HTML file to write")
	flags.IntVar(&f.others, "others", defaultOthers, fmt.Sprintf("of how many sources that do not scan to show pictures, the busiest; at most %d", maxCards))
	flags.StringVar(&f.model, "model", "", "model file to use in place of the built-in one")
	flags.StringVar(&f.hosts, "hosts-file", "", "call sources by the names in this file, which is like /etc/hosts")
	flags.StringVar(&f.leases, "leases-file", "", "call sources by the names that DHCP clients gave themselves, as 'edgescan run --help' says")
	f.policy.add(flags)
	return cmd
}

// writeReport reads everything and writes the page, also about what could be read of
// files that are damaged.
func writeReport(ctx context.Context, f reportFlags) error {
	if f.out == "" {
		return usageError{errors.New("give a page to write (-o), see 'edgescan report --help'")}
	}
	if f.others < 0 || f.others > maxCards {
		return usageError{fmt.Errorf("--others %d: want 0 to %d", f.others, maxCards)}
	}
	if err := f.check(); err != nil {
		return err
	}
	log := newLogger()
	judge, threshold, err := openModel(f.model)
	if err != nil {
		return err
	}
	policy, err := f.policy.load(log, threshold, nil)
	if err != nil {
		return err
	}
	recorder := record.New(judge)
	w := &watcher{log: log, workers: f.workers}
	w.words = f.worded(false, log, func(e *detect.Event) { recorder.Event(e, w.engine.Evidence()) })
	w.engine, err = detect.NewEngine(detect.Config{
		Memory:    f.engineMemory(),
		Key:       featurize.DefaultKey,
		Secret:    randomKey(),
		Threshold: threshold,
		Policy:    policy,
		Observer:  recorder,
		Tick:      func(now int64) { recorder.Traffic.Count(now, w.engine.Stats().Packets) },
	}, recorder, w.words.take)
	if err != nil {
		return err
	}
	readErr := w.bring(ctx, f.runFlags, func() error {
		confineFiles(log, confine.Access{Write: outputFolders(f.out)})
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	page, err := w.page(f, recorder, float64(threshold)/detect.One, readErr)
	if err != nil {
		return errors.Join(readErr, err)
	}
	return errors.Join(writeFile(f.out, page.Write), readErr)
}

// errNothingRead is where there is nothing to tell.
var errNothingRead = errors.New("nothing was read, so that no page was written")

// page ends the reading and makes a page of what was recorded.
func (w *watcher) page(f reportFlags, r *record.Recorder, threshold float64, problems error) (*report.Page, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
	tracker, stats := w.engine.Tracker(), w.engine.Stats()
	if stats.Packets == 0 && problems != nil {
		return nil, errNothingRead
	}
	r.Traffic.Count(tracker.CaptureTime(tracker.Now()), stats.Packets)
	r.Finish(tracker)
	p := &report.Page{
		Capture:   strings.Join(baseNames(append(f.files, f.flows...)), ", "),
		Program:   "edgescan " + versionText(),
		Threshold: threshold,
		Traffic:   report.Traffic{Start: moment(r.Traffic.Start), Width: time.Duration(r.Traffic.Width), Parts: r.Traffic.Buckets},
		Facts:     w.facts(stats),
		NotShown:  r.NotKept,
		Rules:     r.Rules(),
	}
	if stats.Packets > 0 {
		p.From, p.To = moment(r.Traffic.Start), moment(tracker.CaptureTime(tracker.Now()))
	}
	if problems != nil {
		p.Problems = strings.Split(problems.Error(), "\n")
	}
	for i, s := range r.Named() {
		p.Scans = append(p.Scans, scans(s)...)
		if i < maxCards {
			if err := addSource(&p.Sources, s, threshold); err != nil {
				return nil, err
			}
		}
	}
	others := r.Others()
	for _, s := range others[:min(len(others), f.others)] {
		if err := addSource(&p.Others, s, threshold); err != nil {
			return nil, err
		}
	}
	return p, nil
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

func moment(at int64) time.Time { return time.Unix(0, at) }

// facts tells of the whole capture.
func (w *watcher) facts(stats detect.Stats) []report.Fact {
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

// addSource adds what is known of a source to a list.
func addSource(list *[]report.Source, s *record.Source, threshold float64) error {
	out := report.Source{Name: s.String()}
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
	out.Counts = counts(s.Best.Contacts)
	var err error
	if out.Map, err = draw(func(w io.Writer) error { return picture.Draw(w, &s.Best.Map, picture.Options{}) }); err != nil {
		return err
	}
	out.Caption, out.Plot, out.PlotPNG, err = plot(s)
	*list = append(*list, out)
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
func plot(s *record.Source) (caption string, svg template.HTML, png []byte, err error) {
	contacts := make([]picture.Contact, len(s.Best.Contacts))
	first, last := int64(math.MaxInt64), int64(0)
	for i, c := range s.Best.Contacts {
		contacts[i] = c.Contact
		first, last = min(first, c.First), max(last, c.First)
	}
	caption = fmt.Sprintf("Contacts begun from %s to %s", moment(first).UTC().Format(time.DateTime), moment(last).UTC().Format(time.TimeOnly))
	if len(contacts) == 0 {
		caption = "No contacts are remembered"
	}
	options := picture.Options{Format: picture.SVG, Title: s.String(), PortName: alert.PortName}
	drawn, err := draw(func(w io.Writer) error { return picture.Contacts(w, contacts, options) })
	if err != nil || len(drawn) <= maxSVG {
		return caption, template.HTML(drawn), nil, err
	}
	options.Format = picture.PNG
	png, err = draw(func(w io.Writer) error { return picture.Contacts(w, contacts, options) })
	return caption, "", png, err
}

// counts counts what the pictures of a source show.
func counts(contacts []record.Contact) []report.Fact {
	hosts, ports := map[any]bool{}, map[any]bool{}
	var outcomes [featurize.ChannelPending + 1]int
	for _, c := range contacts {
		hosts[c.Host] = true
		if c.Proto == capture.ProtoTCP || c.Proto == capture.ProtoUDP {
			ports[[2]uint16{uint16(c.Proto), c.Port}] = true
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
