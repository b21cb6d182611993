// Command edgescan watches the packets of a gateway and names the hosts that
// scan.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes: 1 for what went wrong while working, 2 for a command line that
// cannot be carried out.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usageError marks an error of the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(joinSyslog(os.Args[1:]))
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "edgescan:", err)
		var usage usageError
		if errors.As(err, &usage) {
			os.Exit(exitUsage)
		}
		os.Exit(exitFailure)
	}
}

// joinSyslog lets the value of --syslog, which may be left out, stand behind a
// space as well: pflag takes an optional value behind an equals sign only.
func joinSyslog(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--syslog" && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
		} else {
			joined = append(joined, args[i])
		}
	}
	return joined
}

// newRoot wires the subcommands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "edgescan",
		Short: "Watch a gateway's packets and name the hosts that scan",
		Example: `  edgescan run -i eth0                     watch an interface
  edgescan run -r capture.pcap.gz          find the scans in a capture
  edgescan run -r capture.pcap --json -    the same as JSON lines
  edgescan map -r capture.pcap -o map.png  draw what each source touched`,
		Version:       versionText(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see '%s --help')", err, cmd.CommandPath())}
	})
	root.AddCommand(newRun(), newTune(), newMap(), newModel(), newConfig(), newBlockHelper())
	root.AddCommand(workbenchCommands()...)
	setHelp(root)
	return root
}

// noArgs refuses arguments that are not flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown argument %q (see '%s --help')", args[0], cmd.CommandPath())}
	}
	return nil
}
