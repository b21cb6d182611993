package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/board"
	"edgescan/internal/confine"
	"edgescan/internal/detect"
	"edgescan/internal/httpd"
	"edgescan/internal/picture"
	"edgescan/internal/policy"
	"edgescan/internal/web"
)

// webFlags say where the live page is, and who may read it.
type webFlags struct {
	address string
	token   string
	rules   string
}

func (f *webFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "web", "", "serve a live page at this address, as 127.0.0.1:8469 (:8469 is the same): scans as they start, what they look like, buttons to dismiss and to allow them")
	flags.StringVar(&f.token, "web-token", "", "file with the token that the page asks for; an address that can be reached from elsewhere needs one")
	flags.StringVar(&f.rules, "web-rules", "", "file that keeps the rules that are made on the page, made if it is missing; without, they are kept until edgescan ends")
}

// check refuses what does not go together.
func (f *webFlags) check(live bool) error {
	switch {
	case f.address == "" && f.token+f.rules != "":
		return usageError{errors.New("--web-token and --web-rules go with --web")}
	case f.address != "" && !live:
		return usageError{errors.New("--web goes with interfaces (-i), --listen or --follow: for files see 'edgescan report --help'")}
	}
	return nil
}

// memory returns what the page takes of the program's memory, bytes.
func (f *webFlags) memory() int64 {
	if f.address == "" {
		return 0
	}
	return board.Memory
}

// access is what keeping rules needs.
func (f *webFlags) access(a *confine.Access) {
	folders := foldersOf(f.rules)
	a.Read, a.Write = append(a.Read, folders...), append(a.Write, folders...)
}

// livePage is the page of --web. It is opened before the program gives up its
// privileges. A nil one is none.
type livePage struct {
	log      zerolog.Logger
	listener net.Listener
	token    string
	rules    *web.Rules
	board    *board.Board
}

// openPage opens what the flags ask for, and has the policy take the rules that are made
// on the page. It makes their file belong to user if it makes it.
func openPage(f *runFlags, log zerolog.Logger, user confine.User) (*livePage, error) {
	if f.web.address == "" {
		return nil, nil
	}
	p := &livePage{log: log, rules: &web.Rules{Path: f.web.rules}, board: &board.Board{}}
	var err error
	if p.token, err = readToken(f.web.token); err != nil {
		return nil, usageError{fmt.Errorf("--web-token: %w", err)}
	}
	if err := makeRules(f.web.rules, user); err != nil {
		return nil, fmt.Errorf("--web-rules: %w", err)
	}
	if p.listener, err = listen("--web", f.web.address); err != nil {
		return nil, err
	}
	f.policy.made = p.rules
	if at := p.listener.Addr().(*net.TCPAddr); !at.IP.IsLoopback() && p.token == "" {
		p.listener.Close()
		return nil, usageError{fmt.Errorf("--web %s can be reached from elsewhere: give --web-token FILE, a file with a secret that the page asks for, as 'head -c 18 /dev/urandom | base64' makes one; or 127.0.0.1, which 'ssh -L 8469:127.0.0.1:8469 HOST' leads to", f.web.address)}
	}
	return p, nil
}

// maxToken is how long a file with a token may be, bytes.
const maxToken = 4096

// readToken reads the file of a token, nothing where there is none.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if len(token) < web.MinToken || len(token) > maxToken {
		return "", fmt.Errorf("%s: a token of %d characters: want %d to %d, as 'head -c 18 /dev/urandom | base64' makes one", path, len(token), web.MinToken, maxToken)
	}
	return token, nil
}

// makeRules makes the file of rules, if it is missing.
func makeRules(path string, user confine.User) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil && os.Geteuid() == 0 {
		err = f.Chown(user.UID, user.GID)
	}
	if err == nil {
		err = f.Close()
	}
	return err
}

