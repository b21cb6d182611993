package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"edgescan/internal/alert"
	"edgescan/internal/confine"
	"edgescan/internal/spool"
)

// queueMemory is what the alerts for one receiver may take of the memory: some
// 700 of them.
const queueMemory = 512 << 10

// deliveryFlags say where alerts go, and what becomes of them on the way.
type deliveryFlags struct {
	json       string
	syslog     []string
	ca         string
	cert       string
	key        string
	facility   string
	severities map[string]string
	app        string
	host       string
	spool      string
	spoolSize  byteSize
}

func (f *deliveryFlags) add(flags *pflag.FlagSet) {
	f.spoolSize = 16 << 20
	flags.StringVar(&f.json, "json", "", "write alerts as JSON lines to this file, - for standard output, unix:///PATH for a socket")
	flags.StringArrayVar(&f.syslog, "syslog", nil, "send alerts to syslog: local (the default without a value), unix:///PATH, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST[:PORT]; may be repeated")
	flags.Lookup("syslog").NoOptDefVal = "local"
	flags.StringVar(&f.ca, "syslog-ca", "", "PEM file with the authorities that tls:// trusts (default the system's)")
	flags.StringVar(&f.cert, "syslog-cert", "", "PEM file with the certificate to show to tls:// receivers")
	flags.StringVar(&f.key, "syslog-key", "", "PEM file with its key")
	flags.StringVar(&f.facility, "syslog-facility", "daemon", "facility, such as local0")
	flags.StringToStringVar(&f.severities, "syslog-severity", nil, "severities, such as start=alert,update=info,end=info (default start=warning, others notice)")
	flags.StringVar(&f.app, "syslog-app", "edgescan", "name of the program in the lines")
	flags.StringVar(&f.host, "syslog-hostname", "", "host name in lines of RFC 5424 (default the system's)")
	flags.StringVar(&f.spool, "spool", "", "folder that keeps the alerts that a receiver could not be sent, over a restart too; without, they are kept in memory, 512KiB a receiver")
	flags.Var(&f.spoolSize, "spool-size", "how large the folder of --spool may become for each receiver")
}

// header returns the header of syslog that the flags describe.
func (f *deliveryFlags) header() (alert.Header, error) {
	h := alert.NewHeader()
	errs := []error{h.SetFacility(f.facility), h.SetApp(f.app)}
	if f.host != "" {
		errs = append(errs, h.SetHost(f.host))
	}
	for state, severity := range f.severities {
		errs = append(errs, h.SetSeverity(state, severity))
	}
	return h, errors.Join(errs...)
}

