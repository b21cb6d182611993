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
	jsonFormat choice
	syslog     []string
	format     choice
	ca         string
	cert       string
	key        string
	facility   string
	severities []string
	app        string
	host       string
	spool      string
	spoolSize  byteSize
	logTo      choice
	sink       alert.Sink // takes the alerts in place of standard output, if not nil
}

// newDeliveryFlags returns flags that need other defaults than zero set to them.
func newDeliveryFlags() deliveryFlags {
	return deliveryFlags{
		facility: "daemon", app: "edgescan", spoolSize: 16 << 20,
		jsonFormat: choice{alert.JSONFormats[0], alert.JSONFormats}, format: choice{alert.SyslogFormats[0], alert.SyslogFormats},
		logTo: choice{logToStderr, []string{logToStderr, logToSyslog, logToBoth}},
	}
}

func (f *deliveryFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.json, "json", "", "write alerts as JSON lines to this file, - for standard output, unix:///PATH for a socket")
	flags.Var(&f.jsonFormat, "json-format", "fields of --json: eve, in the shape of Suricata's, or ecs, the Elastic Common Schema")
	flags.StringArrayVar(&f.syslog, "syslog", nil, "send alerts to syslog: local (the default without a value), unix:///PATH, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST[:PORT]; may be repeated")
	flags.Lookup("syslog").NoOptDefVal = "local"
	flags.Var(&f.format, "syslog-format", "what --syslog sends: text, or cef, ArcSight's Common Event Format")
	flags.StringVar(&f.ca, "syslog-ca", "", "PEM file with the authorities that tls:// trusts (default the system's)")
	flags.StringVar(&f.cert, "syslog-cert", "", "PEM file with the certificate to show to tls:// receivers")
	flags.StringVar(&f.key, "syslog-key", "", "PEM file with its key")
	flags.StringVar(&f.facility, "syslog-facility", f.facility, "facility, such as local0")
	flags.StringSliceVar(&f.severities, "syslog-severity", nil, "severities, such as start=alert,update=info,end=info (default start=warning, others notice)")
	flags.StringVar(&f.app, "syslog-app", f.app, "name of the program in the lines")
	flags.StringVar(&f.host, "syslog-hostname", "", "host name in lines of RFC 5424 (default the system's)")
	flags.Var(&f.logTo, "log", "where the program's own log goes: stderr, syslog, which is where --syslog sends alerts, or both")
	flags.StringVar(&f.spool, "spool", "", "folder that keeps the alerts that a receiver could not be sent, over a restart too; without, they are kept in memory, 512KiB a receiver")
	flags.Var(&f.spoolSize, "spool-size", "how large the folder of --spool may become for each receiver")
}

