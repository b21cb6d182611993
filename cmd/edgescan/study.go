package main

import (
	"context"
	"runtime"

	"github.com/spf13/pflag"

	"edgescan/internal/confine"
	"edgescan/internal/record"
)

// studyFlags are the flags of the commands that look closely at files: some of run.
type studyFlags struct {
	*runFlags
	out    string // the file that they write
	at     instant
	wanted record.Party // whom they are about; zero: everyone
}

func newStudyFlags() *studyFlags {
	f := &studyFlags{runFlags: newRunFlags()}
	f.workers, f.config, f.fold = min(2, runtime.GOMAXPROCS(0)), &configuration{}, 0
	return f
}

func (f *studyFlags) add(flags *pflag.FlagSet, outUsage string) {
	flags.StringArrayVarP(&f.files, "read", "r", nil, "capture file or folder to read, - for standard input; may be repeated")
	flags.StringArrayVar(&f.flows, "flows", nil, "log of flows to read, - for standard input; may be repeated")
	flags.Var(&f.filter, "filter", filterUsage+"tcpdump -ddd -r FILE EXPRESSION")
	flags.StringVarP(&f.out, "out", "o", "", outUsage)
	flags.StringVar(&f.model, "model", "", "model file to use in place of the built-in one")
}

// study is what was found out about files.
type study struct {
	watcher   *watcher
	recorder  *record.Recorder
	threshold uint32
	unread    error // what could not be read: it is about what came before
}

// study reads the files to their end, or up to an instant. Rules add what else is to be
// recorded; may be nil.
func (f *studyFlags) study(ctx context.Context, rules func(*record.Recorder)) (*study, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	judge, threshold, err := openModel(f.model, f.ofFlows())
	if err != nil {
		return nil, err
	}
	log := newLogger()
	policy, err := f.policy.load(log, threshold, nil)
	if err != nil {
		return nil, err
	}
	r, w := record.New(judge, f.wanted), &watcher{log: log, workers: f.workers, until: f.at}
	if rules != nil {
		rules(r)
	}
	w.words = f.worded(false, log, r.Event)
	w.engine, err = r.NewEngine(f.engineConfig(threshold, policy), w.words.take)
	if err != nil {
		return nil, err
	}
	s := &study{watcher: w, recorder: r, threshold: threshold}
	s.unread = w.bring(ctx, f.runFlags, func() error {
		confineFiles(log, confine.Access{Write: outputFolders(f.out)})
		return nil
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s, s.end(f)
}

// end ends the reading.
func (s *study) end(f *studyFlags) error {
	w, r := s.watcher, s.recorder
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.until.check(); err != nil {
		return usageError{err}
	}
	tracker := w.engine.Tracker()
	if w.engine.Stats().Packets > 0 {
		r.Traffic.Count(tracker.CaptureTime(tracker.Now()), w.engine.Stats().Packets)
	}
	if w.until.kind != never {
		r.Peek(f.wanted)
	}
	w.end()
	if s.unread != nil && w.engine.Stats().Packets == 0 {
		return s.unread
	}
	r.Finish()
	return nil
}
