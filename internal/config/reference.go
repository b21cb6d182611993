package config

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Reference writes a file that has every key, with its default and its help, as
// a comment: settings have no blank behind the #.
func Reference(w io.Writer, head string, keys []Key) error {
	var b strings.Builder
	comment(&b, head)
	for i := range keys {
		k := &keys[i]
		b.WriteByte('\n')
		comment(&b, k.Help)
		comment(&b, fmt.Sprintf("(--%s, %s) %s", k.Name, k.Variable(), k.Note))
		fmt.Fprintf(&b, "#%s: %s\n", k.Name, inLine(k, k.Default))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// comment writes a text as comments of lines of up to 90 bytes, where blanks
// allow that.
func comment(b *strings.Builder, text string) {
	for _, paragraph := range strings.Split(text, "\n") {
		line := "#"
		for _, word := range strings.Fields(paragraph) {
			if len(line)+1+len(word) > 90 {
				b.WriteString(line + "\n")
				line = "#"
			}
			line += " " + word
		}
		b.WriteString(line + "\n")
	}
}

// Show writes settings as a file, and behind each where it comes from.
func Show(w io.Writer, keys []Key, settings Settings) error {
	var b strings.Builder
	for i := range keys {
		value := settings[keys[i].Name]
		line := keys[i].Name + ": " + inLine(&keys[i], value.Texts)
		fmt.Fprintf(&b, "%-40s # %s\n", line, value.From)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// inLine returns a key's value as it stands in a line of a file.
func inLine(k *Key, texts []string) string {
	var words []string
	for _, text := range texts {
		words = append(words, scalar(k, text))
	}
	if k.List {
		return "[" + strings.Join(words, ", ") + "]"
	}
	return strings.Join(words, "")
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9_./:@%+-]*$`)
	keyword   = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|y|n|null)$|:$`)
)

// scalar returns a text as YAML reads it back. What Go's quotes escape YAML's
// double quotes do the same way.
func scalar(k *Key, text string) string {
	if k.Kind != Text || plainText.MatchString(text) && !keyword.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}
