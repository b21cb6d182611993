//go:build manpage

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edgescan/internal/config"
)

// A program built with the tag manpage prints the part of edgescan(1) that its
// own commands and flags make up, or, told "keys", that of edgescan.yaml(5), and
// does nothing else. So the manual has what the program has, and the program that
// is shipped does not carry the writer.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "keys" {
		fmt.Print(manKeys(configKeys()))
	} else {
		fmt.Print(manCommands(newRoot()))
	}
	os.Exit(0)
}

// manWidth is where lines of the source end, which mandoc wants below 80.
const manWidth = 76

// manCommands returns the commands and their flags in mdoc(7).
func manCommands(root *cobra.Command) string {
	var b strings.Builder
	for _, cmd := range leaves(root) {
		name := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
		fmt.Fprintf(&b, ".Ss %s\n", name)
		b.WriteString(manText(cmd.Short + "."))
		flags := cmd.Flags()
		flags.AddFlagSet(cmd.InheritedFlags())
		if !flags.HasAvailableFlags() {
			continue
		}
		b.WriteString(".Bl -tag -width Ds\n")
		flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" {
				b.WriteString(manFlag(f))
			}
		})
		b.WriteString(".El\n")
	}
	return b.String()
}

// leaves returns the commands that do something themselves.
func leaves(cmd *cobra.Command) []*cobra.Command {
	var found []*cobra.Command
	for _, child := range cmd.Commands() {
		switch {
		case child.Hidden || child.Name() == "help":
		case child.HasSubCommands():
			found = append(found, leaves(child)...)
		default:
			found = append(found, child)
		}
	}
	return found
}

func manFlag(f *pflag.Flag) string {
	kind, usage := pflag.UnquoteUsage(f)
	var b strings.Builder
	b.WriteString(".It ")
	if f.Shorthand != "" {
		fmt.Fprintf(&b, "Fl %s , ", f.Shorthand)
	}
	fmt.Fprintf(&b, "Fl Fl %s", f.Name)
	switch kind = strings.TrimSuffix(strings.TrimSuffix(kind, "Array"), "Slice"); {
	case kind == "":
	case f.NoOptDefVal != "":
		fmt.Fprintf(&b, " Ns Op = Ns Ar %s", kind)
	default:
		fmt.Fprintf(&b, " Ar %s", kind)
	}
	b.WriteByte('\n')
	if def := f.DefValue; def != "" && def != "[]" && def != "false" && def != "0" && f.Name != "workers" { // as many as there are cores
		usage += " (default " + def + ")"
	}
	b.WriteString(manText(strings.ToUpper(usage[:1]) + usage[1:] + "."))
	return b.String()
}

// manKeys returns the keys of a configuration file in mdoc(7).
func manKeys(keys []config.Key) string {
	var b strings.Builder
	b.WriteString(".Bl -tag -width Ds\n")
	for _, k := range keys {
		kind := map[config.Kind]string{config.Text: "text", config.Bool: "true | false", config.Number: "number"}[k.Kind]
		if k.List {
			kind = "list"
		}
		fmt.Fprintf(&b, ".It Ic %s : Ar %s\n", k.Name, kind)
		text := k.Help + "."
		if len(k.Default) == 1 && k.Default[0] != "" && k.Kind != config.Bool && k.Name != "workers" {
			text += " By default " + k.Default[0] + "."
		}
		b.WriteString(manText(strings.ToUpper(text[:1]) + text[1:] + " " + k.Note))
	}
	b.WriteString(".El\n")
	return b.String()
}

// manText writes text as lines of a source: dashes as typed, a sentence begins a
// line, no line looks like a request.
func manText(text string) string {
	var b strings.Builder
	column := 0
	ended := false // a sentence
	for _, word := range strings.Fields(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)) {
		if column > 0 && (ended || column+1+len(word) > manWidth) {
			b.WriteByte('\n')
			column = 0
		}
		if column > 0 {
			b.WriteByte(' ')
			column++
		} else if word[0] == '.' || word[0] == '\'' {
			word = `\&` + word
		}
		b.WriteString(word)
		column += len(word)
		ended = strings.HasSuffix(word, ".")
	}
	b.WriteByte('\n')
	return b.String()
}
