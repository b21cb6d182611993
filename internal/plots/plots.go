// Package plots draws how a training went and how detectors compare, for
// reports and the README.
//
// Plain numbers come in, an SVG or PNG goes out, the same one for the same
// numbers. Nothing that runs on the device may import it.
package plots

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

var (
	// ErrData is what errors about the numbers and names wrap: there are none,
	// their lengths do not match, or they have no place on the axes.
	ErrData = errors.New("data cannot be plotted")

	// ErrFormat is what errors about the kind of picture wrap.
	ErrFormat = errors.New("unknown picture format")
)

// Format is the kind of picture to write.
type Format uint8

// The formats.
const (
	SVG Format = iota
	PNG
)

// FormatOf returns the format that a file's ending asks for, in any case of
// letters. The error is ErrFormat.
func FormatOf(path string) (Format, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".svg":
		return SVG, nil
	case ".png":
		return PNG, nil
	default:
		return SVG, fmt.Errorf("%w: %q ends in neither .svg nor .png", ErrFormat, path)
	}
}

// WriteFile writes to path what draw draws in the format that the file's ending
// asks for. A plot that cannot be drawn leaves the file as it was.
func WriteFile(path string, draw func(io.Writer, Format) error) error {
	format, err := FormatOf(path)
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := draw(&picture, format); err != nil {
		return fmt.Errorf("plot %s: %w", path, err)
	}
	return os.WriteFile(path, picture.Bytes(), 0o644)
}
