package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// runFlags are the flags of run.
type runFlags struct {
	inputFlags
	deliveryFlags
	model       string
	memory      byteSize
	ring        byteSize
	rings       int
	workers     int
	filter      packetFilter
	policy      policyFlags
	promiscuous bool
	incoming    bool
	user        string
	block       blockMode
	blockFor    time.Duration
	metrics     string
	web         webFlags
	wordFlags
	pictures pictureFlags

	config *configuration // where all of them come from
}

// newRunFlags returns flags that need other defaults than zero set to them.
func newRunFlags() *runFlags {
	return &runFlags{memory: 32 << 20, ring: capture.DefaultRingBytes, deliveryFlags: newDeliveryFlags(), pictures: newPictureFlags(), block: blockOff, blockFor: time.Hour}
}

func newRun() *cobra.Command { return newRunFlags().command() }

// command returns run, whose command line sets f.
func (f *runFlags) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run (-i IFACE | -r FILE | --flows FILE | --listen udp://ADDRESS:PORT)...",
		Short: "Find the scans on interfaces, in capture files or in flows",
		Example: `  edgescan run -i eth0                          until Ctrl-C
  edgescan run -i eth0 -i wlan0 --syslog        alerts to the local syslog
  edgescan run -i eth0 --syslog tls://loghost --spool /var/spool/edgescan
  edgescan run -i eth0 --web 127.0.0.1:8469     and a page to watch
  edgescan run -r a.pcap -r b.pcapng.gz         files, in the order of time
  edgescan run -r a.pcap --picture              with a picture below each line
  edgescan run -r FOLDER                        the capture files in it
  edgescan run -r FOLDER --follow               and what tcpdump adds to it
  edgescan run --flows conn.log                 flows: Zeek, nfdump, conntrack..
  edgescan run --flows '/var/log/zeek/conn.*.gz' --flows /var/log/zeek/conn.log
  edgescan run --flows conn.log --follow        and what is added
  edgescan run --listen udp://127.0.0.1:2055    NetFlow, IPFIX and sFlow
  edgescan run                                  what the file of --config says
  edgescan run -i eth0 --filter "$(tcpdump -ddd -i eth0 'not host 10.0.0.9')"
  tcpdump -i eth0 -U -w - | edgescan run -r -   what another program captures`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.configured(cmd.Flags()); err != nil {
				return err
			}
			return f.config.explain(run(cmd.Context(), f))
		},
	}
	flags := cmd.Flags()
	addConfigFlag(flags)
	f.inputFlags.add(flags)
	flags.Var(&f.filter, "filter", filterUsage+"tcpdump -ddd -i IFACE (of PPP and tunnels -y RAW), or -ddd -r FILE, and the expression")
	f.deliveryFlags.add(flags)
	flags.StringVar(&f.model, "model", "", "model file to use in place of the built-in one")
	flags.Var(&f.memory, "memory", "memory to stay within")
	flags.Var(&f.ring, "ring", "part of it that holds packets of interfaces until they are read; more of it bridges longer bursts")
	flags.IntVar(&f.rings, "rings", 1, fmt.Sprintf("divide the packets of each interface among so many rings, at most %d, which as many cores can read; they share the memory of --ring", capture.MaxRings))
	flags.IntVar(&f.workers, "workers", min(2, runtime.GOMAXPROCS(0)), "cores to use for files: from 2 on, reading and decoding run ahead (more than 2 gain nothing); for interfaces see --rings")
	flags.BoolVar(&f.promiscuous, "promiscuous", false, "put the interfaces into promiscuous mode")
	flags.BoolVar(&f.incoming, "incoming", false, "see only what the interfaces receive, not what they send: for a mirror port, or where all interfaces of a gateway are watched, which see what it forwards twice otherwise")
	flags.Var(&f.block, "block", "have nftables drop what comes from hosts outside that scan: dry-run only tells, on does it; needs --allow or --allow-file, for forged packets can have anyone named")
	flags.DurationVar(&f.blockFor, "block-for", f.blockFor, "how long a host is blocked")
	f.policy.add(flags)
	flags.StringVar(&f.user, "user", "", "user to become, if root, once interfaces and files are open; root keeps root's files within reach (default edgescan, or nobody)")
	flags.StringVar(&f.metrics, "metrics", "", "serve /metrics for Prometheus and /healthz at this address, as 127.0.0.1:9469; :9469 is the same")
	f.web.add(flags)
	f.wordFlags.add(flags)
	f.pictures.add(flags)
	return cmd
}

