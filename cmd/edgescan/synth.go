//go:build !device

package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edgescan/capture"
	"edgescan/internal/dataset"
	"edgescan/internal/flowlog"
	"edgescan/internal/synth"
)

func newSynth() *cobra.Command {
	var out, labels, flows, pictures string
	var count int
	var seed uint64
	var opt synth.Options
	cmd := &cobra.Command{
		Use:   "synth (-o OUT.pcap | --pictures DIR)",
		Short: "Make labelled synthetic traffic as a capture file",
		Long:  synthHelp(),
		Example: `  edgescan synth -o scene.pcap --labels scene.csv --seed 7
  edgescan synth -o p2p.pcap --only bittorrent --seed 7
  edgescan synth -o conn.log --flows zeek --labels scene.csv
  edgescan synth --pictures DIR --count 200     labelled pictures of sources`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (out == "") == (pictures == "") {
				return usageError{errors.New("give a file to write (-o), or a folder for pictures (--pictures), see 'edgescan synth --help'")}
			}
			for _, name := range opt.Only {
				if !slices.ContainsFunc(synth.Behaviours(), func(b synth.Behaviour) bool { return b.Name == name }) {
					return usageError{fmt.Errorf("--only %s: no such behaviour, see 'edgescan synth --help'", name)}
				}
			}
			if flows != "" {
				if _, err := flowlog.New(flows); err != nil {
					return usageError{fmt.Errorf("--flows %w", err)}
				}
			}
			if pictures != "" {
				if count < 1 || count > maxSynthPictures {
					return usageError{fmt.Errorf("--count %d: want 1 to %d", count, maxSynthPictures)}
				}
				return writePictures(cmd.Context(), pictures, seed, count, opt)
			}
			return writeScene(synth.Generate(seed, opt), out, labels, flows)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "out", "o", "", "pcap file to write, or flow log with --flows")
	flags.StringVar(&flows, "flows", "", "write flows in place of packets, as: "+strings.Join(flowlog.Names(), ", "))
	flags.StringVar(&labels, "labels", "", "CSV file for the labels")
	flags.StringVar(&pictures, "pictures", "", "write pictures of sources in place of packets, to scan/ and benign/ in this folder, with a labels.csv")
	flags.IntVar(&count, "count", 100, "how many pictures; scenes of the following seeds are taken until there are so many")
	flags.Uint64Var(&seed, "seed", 1, "what everything is drawn from")
	flags.IntVar(&opt.MaxFrames, "max-frames", 0, "most frames to make (default 60000)")
	flags.StringSliceVar(&opt.Only, "only", nil, "behaviours to play, separated by commas; see 'edgescan synth --help'")
	return cmd
}

// synthHelp lists the behaviours.
func synthHelp() string {
	var b strings.Builder
	b.WriteString("Sources behave in these ways:\n")
	for _, kind := range synth.Behaviours() {
		b.WriteString("\n" + wrapText(fmt.Sprintf("  %-14s ", kind.Name), kind.About))
	}
	b.WriteString("\n\nFlow logs (--flows) are:\n")
	for _, name := range flowlog.Names() {
		b.WriteString("\n" + wrapText(fmt.Sprintf("  %-14s ", name), flowlog.About(name)))
	}
	return b.String()
}

func writeScene(s *synth.Scene, out, labels, flows string) error {
	write := s.WritePcap
	if flows != "" {
		write = func(w io.Writer) error { return writeFlows(s, flows, w) }
	}
	if err := writeFile(out, write); err != nil {
		return err
	}
	if labels == "" {
		return nil
	}
	return writeFile(labels, func(w io.Writer) error { return s.WriteLabels(w, filepath.Base(out)) })
}

// writeFlows writes a scene as a flow log.
func writeFlows(s *synth.Scene, format string, w io.Writer) error {
	log, err := flowlog.New(format)
	if err != nil {
		return err
	}
	dataset.Decode(s, func(_ *synth.Frame, p *capture.Packet) { log.Add(p) })
	_, err = log.WriteTo(w)
	return err
}
