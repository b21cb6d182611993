package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"edgescan/internal/detect"
	"edgescan/internal/policy"
)

// tuneFor is for how long interfaces are watched if nobody says.
const tuneFor = time.Hour

func newTune() *cobra.Command {
	f := newRunFlags()
	f.rings, f.workers, f.config = 1, min(2, runtime.GOMAXPROCS(0)), &configuration{}
	var learn time.Duration
	cmd := &cobra.Command{
		Use:   "tune (-i IFACE | -r FILE | --flows FILE | --listen udp://ADDRESS:PORT)...",
		Short: "Propose rules that allow the scans of a network whose hosts are known",
		Example: `  edgescan tune -i eth0 --for 24h > allow.txt     then review it
  edgescan tune -r capture.pcap.gz > allow.txt
  edgescan tune --listen udp://127.0.0.1:2055 --for 24h > allow.txt
  edgescan run -i eth0 --allow-file allow.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("for") && !f.onSockets() {
				return usageError{errors.New("--for goes with interfaces (-i) and --listen: files end by themselves")}
			}
			return tune(cmd.Context(), f, learn, os.Stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.interfaces, "interface", "i", nil, "interface to watch; may be repeated")
	flags.DurationVar(&learn, "for", tuneFor, "how long to watch")
	flags.StringArrayVarP(&f.files, "read", "r", nil, "capture file or folder to read, - for standard input; may be repeated")
	flags.StringArrayVar(&f.flows, "flows", nil, "log of flows to read, - for standard input; may be repeated")
	flags.StringArrayVar(&f.listen, "listen", nil, "receive flows at this address, as 'edgescan run --help' says; may be repeated")
	flags.StringArrayVar(&f.exporters, "exporter", nil, "address or network that flows are received from (default any); may be repeated")
	flags.Var(&f.filter, "filter", filterUsage+"see 'edgescan run --help'")
	flags.StringVar(&f.model, "model", "", "model file to use in place of the built-in one")
	flags.Var(&f.memory, "memory", "memory to stay within")
	flags.BoolVar(&f.promiscuous, "promiscuous", false, "put the interfaces into promiscuous mode")
	flags.BoolVar(&f.incoming, "incoming", false, "see only what the interfaces receive, as 'edgescan run --help' says")
	flags.StringVar(&f.user, "user", "", "user to become, if root, once interfaces are open (default edgescan, or nobody)")
	f.policy.addInside(flags)
	return cmd
}

// tune runs without rules, and writes those that would allow what it has named.
func tune(ctx context.Context, f *runFlags, learn time.Duration, out io.Writer) error {
	if learn <= 0 {
		return usageError{fmt.Errorf("--for %s is too short", learn)}
	}
	if f.onSockets() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, learn)
		defer cancel()
	}
	proposal := &proposalSink{}
	f.sink = proposal
	err := run(ctx, f)
	var usage usageError
	if errors.As(err, &usage) || proposal.ended == 0 && err != nil {
		return err
	}
	return errors.Join(err, proposal.Write(out, time.Now()))
}

// proposalSink is an alert.Sink that makes rules of what it is given.
type proposalSink struct {
	policy.Proposal
	ended int // incidents
}

// Alert implements alert.Sink.
func (s *proposalSink) Alert(e detect.Event) error {
	if e.State == detect.End {
		s.ended++
	}
	s.Add(e)
	return nil
}

// Close implements alert.Sink.
func (s *proposalSink) Close() error { return nil }
