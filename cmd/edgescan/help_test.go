package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// eachCommand calls f for a command and all below it that users see.
func eachCommand(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion" {
			eachCommand(c, f)
		}
	}
}

func helpOf(cmd *cobra.Command) string {
	var b bytes.Buffer
	writeHelp(&b, cmd)
	return b.String()
}

func TestHelpFitsATerminalAndBeginsWithExamples(t *testing.T) {
	eachCommand(newRoot(), func(cmd *cobra.Command) {
		if cmd.Short == "" || !cmd.HasExample() {
			t.Errorf("%s: no short text, or no example", cmd.CommandPath())
			return
		}
		help := helpOf(cmd)
		if at := strings.Index(help, "Examples:"); at < 0 || at != strings.Index(help, "\n\n")+2 {
			t.Errorf("%s: the examples do not come first", cmd.CommandPath())
		}
		for _, line := range strings.Split(help, "\n") {
			if n := len([]rune(line)); n > helpWidth || strings.TrimRight(line, " ") != line {
				t.Errorf("%s: %d columns: %q", cmd.CommandPath(), n, line)
			}
		}
	})
}

// TestExamplesOfHelpAreRight parses those that call edgescan, as a shell would.
func TestExamplesOfHelpAreRight(t *testing.T) {
	eachCommand(newRoot(), func(cmd *cobra.Command) {
		called := 0
		for _, line := range strings.Split(strings.ReplaceAll(cmd.Example, "\\\n", " "), "\n") {
			for _, part := range strings.Split(line, "|") {
				args, ok := exampleArgs(part)
				if !ok {
					continue
				}
				called++
				target, rest, err := newRoot().Find(joinSyslog(args))
				if err == nil {
					err = target.ParseFlags(rest)
				}
				if err != nil {
					t.Errorf("%s: %s: %v", cmd.CommandPath(), strings.TrimSpace(part), err)
				}
			}
		}
		if called == 0 {
			t.Errorf("%s: no example calls edgescan", cmd.CommandPath())
		}
	})
}

// exampleArgs returns the arguments of edgescan in a command line, without quotes,
// and whether it calls edgescan. What follows three spaces explains.
func exampleArgs(line string) (args []string, ok bool) {
	line, _, _ = strings.Cut(strings.TrimSpace(line), "   ")
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, " #")
	line, ok = strings.CutPrefix(line, "edgescan")
	var word strings.Builder
	quote := rune(0)
	flush := func() {
		if word.Len() > 0 {
			args = append(args, word.String())
		}
		word.Reset()
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote = r
		case r == ' ':
			flush()
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return args, ok
}
