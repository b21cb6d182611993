package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"edgescan/flow/netflow"
	"edgescan/internal/policy"
)

// inputFlags say what is watched or read: one of four kinds.
type inputFlags struct {
	interfaces []string
	files      []string // captures
	flows      []string // logs of flows
	listen     []string // where flows are received
	exporters  []string // of those, who may send
	follow     bool     // files and flows grow
}

// inputNames are the flags that say what is watched or read. One of them on the
// command line takes the place of all of them elsewhere.
var inputNames = []string{"interface", "read", "flows", "listen"}

func (f *inputFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.interfaces, "interface", "i", nil, "interface to watch; may be repeated")
	flags.StringArrayVarP(&f.files, "read", "r", nil, "pcap or pcapng file to read, gzip allowed, or a folder of such; - for standard input; may be repeated: all are read in the order of packet time")
	flags.StringArrayVar(&f.flows, "flows", nil, "log of flows to read, gzip allowed, or a pattern of such in quotes; - for standard input; which format it has is found out; may be repeated: all are read in the order of time")
	flags.StringArrayVar(&f.listen, "listen", nil, "receive NetFlow v5 and v9, IPFIX and sFlow at this address, as udp://127.0.0.1:2055, or udp://:2055 for all of this machine's; may be repeated")
	flags.StringArrayVar(&f.exporters, "exporter", nil, "address or network that flows are received from, all others are left out (default any); may be repeated")
	flags.BoolVar(&f.follow, "follow", false, "go on with what is written to the folder of -r or the logs of --flows, rotated files too, until Ctrl-C")
}

// live reports whether the input has no end.
func (f *inputFlags) live() bool { return f.onSockets() || f.follow }

// onSockets reports whether it comes from sockets, which need no file once they are
// open.
func (f *inputFlags) onSockets() bool { return len(f.interfaces) > 0 || len(f.listen) > 0 }

// ofFlows reports whether it is of flows.
func (f *inputFlags) ofFlows() bool { return len(f.flows) > 0 || len(f.listen) > 0 }

// check refuses what does not go together or cannot be.
func (f *inputFlags) check() error {
	given := 0
	for _, list := range [][]string{f.interfaces, f.files, f.flows, f.listen} {
		if len(list) > 0 {
			given++
		}
	}
	if given != 1 {
		return errors.New("give interfaces (-i), captures (-r), flow logs (--flows) or where flows are received (--listen), one of these, here or in a configuration file, see 'edgescan run --help'")
	}
	folder := len(f.files) == 1 && isFolder(f.files[0])
	if f.follow && !folder && (len(f.flows) == 0 || slices.Contains(f.flows, "-")) {
		return errors.New("--follow needs one folder (-r FOLDER) or logs (--flows FILE); what comes by standard input needs no --follow")
	}
	for _, list := range [][]string{f.files, f.flows} {
		if first := slices.Index(list, "-"); first >= 0 && slices.Contains(list[first+1:], "-") {
			return errors.New("standard input (-) can be read once only")
		}
	}
	for _, a := range f.listen {
		if _, err := netflow.ParseAddress(a); err != nil {
			return fmt.Errorf("--listen %w", err)
		}
	}
	if len(f.exporters) > 0 && len(f.listen) == 0 {
		return errors.New("--exporter goes with --listen")
	}
	_, err := f.senders()
	return err
}

// senders returns whom flows are received from, nil for anybody.
func (f *inputFlags) senders() (list []netip.Prefix, err error) {
	for _, text := range f.exporters {
		p, err := policy.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--exporter: %w", err)
		}
		list = append(list, p)
	}
	return list, nil
}

// logs returns the flow logs, those that patterns stand for in their order.
func (f *inputFlags) logs() (paths []string, err error) {
	for _, path := range f.flows {
		if _, err := os.Stat(path); err == nil || !strings.ContainsAny(path, "*?[") {
			paths = append(paths, path)
			continue
		}
		found, err := filepath.Glob(path)
		if err == nil && len(found) == 0 {
			err = errors.New("no file is called so")
		}
		if err != nil {
			return nil, fmt.Errorf("--flows %q: %w", path, err)
		}
		paths = append(paths, found...)
	}
	return paths, nil
}

// bring brings what the flags name to the engine, until ctx ends or, of files, all
// is read. It calls opened when nothing has to be opened any more, or nothing that
// needs privileges, and nothing has been read.
func (w *watcher) bring(ctx context.Context, f *runFlags, opened func() error) error {
	switch {
	case len(f.interfaces) > 0:
		return w.watch(ctx, f, opened)
	case len(f.listen) > 0:
		return w.listen(ctx, f, opened)
	}
	if err := opened(); err != nil {
		return err
	}
	w.only = f.filter.program // on interfaces it is the kernel's
	switch {
	case len(f.flows) > 0 && f.follow:
		return w.followFlows(ctx, &f.inputFlags)
	case len(f.flows) > 0:
		return w.readFlows(ctx, &f.inputFlags)
	case f.follow:
		return w.follow(ctx, f.files[0])
	}
	return w.read(ctx, f.files)
}
