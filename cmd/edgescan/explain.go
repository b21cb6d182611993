//go:build !device

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgescan/featurize"
	"edgescan/internal/alert"
	"edgescan/internal/explain"
	"edgescan/internal/picture"
	"edgescan/internal/record"
)

// maxRows is how many lines of each kind an explanation has.
const maxRows = 8

func newExplain() *cobra.Command {
	f := newStudyFlags()
	var source string
	cmd := &cobra.Command{
		Use:   "explain (-r FILE | --flows FILE)... --src ADDRESS",
		Short: "Say why a source is taken for a scanner, or is not",
		Long: `Parts of the source's map are left out one by one, and the odds of a scan
compared. The effect of a part is by how much their logarithm falls without it;
one below 0 speaks against a scan.`,
		Example: `  edgescan explain -r capture.pcap.gz --src 10.50.0.66
  edgescan explain -r capture.pcap.gz --src 10.50.0.66 --at 07:19:08 -o why.svg
  edgescan explain --flows conn.log --src 10.50.0.66`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return explainSource(cmd.Context(), f, source) },
	}
	flags := cmd.Flags()
	f.add(flags, "PNG or SVG file for the map, with cells as large as their effect")
	flags.StringVar(&source, "src", "", "the source: an address, or a prefix that was judged as a group")
	flags.Var(&f.at, "at", "explain the source as it stood at this time, as 'edgescan map --help' says")
	return cmd
}

func explainSource(ctx context.Context, f *studyFlags, source string) (err error) {
	if source == "" {
		return usageError{errors.New("give a source (--src), see 'edgescan explain --help'")}
	}
	if f.wanted, err = parseSource(source); err != nil {
		return usageError{fmt.Errorf("--src: %w", err)}
	}
	s, err := f.study(ctx, simpleRules)
	if err != nil {
		return err
	}
	found, err := s.find(f.wanted)
	if err != nil {
		return err
	}
	network, err := loadNetwork(f.model, f.ofFlows())
	if err != nil {
		return err
	}
	why, err := explain.Explain(network, featurize.DefaultKey, &found.Best.Map, found.Best.Drawable())
	if err != nil {
		return err
	}
	if err := s.tell(os.Stdout, found, why, network.Meta().Classes); err != nil {
		return err
	}
	if f.out != "" {
		err = writeFile(f.out, func(w io.Writer) error {
			return picture.Effects(w, &why.Cells, picture.Options{Format: formatOf(f.out), Title: title(found)})
		})
	}
	return errors.Join(err, s.unread)
}

// tell prints an explanation beside the plain counts.
func (s *study) tell(w io.Writer, source *record.Source, why *explain.Explanation, classes []string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\n%s, window %s\n\n", title(source), span(source.Best.Contacts), time.Duration(featurize.Windows[source.Best.Window]))
	for i, p := range why.Classes {
		fmt.Fprintf(t, "%s\t%.2f%%\n", classes[i], 100*p)
	}
	fmt.Fprintf(t, "log-odds of a scan\t%+.1f\n\neffect\tcontacts\tanswers\n", why.Odds)
	for _, p := range why.Outcomes {
		fmt.Fprintf(t, "%+.1f\t%d\t%s\n", p.Effect, len(p.Contacts), featurize.ChannelNames[p.Index])
	}
	fmt.Fprint(t, "\neffect\tcontacts\thosts\n")
	for _, p := range first(why.Rows) {
		var names []string
		for _, host := range p.Hosts() {
			names = append(names, host.String())
		}
		fmt.Fprintf(t, "%+.1f\t%d\t%s\n", p.Effect, len(p.Contacts), shortList(names))
	}
	fmt.Fprint(t, "\neffect\tcontacts\tports\n")
	for _, p := range first(why.Columns) {
		var names []string
		for _, port := range p.Ports() {
			names = append(names, portOf(port))
		}
		fmt.Fprintf(t, "%+.1f\t%d\t%s\n", p.Effect, len(p.Contacts), shortList(names))
	}
	fmt.Fprintln(t)
	for _, fact := range counts(source.Best.Contacts) {
		fmt.Fprintf(t, "%s\t%s\n", strings.ToLower(fact.Name), fact.Value)
	}
	fmt.Fprintf(t, "\nedgescan\t%s\n", namedAt(source))
	for i, rule := range s.recorder.Rules() {
		fmt.Fprintf(t, "%s\t%s\n", rule, named(source.Rules[i]))
	}
	return t.Flush()
}

// first returns the parts that there are lines for.
func first(parts []explain.Part) []explain.Part { return parts[:min(len(parts), maxRows)] }

// shortList names three, and how many there are besides.
func shortList(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func portOf(p explain.Port) string {
	if p.Proto.HasPorts() {
		return p.Proto.String() + " " + alert.PortName(p.Number)
	}
	return p.Proto.String()
}

// namedAt says when the network named a source.
func namedAt(s *record.Source) string {
	if len(s.Incidents) == 0 {
		return named(0)
	}
	return named(s.Incidents[0].First.Time)
}

func named(at int64) string {
	if at == 0 {
		return "did not name it"
	}
	return "named it at " + moment(at).UTC().Format("2006-01-02 15:04:05.000")
}
