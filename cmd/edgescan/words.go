package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"edgescan/internal/alert"
	"edgescan/internal/detect"
)

// wordFlags say what alerts call hosts, and how many of them there may be.
type wordFlags struct {
	hosts  string
	leases string
	fold   foldLimit
}

func (f *wordFlags) add(flags *pflag.FlagSet) {
	f.fold = foldAuto
	flags.StringVar(&f.hosts, "hosts-file", "", "call sources by the names in this file, which is like /etc/hosts")
	flags.StringVar(&f.leases, "leases-file", "", "call sources by the names that DHCP clients gave themselves: leases of dnsmasq (/tmp/dhcp.leases) or of ISC dhcpd")
	flags.Var(&f.fold, "fold", "where more than so many scans start within a minute, tell the others in a summary a minute; 0: tell each; auto: 30 for interfaces, --listen and --follow, else 0")
}

// foldLimit is a flag that holds a number, or auto.
type foldLimit int

const (
	foldAuto    foldLimit = -1
	foldDefault int       = 30
)

// String implements pflag.Value.
func (l *foldLimit) String() string {
	if *l == foldAuto {
		return "auto"
	}
	return strconv.Itoa(int(*l))
}

// Set implements pflag.Value.
func (l *foldLimit) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	switch {
	case s == "auto":
		*l = foldAuto
	case err != nil:
		return errors.New("want a number, or auto")
	default:
		*l = foldLimit(n)
	}
	return nil
}

// Type implements pflag.Value.
func (l *foldLimit) Type() string { return "number" }

// limit returns how many scans may start within a minute with a line of their
// own, 0 for any number.
//
// On a public address some hosts an hour scan a home, and some ten a minute a
// network of offices: whoever is named beyond that is one of a flood.
func (l foldLimit) limit(endless bool) int {
	switch {
	case l != foldAuto:
		return int(l)
	case endless:
		return foldDefault
	}
	return 0
}

// worded stands between the engine and who writes alerts: it gives sources their
// names, and folds floods.
type worded struct {
	write func(*detect.Event) // with its name
	flood *alert.Flood        // nil: every alert is told
}

// take takes an event. One that a rule allows is none of a flood.
func (w *worded) take(e *detect.Event) {
	if w.flood != nil && e.Allowed == "" {
		w.flood.Take(e)
		return
	}
	w.write(e)
}

func (f *wordFlags) worded(endless bool, log zerolog.Logger, write func(*detect.Event)) *worded {
	w := &worded{write: write}
	if f.hosts != "" || f.leases != "" {
		names := alert.NewNames(f.hosts, f.leases, func(err error) { log.Warn().Err(err).Msg("sources have no names from this file") })
		w.write = func(e *detect.Event) {
			names.Name(e)
			write(e)
		}
	}
	if limit := f.fold.limit(endless); limit > 0 {
		w.flood = alert.NewFlood(limit, w.write)
	}
	return w
}

// tick moves the clock of summaries.
func (w *worded) tick(now int64) {
	if w != nil && w.flood != nil {
		w.flood.Advance(now)
	}
}

// close tells what has not been told.
func (w *worded) close(now int64) {
	if w != nil && w.flood != nil {
		w.flood.Close(now)
	}
}

// errMetricsOfFiles is why files have no metrics.
var errMetricsOfFiles = fmt.Errorf("--metrics goes with interfaces (-i), --listen or --follow: files are read and done with")
