package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/block"
	"edgescan/internal/confine"
	"edgescan/internal/detect"
)

// blockMode is the value of --block.
type blockMode string

// Blocking is off, only told of, or done.
const (
	blockOff    blockMode = "off"
	blockDryRun blockMode = "dry-run"
	blockOn     blockMode = "on"
)

func (m *blockMode) String() string { return string(*m) }
func (m *blockMode) Type() string   { return "MODE" }

func (m *blockMode) Set(text string) error {
	switch mode := blockMode(text); mode {
	case blockOff, blockDryRun, blockOn:
		*m = mode
		return nil
	}
	return fmt.Errorf("%q is none of %s, %s and %s", text, blockOff, blockDryRun, blockOn)
}

// blockQueue is how many addresses wait for the firewall at most.
const blockQueue = 256

// blocker has the firewall drop what comes from single hosts outside that scan,
// by way of a process of its own. Its methods hold nobody up.
type blocker struct {
	log     zerolog.Logger
	length  time.Duration
	spare   func(netip.Addr) bool
	records chan block.Record // nil: only told of
	lost    int
	done    chan error
}

// checkBlock checks the flags.
func (f *runFlags) checkBlock() error {
	if f.blockFor < block.MinTime || f.blockFor > block.MaxTime {
		return usageError{fmt.Errorf("--block-for %v: want %v to %v", f.blockFor, block.MinTime, block.MaxTime)}
	}
	if f.block == blockOff {
		return nil
	}
	if len(f.interfaces) == 0 {
		return usageError{errors.New("--block goes with interfaces (-i)")}
	}
	if len(f.policy.allow)+len(f.policy.allowFiles) == 0 {
		return usageError{errors.New("--block needs --allow or --allow-file with whom you cannot do without: forged packets can have anyone named as a scanner")}
	}
	return nil
}

// newBlocker starts to block, as the flags say; never addresses that are inside.
// It is for the time before the privileges are dropped. With --block off it
// returns nil, which blocks nobody.
func newBlocker(log zerolog.Logger, f *runFlags, inside func(capture.Addr) bool) (*blocker, error) {
	if f.block == blockOff {
		return nil, nil
	}
	own, err := interfaceNetworks()
	if err != nil {
		return nil, err
	}
	never := block.Sparing(own)
	b := &blocker{log: log, length: f.blockFor, spare: func(a netip.Addr) bool { return never(a) || inside(capture.AddrFrom(a)) }}
	if f.block == blockDryRun {
		return b, nil
	}
	helper := exec.Command("/proc/self/exe", blockHelper, "--user", f.user)
	helper.Stderr = os.Stderr
	helper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this process; the helper ends with its input
	in, err := helper.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := helper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := helper.Start(); err != nil {
		return nil, fmt.Errorf("start the process that blocks: %w", err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it has said why
		in.Close()
		helper.Wait()
		return nil, errors.New("blocking is not possible: see above")
	}
	b.records = make(chan block.Record, blockQueue)
	b.done = make(chan error, 1)
	go func() {
		err := feed(in, b.records)
		in.Close()
		b.done <- errors.Join(err, helper.Wait())
	}()
	return b, nil
}

// feed writes records until there are no more; after an error it only takes them.
func feed(out io.Writer, records <-chan block.Record) (err error) {
	for r := range records {
		if err == nil {
			_, err = out.Write(r.Append(nil))
		}
	}
	return err
}

// interfaceNetworks returns what is next to this machine, routers of the provider
// among it.
func interfaceNetworks() ([]netip.Prefix, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("find the networks of the interfaces: %w", err)
	}
	var own []netip.Prefix
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Masked())
		}
	}
	return own, nil
}

// event blocks the source of an event, if it is one to be blocked. A source that
// goes on is blocked anew with each update. That of a group is a prefix, or the
// target: to block it would hit bystanders.
func (b *blocker) event(e *detect.Event) {
	if b == nil {
		return
	}
	source := e.Source.Netip()
	if e.State == detect.End || e.Allowed != "" || e.Scope != featurize.Host || b.spare(source) {
		return
	}
	if b.records == nil {
		if e.State == detect.Start {
			b.log.Info().Stringer("source", source).Stringer("for", b.length).Msg("would be blocked")
		}
		return
	}
	select {
	case b.records <- block.Record{Addr: source, For: b.length}:
		if e.State == detect.Start {
			b.log.Info().Stringer("source", source).Stringer("for", b.length).Msg("blocked")
		}
	default:
		b.lost++
		b.log.Warn().Stringer("source", source).Int("lost", b.lost).Msg("not blocked: the firewall does not keep up")
	}
}

// close ends the blocking: nobody stays blocked.
func (b *blocker) close() {
	if b == nil || b.records == nil {
		return
	}
	close(b.records)
	var err error
	select {
	case err = <-b.done:
	case <-time.After(stopGrace):
		err = errors.New("the process that blocks does not end")
	}
	if err != nil {
		b.log.Warn().Err(err).Msg("blocking ended badly")
	}
}

// blockHelper is the command that newBlocker starts.
const blockHelper = "block-addresses"

// newBlockHelper is the process that changes the firewall. It parses nothing but
// addresses, of its own program, and keeps one capability for that.
func newBlockHelper() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:    blockHelper,
		Short:  "Block addresses that are read from standard input (what run --block starts)",
		Hidden: true,
		Args:   noArgs,
		RunE:   func(*cobra.Command, []string) error { return blockAddresses(name) },
	}
	cmd.Flags().StringVar(&name, "user", "", "user to become")
	return cmd
}

func blockAddresses(name string) (err error) {
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // those who stop it end its input
	user, err := confine.LookupUser(name)
	if err != nil {
		return usageError{err}
	}
	firewall, err := block.OpenFirewall()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, firewall.Close()) }()
	log := newLogger()
	if err := errors.Join(confine.Drop(user, capNetAdmin), confine.Restrict(confine.Access{})); err != nil {
		log.Warn().Str("kept", inOneLine(err)).Msg("the process that blocks keeps privileges")
	}
	fmt.Println("ready")
	in := bufio.NewReader(os.Stdin)
	for {
		r, err := block.ReadRecord(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := firewall.Block(r); err != nil {
			log.Warn().Err(err).Msg("not blocked")
		}
	}
}

// capNetAdmin is CAP_NET_ADMIN.
const capNetAdmin = 12
