package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/rs/zerolog"

	"edgescan/internal/config"
)

// errRestart is what prepares a change says where it takes a restart, which does
// not keep other changes from being made.
var errRestart = errors.New("needs a restart")

// liveSetting is a change that a running program can make.
type liveSetting struct {
	keys []string // any of which make the change necessary

	// prepare readies all that may fail for new flags, whose values were checked, and
	// returns what then makes the change, which may not. It is called beside the
	// watcher: what the engine's events use is changed within watcher.mu. What it opened
	// it leaves open only where it returns no error, and undo closes it if another
	// change fails.
	prepare func(p *program, f *runFlags) (apply, undo func(), err error)
}

// liveSettings are all of them. The other keys need a restart.
var liveSettings = []liveSetting{
	{[]string{"json", "syslog"}, (*program).prepareSinks},
	{[]string{"allow", "allow-file", "inside", "threshold"}, (*program).preparePolicy},
}

// isLive reports whether a key's value can change while the program runs.
func isLive(key string) bool {
	return slices.ContainsFunc(liveSettings, func(s liveSetting) bool { return slices.Contains(s.keys, key) })
}

// program is what runs and can be changed.
type program struct {
	flags   *runFlags // in force
	log     zerolog.Logger
	watcher *watcher
	sinks   *delivery
	page    *livePage
	notify  *notifier
	end     context.CancelFunc // ends the program as Ctrl-C does

	threshold uint32       // the model's
	own       *ownNetworks // of this machine, nil where no interface is watched

	hangups  chan os.Signal
	requests chan func()   // changes that readers of the page ask for
	stopped  chan struct{} // closed when nothing is reloaded any more
}

// catchHangups has SIGHUP wait until follow is called, rather than end the
// program.
func (p *program) catchHangups() {
	p.hangups, p.requests = make(chan os.Signal, 1), make(chan func())
	signal.Notify(p.hangups, syscall.SIGHUP)
}

// follow reloads at each SIGHUP until ctx ends.
func (p *program) follow(ctx context.Context) {
	p.stopped = make(chan struct{})
	go func() {
		defer close(p.stopped)
		for {
			select {
			case <-ctx.Done():
				return
			case change := <-p.requests:
				change()
				continue
			case <-p.hangups:
			}
			if terminalGone() {
				p.end() // what a closed terminal has always meant
				return
			}
			p.reload()
		}
	}()
}

// do makes a change where others are made, none of them at the same time.
func (p *program) do(ctx context.Context, change func() error) error {
	made := make(chan error, 1)
	select {
	case p.requests <- func() { made <- change() }:
		return <-made
	case <-ctx.Done():
		return errors.New("edgescan ends")
	}
}

// renewPolicy puts the rules into force as they are now.
func (p *program) renewPolicy() error {
	apply, _, err := p.preparePolicy(p.flags)
	if err == nil {
		apply()
	}
	return err
}

// wait returns when nothing is reloaded any more, once the context of follow has
// ended.
func (p *program) wait() {
	if p.hangups != nil {
		signal.Stop(p.hangups)
	}
	if p.stopped != nil {
		<-p.stopped
	}
}

// terminalGone reports whether the log went to a terminal that is closed: the
// kernel refuses to write even nothing to it.
func terminalGone() bool {
	if !isTerminal(os.Stderr) {
		return false
	}
	_, err := os.Stderr.Write(nil)
	return errors.Is(err, syscall.EIO)
}

// reload opens the JSON file anew if it was renamed, reads the configuration and
// makes the changes that can be made, or none if anything is wrong with it. The
// engine with its contacts and incidents goes on.
func (p *program) reload() {
	p.notify.reloading()
	defer p.notify.tell("READY=1")
	p.watcher.mu.Lock()
	err := p.sinks.Reopen()
	p.watcher.mu.Unlock()
	if err != nil {
		p.log.Warn().Err(err).Msg("not opened anew")
	}
	if p.flags.config.path == "" && !p.flags.policy.inFiles() {
		p.log.Info().Msg("output opened anew; there is no configuration file to read")
		return
	}
	next, err := p.flags.reread()
	if err == nil {
		err = p.change(next)
	}
	if err != nil {
		for _, line := range strings.Split(p.flags.config.unreadable(err).Error(), "\n") {
			p.log.Error().Str("error", line).Msg("configuration not changed")
		}
	}
}