// programMemory is what the program needs besides the Engine: code, stacks, the
// default capture ring, buffers, and garbage until it is collected.
const programMemory = 12 << 20

// Least and most of --memory. The most is what the numbers of contacts can
// hold, and what a 32-bit system can give.
const (
	minMemory = programMemory + detect.MinMemory
	maxMemory = 1 << 30 << (^uint(0) >> 63 << 2) // 1 GiB where pointers have 32 bits, else 16 GiB
)

// fileMemory is the part of resident memory that the garbage collector does
// not know: the program's code and data. More of it, and what lives would come
// so close to the collector's limit that it never rests.
const fileMemory = 2 << 20

// folderDelay is how late packets may come into a folder that is followed: tcpdump
// without -U writes 4 KiB at a time.
const folderDelay = 30 * time.Second

// check refuses what cannot be carried out.
func (f *runFlags) check() error {
	if err := f.inputFlags.check(); err != nil {
		return usageError{err}
	}
	if f.memory < minMemory || f.memory > maxMemory {
		return usageError{fmt.Errorf("--memory %s: want at least %s and at most %s", f.memory.text(), byteSize(minMemory).text(), byteSize(maxMemory).text())}
	}
	if f.workers < 1 {
		return usageError{fmt.Errorf("--workers %d is too few, need at least 1", f.workers)}
	}
	if len(f.interfaces) > 0 {
		if f.rings < 1 || f.rings > capture.MaxRings {
			return usageError{fmt.Errorf("--rings %d: %w", f.rings, capture.ErrRings)}
		}
		if each := f.eachRing(); each < capture.MinRingBytes || each > capture.MaxRingBytes {
			return usageError{fmt.Errorf("--ring %s for %d interfaces%s: %w", f.ring.text(), len(f.interfaces), f.ofRings(), capture.ErrRing)}
		}
	}
	if short := detect.MinMemory - f.engineMemory(); short > 0 {
		return usageError{fmt.Errorf("--memory %s: want at least %s for %s", f.memory.text(), byteSize(int64(f.memory)+short).text(), strings.Join(f.memoryUsers(), " and "))}
	}
	if err := f.checkBlock(); err != nil {
		return err
	}
	if err := f.pictures.check(f.json); err != nil {
		return err
	}
	if err := f.web.check(f.live()); err != nil {
		return err
	}
	if f.filter.given && f.ofFlows() {
		return usageError{errors.New("--filter is for packets, and flows are none")}
	}
	return f.filter.parse(f.interfaces, f.files)
}

// engineMemory returns the part of --memory that is the engine's.
func (f *runFlags) engineMemory() int64 {
	memory := int64(f.memory) - programMemory - f.web.memory()
	if len(f.interfaces) > 0 {
		memory -= int64(f.ring) - capture.DefaultRingBytes
	}
	if f.ofFlows() {
		memory -= flowMemory
	}
	return memory
}

// memoryUsers names what engineMemory leaves less for.
func (f *runFlags) memoryUsers() (users []string) {
	if len(f.interfaces) > 0 && f.ring > capture.DefaultRingBytes {
		users = append(users, "--ring "+f.ring.text())
	}
	if f.ofFlows() {
		users = append(users, "flows")
	}
	if f.web.address != "" {
		users = append(users, "--web")
	}
	return users
}

