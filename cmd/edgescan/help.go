package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how wide help texts are at most, in columns.
const helpWidth = 80

// setHelp has a command and those below it print help as writeHelp does. It is not a
// template, which would add 1.6 MiB to the device's program.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		writeUsage(cmd.OutOrStderr(), cmd)
		return nil
	})
}

// writeHelp prints what a command does, examples first: who asks for help most often
// looks for one to change.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintf(w, "%s\n\n", wrapText("", cmd.Short+"."))
	writeUsage(w, cmd)
}

func writeUsage(w io.Writer, cmd *cobra.Command) {
	if cmd.HasExample() {
		fmt.Fprintf(w, "Examples:\n%s\n\n", cmd.Example)
	}
	if cmd.Runnable() && cmd.HasParent() {
		fmt.Fprintf(w, "Usage:\n%s\n\n", wrapText("  ", cmd.UseLine()))
	}
	if cmd.HasAvailableSubCommands() {
		writeCommands(w, cmd)
	}
	if cmd.Long != "" {
		fmt.Fprintf(w, "%s\n\n", cmd.Long)
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintln(w, "Flags:")
		writeFlags(w, cmd.LocalFlags())
	}
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintln(w, "\nFlags of all commands:")
		writeFlags(w, cmd.InheritedFlags())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n'%s COMMAND --help' tells more about a command.\n", cmd.CommandPath())
	}
}

// writeFlags lists flags, each with what it is for below it: beside each other there
// would be no room in helpWidth.
func writeFlags(w io.Writer, flags *pflag.FlagSet) {
	for line := range strings.Lines(flags.FlagUsages()) {
		head, text, _ := strings.Cut(strings.TrimSpace(line), "  ")
		fmt.Fprintf(w, "  %s\n%s\n", head, wrapText("        ", text))
	}
}

// writeCommands lists the commands below one.
func writeCommands(w io.Writer, cmd *cobra.Command) {
	fmt.Fprintln(w, "Commands:")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintln(w, wrapText("  "+fmt.Sprintf("%-*s ", cmd.NamePadding(), c.Name()), c.Short))
		}
	}
	fmt.Fprintln(w)
}

// wrapText puts text behind a head, in lines that begin where it does.
func wrapText(head, text string) string {
	indent := strings.Repeat(" ", len(head))
	var b strings.Builder
	line := head
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > helpWidth:
			b.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line)
	return b.String()
}
