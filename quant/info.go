package quant

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// Info writes what n is, to be read by people: layers with shapes, multiply-adds
// and bytes of parameters, then the kernels in use, classes, threshold and provenance.
func (n *Network) Info(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	n.infoLayers(t)
	fmt.Fprintln(t)
	n.infoMeta(t)
	return t.Flush()
}

// infoLayers writes the table of layers. Errors of w show up at the flush.
func (n *Network) infoLayers(w io.Writer) {
	fmt.Fprintf(w, "layer\toutput\tmultiply-adds\tbytes\n")
	fmt.Fprintf(w, "input\t%s\t\t\n", n.shapes[0])
	total := 0
	for i, l := range n.arch.Layers {
		size := n.params[i].size()
		total += size
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", l, n.shapes[i+1], n.layerMultiplyAdds(i), size)
	}
	fmt.Fprintf(w, "all\t\t%d\t%d\n", n.MultiplyAdds(), total)
}

// infoMeta writes everything else.
func (n *Network) infoMeta(w io.Writer) {
	m := n.meta
	fmt.Fprintf(w, "kernels\t%s\n", n.unit)
	fmt.Fprintf(w, "classes\t%q\n", m.Classes)
	fmt.Fprintf(w, "threshold\t%d/%d (%.4f)\n", m.Threshold, One, float64(m.Threshold)/One)
	fmt.Fprintf(w, "featurizer\t%s\n", m.Featurizer)
	fmt.Fprintf(w, "seed\t%d\n", m.Provenance.Seed)
	fmt.Fprintf(w, "data\t%s\n", m.Provenance.Data)
	for _, name := range slices.Sorted(maps.Keys(m.Provenance.Figures)) {
		fmt.Fprintf(w, "%s\t%s\n", name, m.Provenance.Figures[name])
	}
}

// size returns the bytes of p in a model file.
func (p Params) size() int {
	return len(p.Weights) + len(p.Bias)*(4+4+1)
}

// String returns the shape as 32x48x8.
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.Height, s.Width, s.Channels) }

// String returns the layer in a few words, as "conv 3x3 stride 1".
func (l Layer) String() string {
	if l.Kind == Dense {
		return string(l.Kind)
	}
	v, h := l.strides()
	if v == h {
		return fmt.Sprintf("%s %dx%d stride %d", l.Kind, l.Height, l.Width, v)
	}
	return fmt.Sprintf("%s %dx%d stride %dx%d", l.Kind, l.Height, l.Width, v, h)
}