// targets reads the values of --syslog.
func (f *deliveryFlags) targets() ([]alert.Target, error) {
	var targets []alert.Target
	for _, s := range f.syslog {
		t, err := alert.ParseTarget(s)
		if err != nil {
			return nil, err
		}
		if slices.Contains(targets, t) {
			return nil, fmt.Errorf("--syslog %s is given twice", t)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// delivery is the sinks of a run, and the queues to those behind sockets.
type delivery struct {
	alert.Fan
	flags *deliveryFlags
	log   zerolog.Logger
}

// openDelivery opens what the flags ask for, as whoever started the program.
// Lines go to standard output, unless JSON does. It makes the folder of
// --spool belong to user if it makes it.
func openDelivery(f *deliveryFlags, log zerolog.Logger, user confine.User) (*delivery, error) {
	targets, err := f.targets()
	if err != nil {
		return nil, usageError{err}
	}
	header, err := f.header()
	if err != nil {
		return nil, usageError{err}
	}
	if f.spoolSize < spool.MinDisk {
		return nil, usageError{fmt.Errorf("--spool-size %s: want at least %s", f.spoolSize.text(), byteSize(spool.MinDisk).text())}
	}
	security, err := f.security(targets)
	if err != nil {
		return nil, usageError{err}
	}
	d := &delivery{flags: f, log: log}
	if f.json != "-" {
		d.Sinks = append(d.Sinks, alert.NewText(os.Stdout))
	}
	switch path, ok := strings.CutPrefix(f.json, "unix://"); {
	case ok && !filepath.IsAbs(path):
		return nil, usageError{fmt.Errorf("--json %s: want unix:///PATH", f.json)}
	case ok:
		d.Sinks = append(d.Sinks, alert.NewSocketJSON(path))
	case f.json != "":
		eve, err := alert.OpenEVE(f.json)
		if err != nil {
			return nil, err
		}
		d.Sinks = append(d.Sinks, eve)
	}
	for _, t := range targets {
		d.Sinks = append(d.Sinks, alert.NewSyslog(t, header, security))
	}
	return d, d.makeFolders(user)
}

// security loads what TLS needs, if a target does.
func (f *deliveryFlags) security(targets []alert.Target) (*alert.Security, error) {
	if !slices.ContainsFunc(targets, func(t alert.Target) bool { return t.Network == "tls" }) {
		if f.ca != "" || f.cert != "" || f.key != "" {
			return nil, errors.New("--syslog-ca, --syslog-cert and --syslog-key go with --syslog tls://HOST")
		}
		return nil, nil
	}
	security, err := alert.LoadSecurity(f.ca, f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("%w (see --syslog-ca, --syslog-cert, --syslog-key)", err)
	}
	return security, nil
}

// folder returns where the queue of a sender lies, nothing without --spool. A
// socket's JSON and its syslog are two.
func (d *delivery) folder(s *alert.Sender) string {
	if d.flags.spool == "" {
		return ""
	}
	name := s.Target().FolderName()
	if d.flags.json == s.Target().String() && s == d.Senders()[0] {
		name = "json_" + name
	}
	return filepath.Join(d.flags.spool, name)
}

// makeFolders makes the folders that are missing below --spool, for the user
// that the program becomes.
func (d *delivery) makeFolders(user confine.User) error {
	if d.flags.spool == "" {
		return nil
	}
	if len(d.Senders()) == 0 {
		return usageError{errors.New("--spool goes with --syslog, or --json unix:///PATH")}
	}
	folders := []string{d.flags.spool}
	for _, s := range d.Senders() {
		folders = append(folders, d.folder(s))
	}
	for _, path := range folders {
		err := os.Mkdir(path, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil && os.Geteuid() == 0 {
			err = os.Chown(path, user.UID, user.GID)
		}
		if err != nil {
			return fmt.Errorf("--spool: %w", err)
		}
	}
	return nil
}

// start opens the queues and begins to send, as whom the program became.
func (d *delivery) start() error {
	for _, s := range d.Senders() {
		c := spool.Config{Folder: d.folder(s), Disk: int64(d.flags.spoolSize), Memory: queueMemory}
		if err := s.Start(c, d.report); err != nil {
			if errors.Is(err, fs.ErrPermission) {
				return fmt.Errorf("%w: --spool %s and what is in it must belong to %s, whom the program becomes (chown -R, or --user)", err, d.flags.spool, userName())
			}
			return err
		}
		if left := s.Left(); left > 0 {
			d.log.Info().Stringer("receiver", s.Target()).Int("alerts", left).Msg("sending what the last run left in the spool")
		}
	}
	return nil
}

// userName is who runs the program.
func userName() string {
	id := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "user " + id
}

// report tells what becomes of a receiver.
func (d *delivery) report(r alert.Report) {
	if r.Err != nil {
		d.log.Warn().Stringer("receiver", r.Target).Str("error", inOneLine(r.Err)).Int("waiting", r.Waiting).Msg("receiver away, alerts wait")
		return
	}
	d.log.Info().Stringer("receiver", r.Target).Int("waiting", r.Waiting).Msg("receiver is back")
}

// access is what delivery needs of a confined program.
func (d *delivery) access() confine.Access {
	var access confine.Access
	if !strings.HasPrefix(d.flags.json, "unix://") {
		access.Write = outputFolders(d.flags.json)
	}
	var targets []alert.Target
	for _, s := range d.Senders() {
		targets = append(targets, s.Target())
		if port := s.Target().TCPPort(); port != 0 {
			access.Connect = append(access.Connect, port)
		}
	}
	access.Read = resolverFiles(targets)
	if d.flags.spool != "" {
		access.Read = append(access.Read, d.flags.spool)
		access.Write = append(access.Write, d.flags.spool)
	}
	return access
}

// finish sends what is left, for a few seconds, and tells what stays behind.
func (d *delivery) finish() {
	if err := d.Close(); err != nil {
		d.log.Warn().Err(err).Msg("closing")
	}
	for _, s := range d.Senders() {
		if left := s.Left(); left > 0 {
			d.log.Warn().Stringer("receiver", s.Target()).Int("alerts", left).Msg("left in the spool for the next start")
		}
	}
}