func run(ctx context.Context, f *runFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	user, err := runUser(f)
	if err != nil {
		return usageError{fmt.Errorf("--user %s: %w", f.user, err)}
	}
	debug.SetMemoryLimit(int64(f.memory) - fileMemory)
	log, toSyslog := newRunLogger(f.logTo.word)
	f.config.warn(log)
	sinks, err := openDelivery(&f.deliveryFlags, f.policy.showAllowed, log, user)
	if err != nil {
		return err
	}
	sinks.toSyslog = toSyslog
	defer sinks.Close()
	monitor, err := openMonitor(f)
	if err != nil {
		return err
	}
	page, err := openPage(f, log, user)
	if err != nil {
		return err
	}
	judge, threshold, err := openModel(f.model, f.ofFlows())
	if err != nil {
		return err
	}
	own := f.watchedNetworks(ctx, log)
	policy, err := f.policy.load(log, threshold, own)
	if err != nil {
		return err
	}
	blocker, err := newBlocker(log, f, policy.Inside)
	if err != nil {
		return err
	}
	defer blocker.close()
	drawn := &pictures{log: log}
	defer drawn.close()
	w := f.newWatcher(log, sinks, drawn, page)
	cfg := f.engineConfig(threshold, policy)
	cfg.Tick = w.words.tick
	w.engine, err = detect.NewEngine(cfg, judge, func(e *detect.Event) {
		blocker.event(e)
		w.counts.happened(e)
		w.words.take(e)
	})
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	p := &program{flags: f, log: log, watcher: w, sinks: sinks, page: page, notify: monitor.notify, end: end, threshold: threshold, own: own}
	if f.live() {
		p.catchHangups()
	}
	started := time.Now()
	err = w.bring(ctx, f, func() error {
		if f.live() {
			defer p.follow(ctx) // not before: files would be opened as root
		}
		err := f.confine(log, user, sinks, func() error {
			return errors.Join(drawn.open(&f.pictures, f.live()), sinks.start())
		})
		if err == nil {
			err = page.ready(ctx, p)
		}
		if err == nil {
			monitor.ready(ctx, w)
		}
		return err
	})
	monitor.notify.tell("STOPPING=1")
	end()
	p.wait()
	w.finish(started, sinks)
	return err
}

// watchedNetworks returns the networks of this machine, nil where no interface is watched.
// They are kept up to date until ctx ends.
func (f *runFlags) watchedNetworks(ctx context.Context, log zerolog.Logger) *ownNetworks {
	if len(f.interfaces) == 0 {
		return nil
	}
	own := newOwnNetworks(log)
	go own.keep(ctx)
	return own
}

// newWatcher returns a watcher without an engine, whose events go to sinks.
func (f *runFlags) newWatcher(log zerolog.Logger, sinks *delivery, drawn *pictures, page *livePage) *watcher {
	w := &watcher{log: log, workers: f.workers, delay: folderDelay, lost: sinks.Undelivered, waiting: sinks.waiting}
	w.words = f.worded(f.live(), log, func(e *detect.Event) {
		drawn.name(e, w.engine.Evidence())
		err := sinks.Alert(*e)
		drawn.show(e, w.engine.Evidence())
		page.take(e, w.engine.Evidence())
		if err != nil {
			log.Warn().Err(err).Msg("alert not delivered")
		}
		w.counts.told(e, err)
	})
	return w
}

// engineConfig returns what all engines need to know.
func (f *runFlags) engineConfig(threshold uint32, policy detect.Policy) detect.Config {
	key := featurize.DefaultKey
	if f.live() {
		key = randomKey()
	}
	return detect.Config{
		Memory:    f.engineMemory(),
		Key:       key,
		Secret:    randomKey(), // files may be made to fill one bucket too
		Threshold: threshold,
		Policy:    policy,
	}
}

// eachRing returns the memory of one ring.
func (f *runFlags) eachRing() int64 { return int64(f.ring) / int64(len(f.interfaces)*f.rings) }

// ofRings says how many rings an interface has, where it has several.
func (f *runFlags) ofRings() string {
	if f.rings == 1 {
		return ""
	}
	return fmt.Sprintf(" of %d rings", f.rings)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
