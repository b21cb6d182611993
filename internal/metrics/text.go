// Package metrics writes figures in the text format of Prometheus.
//
// Figures come in as arguments, bytes go out. It knows nothing of what it writes.
package metrics

import (
	"strconv"
	"strings"
)

// ContentType is that of the text format, version 0.0.4.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Kind says what a figure is.
type Kind string

// A Counter only grows until the program ends, a Gauge may do both.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

// Text is a page of the text format; the zero Text is an empty one.
type Text struct{ b []byte }

// Family begins a family of samples. Its name follows the rules of Prometheus.
func (t *Text) Family(name string, kind Kind, help string) {
	t.b = append(t.b, "# HELP "+name+" "+escapeHelp.Replace(help)+"\n# TYPE "+name+" "+string(kind)+"\n"...)
}

// Sample adds a sample of the family that was begun last, of the name. Labels
// are names and values by turns.
func (t *Text) Sample(name string, value float64, labels ...string) {
	t.b = append(t.b, name...)
	for i := 0; i+1 < len(labels); i += 2 {
		separator := ","
		if i == 0 {
			separator = "{"
		}
		t.b = append(t.b, separator+labels[i]+`="`+escape.Replace(labels[i+1])+`"`...)
	}
	if len(labels) > 1 {
		t.b = append(t.b, '}')
	}
	t.b = append(t.b, ' ')
	t.b = strconv.AppendFloat(t.b, value, 'g', -1, 64)
	t.b = append(t.b, '\n')
}

// One adds a family of a single sample without labels.
func (t *Text) One(name string, kind Kind, help string, value float64) {
	t.Family(name, kind, help)
	t.Sample(name, value)
}

// Bytes returns the page.
func (t *Text) Bytes() []byte { return t.b }

// What the format asks of the values of labels, and of help.
var (
	escape     = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	escapeHelp = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)
