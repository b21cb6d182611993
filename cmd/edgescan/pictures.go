package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"edgescan/internal/confine"
	"edgescan/internal/detect"
	"edgescan/internal/gallery"
	"edgescan/internal/picture"
	"edgescan/internal/record"
)

// What --picture may be.
const (
	pictureOff     = "off"
	pictureAuto    = "auto"
	pictureUnicode = "unicode"
	pictureASCII   = "ascii"
)

// Of --picture-keep.
const (
	defaultKept = 1000
	maxKept     = 1_000_000
)

// pictureFlags say which pictures go with alerts.
type pictureFlags struct {
	style  choice
	folder string
	keep   int
}

func newPictureFlags() pictureFlags {
	return pictureFlags{style: choice{pictureOff, []string{pictureOff, pictureAuto, pictureUnicode, pictureASCII}}, keep: defaultKept}
}

func (f *pictureFlags) add(flags *pflag.FlagSet) {
	flags.Var(&f.style, "picture", "draw what the source touched below each line on standard output: auto (without a value), in letters that the terminal has, unicode, ascii, or off")
	flags.Lookup("picture").NoOptDefVal = pictureAuto
	flags.StringVar(&f.folder, "picture-dir", "", "write a PNG of each scan to this folder, which is there; JSON names it as scan.picture")
	flags.IntVar(&f.keep, "picture-keep", f.keep, "how many PNGs to keep in it, the latest")
}

// check refuses what does not go together. json is where JSON goes.
func (f *pictureFlags) check(json string) error {
	switch {
	case f.style.word != pictureOff && json == "-":
		return usageError{errors.New("--picture draws below lines on standard output, where --json - writes JSON: use --picture-dir")}
	case f.keep < 1 || f.keep > maxKept:
		return usageError{fmt.Errorf("--picture-keep %d: want 1 to %d", f.keep, maxKept)}
	}
	return nil
}

// pictures draws what goes with alerts, nothing until it is opened.
type pictures struct {
	log     zerolog.Logger
	text    io.Writer // nil: none
	style   picture.TextStyle
	gallery *gallery.Gallery // nil: none
	skipped time.Time        // when the log last told of it
}

// open begins to draw what the flags ask for, as whom the program became. Live, nothing
// waits for a picture.
func (p *pictures) open(f *pictureFlags, live bool) error {
	if f.style.word != pictureOff {
		p.text, p.style = os.Stdout, f.textStyle(os.Getenv, isTerminal(os.Stdout))
	}
	if f.folder == "" {
		return nil
	}
	g, err := gallery.Open(f.folder, f.keep, func(err error) { p.log.Warn().Err(err).Msg("picture not written") })
	if err != nil {
		return fmt.Errorf("--picture-dir: %w", err)
	}
	g.Patient = !live
	p.gallery = g
	return nil
}

// textStyle returns what a terminal, or a file, can show.
func (f *pictureFlags) textStyle(env func(string) string, terminal bool) picture.TextStyle {
	style := picture.TextStyle{ASCII: f.style.word == pictureASCII, Colour: terminal && env("NO_COLOR") == "" && env("TERM") != "dumb"}
	if f.style.word == pictureAuto {
		style.ASCII = !speaksUTF8(env)
	}
	return style
}

// speaksUTF8 reports whether the locale of an environment has UTF-8.
func speaksUTF8(env func(string) string) bool {
	locale := cmp.Or(env("LC_ALL"), env("LC_CTYPE"), env("LANG"))
	return strings.Contains(strings.ReplaceAll(strings.ToLower(locale), "-", ""), "utf8")
}

// access is what writing the pictures needs.
func (f *pictureFlags) access(a *confine.Access) {
	if f.folder != "" {
		a.Write = append(a.Write, f.folder)
	}
}

// name has the PNG of an event drawn, and gives the event its name.
func (p *pictures) name(e *detect.Event, evidence *detect.Look) {
	if p.gallery == nil || e.Folded != nil {
		return
	}
	path, err := p.gallery.Put(e, evidence)
	if err != nil && time.Since(p.skipped) > time.Minute {
		p.skipped = time.Now()
		p.log.Warn().Err(err).Msg("scans have no picture")
	}
	e.Picture = path
}

// show draws the event below its line.
func (p *pictures) show(e *detect.Event, evidence *detect.Look) {
	if p.text == nil || e.Folded != nil || e.Allowed != "" {
		return
	}
	view := record.See(evidence)
	if _, err := io.WriteString(p.text, picture.Text(view.Drawable(), p.style)); err != nil {
		p.log.Warn().Err(err).Msg("picture not shown")
	}
}

// close draws what waits.
func (p *pictures) close() {
	if p.gallery != nil {
		p.gallery.Close()
	}
}