// header returns the header of syslog that the flags describe.
func (f *deliveryFlags) header() (alert.Header, error) {
	h := alert.NewHeader()
	h.Version = version
	errs := []error{h.SetFormat(f.format.word), h.SetFacility(f.facility), h.SetApp(f.app)}
	if f.host != "" {
		errs = append(errs, h.SetHost(f.host))
	}
	for _, text := range f.severities {
		state, severity, _ := strings.Cut(text, "=")
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
	flags    *deliveryFlags
	log      zerolog.Logger
	toSyslog *syslogLog // what sends the log as well; nil: nothing
}

// openDelivery opens what the flags ask for, as whoever started the program.
// Lines go to standard output, unless JSON does. It makes the folder of
// --spool belong to user if it makes it.
func openDelivery(f *deliveryFlags, showAllowed bool, log zerolog.Logger, user confine.User) (*delivery, error) {
	targets, err := f.targets()
	if err != nil {
		return nil, usageError{err}
	}
	header, err := f.header()
	if err != nil {
		return nil, usageError{err}
	}
	if f.logTo.word != logToStderr && len(targets) == 0 {
		return nil, usageError{fmt.Errorf("--log %s goes with --syslog", f.logTo.word)}
	}
	if f.spoolSize < spool.MinDisk {
		return nil, usageError{fmt.Errorf("--spool-size %s: want at least %s", f.spoolSize.text(), byteSize(spool.MinDisk).text())}
	}
	security, err := f.security(targets)
	if err != nil {
		return nil, usageError{err}
	}
	format, err := header.JSONFormat(f.jsonFormat.word)
	if err != nil {
		return nil, usageError{err}
	}
	d := &delivery{flags: f, log: log}
	switch {
	case f.sink != nil:
		d.Sinks = append(d.Sinks, f.sink)
	case f.json != "-":
		d.Sinks = append(d.Sinks, alert.NewText(os.Stdout))
	}
	lines := len(d.Sinks)
	switch path, ok := strings.CutPrefix(f.json, "unix://"); {
	case ok && !filepath.IsAbs(path):
		return nil, usageError{fmt.Errorf("--json %s: want unix:///PATH", f.json)}
	case ok:
		d.Sinks = append(d.Sinks, alert.NewSocketJSON(path, format))
	case f.json != "":
		objects, err := alert.OpenJSON(f.json, format)
		if err != nil {
			return nil, err
		}
		d.Sinks = append(d.Sinks, objects)
	}
	if showAllowed {
		d.Allowed = slices.Clone(d.Sinks[lines:]) // JSON alone
	}
	for _, t := range targets {
		d.Sinks = append(d.Sinks, alert.NewSyslog(t, header, security))
	}
	return d, d.makeFolders(user)
}

// successor returns what delivers in d's stead, to the places of f: queues to
// receivers that stay go on, and are d's too. Its errors wrap errRestart where a
// confined program cannot reach what is new. For other flags than these it takes a
// restart.
func (d *delivery) successor(f *deliveryFlags) (*delivery, error) {
	flags := *d.flags
	flags.json, flags.syslog = f.json, f.syslog
	if flags.json != d.flags.json && (isSocket(flags.json) || isSocket(d.flags.json)) {
		return nil, fmt.Errorf("%w: JSON goes to a socket", errRestart)
	}
	next, err := openDelivery(&flags, len(d.Allowed) > 0, d.log, confine.User{UID: os.Geteuid(), GID: os.Getegid()})
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: %w", errRestart, err)
	}
	if err != nil {
		return nil, err
	}
	next.share(d)
	had, needs := d.access(), next.access()
	for _, port := range needs.Connect {
		if !slices.Contains(had.Connect, port) {
			return nil, errors.Join(fmt.Errorf("%w: connections by TCP to port %d were given up at the start", errRestart, port), next.leave(d))
		}
	}
	if len(next.resolver()) > 0 && len(d.resolver()) == 0 {
		return nil, errors.Join(fmt.Errorf("%w: to look up names was given up at the start (an address would do)", errRestart), next.leave(d))
	}
	if err := next.startBut(d.Senders()); err != nil {
		return nil, errors.Join(err, next.leave(d))
	}
	return next, nil
}

// share takes the senders of another delivery for those to the same receivers.
func (d *delivery) share(other *delivery) {
	for _, sinks := range [][]alert.Sink{d.Sinks, d.Allowed} {
		for i := range sinks {
			fresh, ok := sinks[i].(*alert.Sender)
			if !ok {
				continue
			}
			for _, known := range other.Senders() {
				if known.Target() == fresh.Target() {
					sinks[i] = known
				}
			}
		}
	}
}

// leave closes the sinks that another delivery does not have.
func (d *delivery) leave(other *delivery) error {
	var errs []error
	for _, s := range d.Sinks {
		if !slices.Contains(other.Sinks, s) {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

func isSocket(json string) bool { return strings.HasPrefix(json, "unix://") }

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
	err := d.startBut(nil)
	if err == nil {
		d.toSyslog.sendTo(d)
	}
	return err
}

// startBut leaves out those that have been started.
func (d *delivery) startBut(started []*alert.Sender) error {
	for _, s := range d.Senders() {
		if slices.Contains(started, s) {
			continue
		}
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

// waiting returns how many alerts wait for their receivers.
func (d *delivery) waiting() (n int) {
	for _, s := range d.Senders() {
		n += s.Waiting()
	}
	return n
}

// access is what delivery needs of a confined program.
func (d *delivery) access() confine.Access {
	var access confine.Access
	if !isSocket(d.flags.json) {
		access.Write = outputFolders(d.flags.json)
	}
	for _, s := range d.Senders() {
		if port := s.Target().TCPPort(); port != 0 {
			access.Connect = append(access.Connect, port)
		}
	}
	access.Read = d.resolver()
	if d.flags.spool != "" {
		access.Read = append(access.Read, d.flags.spool)
		access.Write = append(access.Write, d.flags.spool)
	}
	return access
}

// resolver returns what is read to look up the receivers' names.
func (d *delivery) resolver() []string {
	var targets []alert.Target
	for _, s := range d.Senders() {
		targets = append(targets, s.Target())
	}
	return resolverFiles(targets)
}

// finish sends what is left, for a few seconds, and tells what stays behind.
func (d *delivery) finish() {
	if d.toSyslog != nil {
		d.log.Info().Msg("stopping") // the summary comes when nothing more is sent
		d.toSyslog.sendTo(nil)
	}
	if err := d.Close(); err != nil {
		d.log.Warn().Err(err).Msg("closing")
	}
	for _, s := range d.Senders() {
		if left := s.Left(); left > 0 {
			d.log.Warn().Stringer("receiver", s.Target()).Int("alerts", left).Msg("left in the spool for the next start")
		}
	}
}