// reread reads environment and file anew, and checks them with what the command
// line said.
func (f *runFlags) reread() (*runFlags, error) {
	next := newRunFlags()
	c := *f.config
	var err error
	if c.settings, err = c.read(); err != nil {
		return nil, err
	}
	if err := applySettings(next.command().Flags(), c.keys, c.settings); err != nil {
		return nil, err
	}
	next.config = &c
	if err := next.check(); err != nil {
		return nil, c.explain(err)
	}
	return next, nil
}

// unreadable adds to an error what may have to be done.
func (c *configuration) unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: user %d, which edgescan runs as, must be able to read the file and stay in its folder", err, os.Geteuid())
	}
	return err
}

// change goes over to new flags, all of them or, with an error, none. What
// needs a restart is told, and stays as it is.
func (p *program) change(next *runFlags) error {
	was := p.flags.config
	changed := config.Changed(was.keys, was.settings, next.config.settings)
	next.policy.made = p.flags.policy.made
	if next.policy.inFiles() && !slices.Contains(changed, "allow-file") {
		changed = append(changed, "allow-file") // what is in the files may have
	}
	var applied, restart []string
	var apply, undo []func()
	for _, s := range liveSettings {
		of := intersection(changed, s.keys)
		if len(of) == 0 {
			continue
		}
		do, back, err := s.prepare(p, next)
		switch {
		case errors.Is(err, errRestart):
			p.log.Warn().Strs("keys", of).Err(err).Msg("not changed")
			continue
		case err != nil:
			for _, back := range undo {
				back()
			}
			return next.config.explain(usageError{fmt.Errorf("--%s: %w", strings.Join(of, ", --"), err)})
		}
		apply, undo, applied = append(apply, do), append(undo, back), append(applied, of...)
	}
	for _, do := range apply {
		do()
	}
	for _, key := range changed {
		if !slices.Contains(applied, key) {
			restart = append(restart, key)
			next.config.settings[key] = was.settings[key] // still in force
		}
	}
	p.flags.config.settings = next.config.settings
	line := p.log.Info().Str("file", was.path).Strs("changed", applied)
	if len(restart) > 0 {
		line.Strs("need_a_restart", restart)
	}
	line.Msg("configuration read anew")
	return nil
}

func intersection(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// prepareSinks opens the places that alerts go to.
func (p *program) prepareSinks(f *runFlags) (apply, undo func(), err error) {
	next, err := p.sinks.successor(&f.deliveryFlags)
	if err != nil {
		return nil, nil, err
	}
	apply = func() {
		p.watcher.mu.Lock()
		old := *p.sinks
		p.sinks.Sinks, p.sinks.Allowed, p.sinks.flags = next.Sinks, next.Allowed, next.flags
		p.sinks.toSyslog.sendTo(p.sinks)
		p.watcher.mu.Unlock()
		p.warn(old.leave(next)) // outside of mu: it may take its time
	}
	return apply, func() { p.warn(next.leave(p.sinks)) }, nil
}

// preparePolicy reads the rules, those in files too.
func (p *program) preparePolicy(f *runFlags) (apply, undo func(), err error) {
	fresh, err := f.policy.load(p.log, p.threshold, p.own)
	if err != nil {
		return nil, nil, err
	}
	show := p.flags.policy.showAllowed // what the sinks were opened with
	apply = func() {
		p.watcher.setPolicy(fresh)
		p.flags.policy = f.policy
		p.flags.policy.showAllowed = show
		p.page.showRules()
	}
	return apply, func() {}, nil
}

// warn tells of what was not closed well, if anything.
func (p *program) warn(err error) {
	if err != nil {
		p.log.Warn().Err(err).Msg("not closed well")
	}
}
