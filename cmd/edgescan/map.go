package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/confine"
	"edgescan/internal/detect"
	"edgescan/internal/picture"
)

// maxPanels is how many sources a contact sheet shows: the busiest.
const maxPanels = 48

func newMap() *cobra.Command {
	var filter packetFilter
	var file, source, out, model string
	cmd := &cobra.Command{
		Use:   "map -r FILE -o OUT.png",
		Short: "Draw what each source of a capture touched",
		Example: `  edgescan map -r capture.pcap.gz -o all.png
  edgescan map -r capture.pcap.gz --src 10.50.0.66 -o scanner.png`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return drawMap(cmd.Context(), file, source, out, model, &filter)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&file, "read", "r", "", "capture file to read, - for standard input")
	flags.StringVar(&source, "src", "", "draw this source only, in full size: an address, or a prefix that was judged as a group")
	flags.Var(&filter, "filter", filterUsage+"tcpdump -ddd -r FILE EXPRESSION")
	flags.StringVarP(&out, "out", "o", "", "PNG file to write")
	flags.StringVar(&model, "model", "", "model file to use in place of the built-in one")
	return cmd
}

func drawMap(ctx context.Context, file, source, out, model string, filter *packetFilter) error {
	if file == "" || out == "" {
		return usageError{errors.New("give a capture (-r) and a picture (-o), see 'edgescan map --help'")}
	}
	only, err := parseSource(source)
	if err != nil {
		return usageError{fmt.Errorf("--src: %w", err)}
	}
	if err := filter.parse(nil, []string{file}); err != nil {
		return err
	}
	judge, threshold, err := openModel(model)
	if err != nil {
		return err
	}
	src, err := capture.Open(file)
	if err != nil {
		return err
	}
	defer src.Close()
	confineFiles(newLogger(), confine.Access{Write: outputFolders(out)})
	album, readErr := collect(judge, threshold, src, filter.program)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := album.write(out, only); err != nil {
		return err
	}
	if readErr != nil {
		return fmt.Errorf("the picture shows what came before: %w", readErr)
	}
	return nil
}

// party is a source, or a group of them.
type party struct {
	scope  featurize.Scope
	prefix netip.Prefix
}

// parseSource reads an address or a prefix; nothing is the zero party.
func parseSource(text string) (party, error) {
	if text == "" {
		return party{}, nil
	}
	if p, err := netip.ParsePrefix(text); err == nil && !p.IsSingleIP() {
		return party{featurize.Prefix, p.Masked()}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return party{}, err
	}
	return partyOf(a.Unmap()), nil
}

func partyOf(a netip.Addr) party { return party{featurize.Host, netip.PrefixFrom(a, a.BitLen())} }

func (p party) String() string {
	switch {
	case p.scope == featurize.Host:
		return p.prefix.Addr().String()
	case p.scope == featurize.Target:
		return "many on " + p.prefix.String()
	}
	return p.prefix.String()
}

// view is the map of one party that shows most contacts.
type view struct {
	party
	picture  featurize.Map
	contacts int
	window   int
	score    uint32 // of the map; 0 where it was not worth a look
}

// album keeps a view of each source. It is a Judge that keeps what it judges.
type album struct {
	judge     detect.Judge
	threshold uint32
	views     map[party]*view
}

// Judge implements detect.Judge.
func (a *album) Judge(l *detect.Look) uint32 {
	score := a.judge.Judge(l)
	a.keep(&view{party{l.Scope, l.Prefix()}, *l.Map, l.Summary.Contacts, l.Window, score})
	return score
}

// keep keeps the view with the most contacts.
func (a *album) keep(v *view) {
	if old := a.views[v.party]; old == nil || v.contacts >= old.contacts {
		a.views[v.party] = v
	}
}

// collect plays what a filter accepts of a capture. Sources that were never looked at are drawn as they
// stand at its end.
func collect(judge detect.Judge, threshold uint32, src capture.Source, only capture.Bytecode) (*album, error) {
	a := &album{judge: judge, threshold: threshold, views: map[party]*view{}}
	engine, err := detect.NewEngine(detect.Config{
		Memory:    detect.DefaultMemory,
		Key:       featurize.DefaultKey,
		Secret:    randomKey(),
		Threshold: detect.One + 1,
	}, a, func(*detect.Event) {})
	if err != nil {
		return nil, err
	}
	err = detect.Replay(engine, src, only)
	tracker := engine.Tracker()
	const window = len(featurize.Windows) - 1
	builder := featurize.NewBuilder(featurize.DefaultLayout())
	for i := 1; i < tracker.Sources(); i++ {
		s := tracker.Source(uint32(i))
		if s.Count == 0 || s.Scope != featurize.Host {
			continue
		}
		v := &view{party: partyOf(s.Addr.Netip()), window: window}
		v.contacts = builder.Draw(v.picture[:], tracker, uint32(i), window, 0).Contacts
		if a.views[v.party] == nil {
			a.keep(v)
		}
	}
	return a, err
}

// write draws one source, or a sheet of the busiest; of groups those that
// scan.
func (a *album) write(out string, only party) error {
	var views []*view
	for _, v := range a.views {
		if v.scope == featurize.Host || v.score >= a.threshold {
			views = append(views, v)
		}
	}
	if len(views) == 0 {
		return errors.New("the capture holds no contact to draw")
	}
	var one *view
	if only != (party{}) {
		if one = a.views[only]; one == nil && only.scope == featurize.Host {
			return fmt.Errorf("%s touched nothing in this capture", only)
		} else if one == nil {
			return fmt.Errorf("the hosts of %s were not judged as a group in this capture", only)
		}
	}
	slices.SortFunc(views, func(a, b *view) int {
		return cmp.Or(cmp.Compare(b.contacts, a.contacts), a.prefix.Compare(b.prefix), cmp.Compare(a.scope, b.scope))
	})
	return writeFile(out, func(w io.Writer) error {
		if one != nil {
			return picture.Draw(w, &one.picture, picture.Options{Title: one.title()})
		}
		var panels []picture.Panel
		for _, v := range views[:min(len(views), maxPanels)] {
			panels = append(panels, picture.Panel{Title: v.title(), Map: &v.picture})
		}
		return picture.Sheet(w, panels, picture.Options{})
	})
}

func (v *view) title() string {
	return fmt.Sprintf("%s  %d contacts, scan %.3f", v.party, v.contacts, float64(v.score)/detect.One)
}
