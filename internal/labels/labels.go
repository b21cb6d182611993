// Package labels reads folders of labelled captures.
package labels

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edgescan/capture"
)

// ErrLabels means that a folder has no usable labels.csv.
var ErrLabels = errors.New("labels.csv")

// Capture is one labelled capture file.
type Capture struct {
	File      string // path
	Kind      string // "vertical", "horizontal", "block", "benign", or another that is not scored
	Scanners  []capture.Addr
	Ignored   []capture.Addr // sources that are not scored
	IgnoreAll bool           // all but the scanners are not scored
	Repo      string         // where it comes from; may be empty
}

// Scan reports whether the capture holds a scan.
func (c *Capture) Scan() bool { return len(c.Scanners) > 0 }

// Benign reports whether an alert in the capture is a false one.
func (c *Capture) Benign() bool { return c.Kind == "benign" && !c.Scan() }

// Scanner reports whether a is labelled as scanning.
func (c *Capture) Scanner(a capture.Addr) bool { return slices.Contains(c.Scanners, a) }

// Scored reports whether an alert about a counts, for or against a detector.
func (c *Capture) Scored(a capture.Addr) bool {
	return c.Scanner(a) || !c.IgnoreAll && !slices.Contains(c.Ignored, a)
}

// Read reads the labels.csv of a folder of captures, in the order of its
// rows. Rows of the same file are merged. Errors wrap ErrLabels.
func Read(dir string) ([]Capture, error) {
	f, err := os.Open(filepath.Join(dir, "labels.csv"))
	if err != nil {
		return nil, fmt.Errorf("%w: a folder of labelled captures needs one: %w", ErrLabels, err)
	}
	defer f.Close()
	captures, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%w in %s: %w", ErrLabels, dir, err)
	}
	for i := range captures {
		captures[i].File = filepath.Join(dir, captures[i].File)
	}
	return captures, nil
}

// parse reads the table. Columns are found by name; file, scanners and
// kind are needed, ignore and repo are used if there.
func parse(r io.Reader) ([]Capture, error) {
	table := csv.NewReader(r)
	header, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	column := func(name string) int { return slices.Index(header, name) }
	for _, name := range []string{"file", "scanners", "kind"} {
		if column(name) < 0 {
			return nil, fmt.Errorf("no column %q; have %s", name, strings.Join(header, ","))
		}
	}
	var captures []Capture
	index := map[string]int{}
	for {
		row, err := table.Read()
		if err == io.EOF {
			return captures, nil
		}
		if err != nil {
			return nil, err
		}
		field := func(name string) string {
			if i := column(name); i >= 0 {
				return row[i]
			}
			return ""
		}
		line, _ := table.FieldPos(0)
		name := field("file")
		if name == "" || !filepath.IsLocal(name) {
			return nil, fmt.Errorf("line %d: file %q must be a path inside the folder", line, name)
		}
		i, ok := index[name]
		if !ok {
			i = len(captures)
			index[name] = i
			captures = append(captures, Capture{File: name, Kind: field("kind"), Repo: field("repo")})
		}
		if err := captures[i].merge(field("kind"), field("scanners"), field("ignore")); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// merge adds one row's columns to its file's capture.
func (c *Capture) merge(kind, scanners, ignore string) error {
	scans, err := parseAddrs(scanners)
	if err != nil {
		return fmt.Errorf("scanners: %w", err)
	}
	if len(scans) > 0 && !c.Scan() {
		c.Kind = kind
	}
	c.Scanners = append(c.Scanners, scans...)
	if ignore == "*" {
		c.IgnoreAll = true
		return nil
	}
	ignored, err := parseAddrs(ignore)
	if err != nil {
		return fmt.Errorf("ignore: %w", err)
	}
	c.Ignored = append(c.Ignored, ignored...)
	return nil
}

func parseAddrs(list string) ([]capture.Addr, error) {
	var addrs []capture.Addr
	for _, s := range strings.Split(list, ";") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, capture.AddrFrom(a))
	}
	return addrs, nil
}