// ready is called when everything is open and privileges are dropped. What it starts
// ends with ctx.
func (p *livePage) ready(ctx context.Context, program *program) error {
	if p == nil {
		return nil
	}
	if err := p.checkRules(); err != nil {
		return err
	}
	f, w := program.flags, program.watcher
	server := web.New(web.Config{
		Board: p.board,
		About: web.About{
			Program:   "edgescan " + version,
			Watching:  slices.Concat(f.interfaces, f.listen, f.files, f.flows),
			Threshold: float64(program.threshold) / detect.One,
			Rules:     f.web.rules,
		},
		Token:   p.token,
		Refresh: func() { w.show(p.board) },
		Busiest: w.busiest,
		Touched: w.touched,
		Allow: func(rules []policy.Rule) error {
			return program.do(ctx, func() error { return p.allow(program, rules) })
		},
		Disallow: func(rule string) error {
			return program.do(ctx, func() error { return p.disallow(program, rule) })
		},
		Tell: func(decision, incident, reason string) {
			p.log.Info().Str("decision", decision).Str("incident", incident).Str("reason", reason).Msg("decided on the page")
		},
	})
	p.showRules()
	go httpd.Serve(ctx, p.listener, server.Answer)
	go tick(ctx, w, server)
	line := p.log.Info().Str("address", "http://"+p.listener.Addr().String())
	if p.token == "" {
		line.Bool("token", false)
	}
	line.Msg("live page")
	return nil
}

// checkRules finds out, before somebody makes a rule, whether it could be kept.
func (p *livePage) checkRules() error {
	if p.rules.Path == "" {
		return nil
	}
	f, err := os.OpenFile(p.rules.Path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: it must belong to %s, whom the program becomes, and its folder be open to it (chown, or --user)", err, userName())
	}
	if err != nil {
		return fmt.Errorf("--web-rules: %w", err)
	}
	return f.Close()
}

// allow adds rules and puts them into force, or does neither.
func (p *livePage) allow(program *program, rules []policy.Rule) error {
	if err := p.rules.Add(rules); err != nil {
		return err
	}
	err := program.renewPolicy()
	if err != nil {
		for _, r := range rules {
			err = errors.Join(err, p.rules.Remove(r.String()))
		}
	}
	return err
}

func (p *livePage) disallow(program *program, rule string) error {
	if err := p.rules.Remove(rule); err != nil {
		return err
	}
	return program.renewPolicy()
}

// showRules puts the rules on the board.
func (p *livePage) showRules() {
	if p == nil {
		return
	}
	rules, err := p.rules.Read()
	if err != nil {
		p.log.Warn().Err(err).Msg("rules of the page not read")
		return
	}
	var texts []string
	for _, r := range rules {
		texts = append(texts, r.String())
	}
	p.board.SetRules(texts)
}

// take takes an event that was told, with its evidence.
func (p *livePage) take(e *detect.Event, evidence *detect.Look) {
	if p != nil {
		p.board.Take(e, evidence)
	}
}

// tick gives the page figures once a second until ctx ends.
func tick(ctx context.Context, w *watcher, server *web.Server) {
	last := w.figures()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			f := w.figures()
			server.Tick(board.Sample{At: now.UnixNano(), Packets: f.engine.Packets - last.engine.Packets, Drops: f.dropped() - last.dropped(), Sources: w.active()})
			last = f
		}
	}
}

// active returns how many sources tried something within the last minute.
func (w *watcher) active() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	w.engine.Tracker().EachActive(int64(time.Minute), func(uint32) { n++ })
	return n
}

// busyTime is within what time a source must have tried something to be among the busiest.
const busyTime = 10 * time.Minute

// busiest returns the sources with most contacts.
func (w *watcher) busiest(n int) (list []web.Source) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.Busiest(n, int64(busyTime), func(l *detect.Look) {
		s := web.Source{Address: l.Source.Netip()}
		l.Each(func(c *featurize.Contact, _ int64) {
			s.Contacts++
			s.Outcomes[c.Channel()]++
		})
		list = append(list, s)
	})
	return list
}

// touched returns what a source touched, the latest first.
func (w *watcher) touched(a netip.Addr) (contacts []picture.Contact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine.Find(capture.AddrFrom(a), func(l *detect.Look) {
		l.Each(func(c *featurize.Contact, _ int64) {
			contacts = append(contacts, picture.ContactOf(c))
		})
	})
	return contacts
}

// showTime is how long show may take of each second.
const showTime = 50 * time.Millisecond

// show brings the incidents on a board up to date: by turns, where they are so many or so
// large that there is no time for all. Packets come in between.
func (w *watcher) show(b *board.Board) {
	for start, ids := time.Now(), b.Ongoing(); len(ids) > 0 && time.Since(start) < showTime; ids = ids[1:] {
		w.describe(ids[0], b)
	}
}

// describe brings one up to date.
func (w *watcher) describe(id uint64, b *board.Board) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.engine.Describe(id, func(e *detect.Event) { b.Take(e, w.engine.Evidence()) })
	}
}
