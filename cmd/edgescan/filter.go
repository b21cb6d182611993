package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"edgescan/capture"
)

// filterUsage is what --help says of --filter.
const filterUsage = "look only at packets that this filter accepts, in the bytecode that tcpdump -ddd prints; it must be made for the link type of the packets: "

// packetFilter is the value of --filter. It may be given and empty, where the
// command that should have made it failed.
type packetFilter struct {
	text    string
	given   bool
	program capture.Bytecode // of parse; nil: everything
}

func (f *packetFilter) String() string { return f.text }
func (f *packetFilter) Type() string   { return "BYTECODE" }

func (f *packetFilter) Set(text string) error {
	f.text, f.given = text, true
	return nil
}

// parse reads the flag for the interfaces or files that it goes with. Its errors
// are those of the command line.
func (f *packetFilter) parse(interfaces, files []string) (err error) {
	if !f.given {
		return nil
	}
	parse := capture.ParseBytecode
	if len(interfaces) == 0 {
		parse = capture.ParseFileBytecode
	}
	f.program, err = parse(f.text)
	switch {
	case errors.Is(err, capture.ErrNotBytecode) && strings.TrimSpace(f.text) == "":
		return usageError{errors.New("--filter is empty: the tcpdump that should make it has failed")}
	case errors.Is(err, capture.ErrNotBytecode):
		return usageError{fmt.Errorf("--filter takes bytecode, which tcpdump makes of an expression; type\n    --filter \"$(%s)\"", compileCommand(f.text, interfaces, files))}
	case err != nil:
		return usageError{fmt.Errorf("--filter: %w", err)}
	}
	return nil
}

// compileCommand is the command that makes a filter of an expression.
func compileCommand(expression string, interfaces, files []string) string {
	words := "tcpdump -ddd " + compileFor(interfaces, files) + " "
	if strings.HasPrefix(expression, "-") {
		words += "-- "
	}
	// Within double quotes an interactive bash takes !word for a command of
	// its history.
	return words + shellQuote(strings.NewReplacer("!=", "!=", "!", "not ").Replace(expression))
}

// compileFor are the arguments that tell tcpdump the link type. PPP and tunnels
// it would compile for frames of its own making (Linux cooked), which edgescan does
// not see: there they are raw IP.
func compileFor(interfaces, files []string) string {
	if len(interfaces) > 0 {
		if i, err := net.InterfaceByName(interfaces[0]); err == nil && i.Flags&net.FlagPointToPoint != 0 {
			return "-y RAW"
		}
		return "-i " + shellQuote(interfaces[0])
	}
	if info, err := os.Stat(files[0]); err == nil && info.Mode().IsRegular() && filepath.Ext(files[0]) != ".gz" {
		return "-r " + shellQuote(files[0])
	}
	return "-y EN10MB"
}

// shellQuote returns a word as a POSIX shell takes it literally. What would do
// something to a terminal it shows as blanks, which are the same to tcpdump.
func shellQuote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	word = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFD' {
			return ' '
		}
		return r
	}, word)
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// checkLinks refuses interfaces of several link types, for which one program
// cannot be right.
func checkLinks(interfaces [][]*capture.Live) error {
	first := interfaces[0][0]
	for _, rings := range interfaces[1:] {
		if s := rings[0]; s.Link() != first.Link() {
			return usageError{fmt.Errorf("--filter is made for one link type, but %s has frames of %v and %s of %v: watch them with an edgescan each", first.Name(), first.Link(), s.Name(), s.Link())}
		}
	}
	return nil
}
