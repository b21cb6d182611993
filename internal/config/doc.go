// Package config reads the settings of a program from a YAML file and from the
// environment, and says which of them count.
//
// The keys come in, as the program's flags make them; texts come out, which are
// set as if they stood on the command line. Everything is strict: a key that
// does not exist, that is there twice or whose value has the wrong type is an
// error with the file, the line and the key. The package opens no file, and
// reads neither clock nor environment: both contents are arguments.
package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrConfig is what all errors of this package are.
var ErrConfig = errors.New("bad configuration")

// Error is one thing that is wrong.
type Error struct {
	File    string // or the variable of the environment
	Line    int    // from 1; 0: none in particular
	Key     string // empty: none in particular
	Problem string
}

// Error returns FILE:LINE: KEY: PROBLEM.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	return b.String() + ": " + e.Problem
}

// Is makes every Error an ErrConfig.
func (e *Error) Is(target error) bool { return target == ErrConfig }

// Kind is what a value may be in the file.
type Kind int8

// Text is any scalar but true, false and nothing.
const (
	Text Kind = iota
	Bool
	Number
)

// Key is a setting.
type Key struct {
	Name    string
	Kind    Kind
	List    bool
	Group   string             // keys of a group replace one another, see Merge; empty: none
	Default []string           // one text, of lists any number
	Help    string             // one line
	Note    string             // more of it, for the reference; may be empty
	Check   func(string) error // what is wrong with a text; nil: nothing is
}

// Variable returns the key's variable of the environment.
func (k *Key) Variable() string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_"))
}

// check returns what is wrong with a text.
func (k *Key) check(text string) error {
	if k.Check == nil {
		return nil
	}
	return k.Check(text)
}

// Value is what one source says of a key.
type Value struct {
	Texts []string // one, of lists any number
	From  string   // FILE:LINE, the variable, the flag, or Default
}

// Default is where a value comes from that nothing sets.
const Default = "default"

// Values are what one source says, by the names of the keys.
type Values map[string]Value
