package model

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"edgescan/quant"
)

func toyMeta() quant.Meta {
	return quant.Meta{Featurizer: "toy", Classes: toyClasses, Threshold: quant.One / 2}
}

func TestQuantizedAgreesWithFloat(t *testing.T) {
	f, test := trainedToy(t), toySet(t, 5000, 3)
	n, err := Quantize(f, toySet(t, 1000, 4), toyMeta())
	if err != nil {
		t.Fatal(err)
	}
	c := compare(t, f, n, test)
	t.Logf("float %.4f, int8 %.4f, same verdict %.4f", c.float.Accuracy(), c.int8.Accuracy(), c.agreement())
	if c.agreement() < 0.99 {
		t.Errorf("int8 agrees with float on %.4f of the maps, want at least 0.99", c.agreement())
	}
}

// The int8 logits must be those of the float network, temperature included, up
// to the noise of quantization.
func TestQuantizedLogits(t *testing.T) {
	f := *trainedToy(t)
	f.Temperature = 2.5
	d := toySet(t, 200, 5)
	n, err := Quantize(&f, d, toyMeta())
	if err != nil {
		t.Fatal(err)
	}
	logits, err := f.Logits(d)
	if err != nil {
		t.Fatal(err)
	}
	if mean := logitError(t, n, logits, d); mean > 0.1 {
		t.Errorf("logits differ by %.3f nat on average", mean)
	}
	diff, err := f.Difference(n, d)
	if err != nil {
		t.Fatal(err)
	}
	if want := logitError(t, n, logits, d); math.Abs(diff.Mean-want) > 1e-9 || diff.Largest < diff.Undecided || diff.Undecided < diff.Mean {
		t.Errorf("difference %+v, mean should be %.6f", diff, want)
	}
}

// logitError returns the mean difference of the logits of n on d from those
// wanted, in nats.
func logitError(t *testing.T, n *quant.Network, want []float32, d *Dataset) float64 {
	t.Helper()
	scratch, out, cells := n.NewScratch(), make([]int32, len(toyClasses)), make([]uint8, d.Shape().Size())
	total := 0.0
	for i := range d.Len() {
		d.Map(i, cells)
		if err := n.Run(out, cells, scratch); err != nil {
			t.Fatal(err)
		}
		for c, v := range out {
			total += math.Abs(float64(v)/logitSteps - float64(want[len(out)*i+c]))
		}
	}
	return total / float64(len(want))
}

func TestQuantizeIsReproducible(t *testing.T) {
	var files [2]bytes.Buffer
	for i := range files {
		n, err := Quantize(trainedToy(t), toySet(t, 100, 4), toyMeta())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.WriteTo(&files[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the same network and maps give two int8 networks")
	}
}

// Outputs without weights, layers that are always 0, and biases that dwarf the
// weights must not break the conversion.
func TestQuantizeDegenerateLayers(t *testing.T) {
	f := newFloat(toyArch(), 1)
	clear(f.Layers[0].Weights)
	for i := range f.Layers[0].Biases {
		f.Layers[0].Biases[i] = -1
	}
	for i := range f.Layers[4].Weights {
		f.Layers[4].Weights[i] = 1e-20
	}
	f.Layers[4].Biases[0] = 1000
	if _, err := Quantize(f, toySet(t, 10, 1), toyMeta()); err != nil {
		t.Error(err)
	}
}

func TestTemperature(t *testing.T) {
	f, valid := trainedToy(t), toySet(t, 1000, 6)
	best, err := Temperature(f, valid)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := f.Logits(valid)
	if err != nil {
		t.Fatal(err)
	}
	at := func(temperature float64) float64 { return meanLoss(logits, valid, 3, temperature, nil) }
	if at(best) > at(best*1.05) || at(best) > at(best/1.05) {
		t.Errorf("temperature %g is no minimum: loss %g, beside it %g and %g", best, at(best), at(best*1.05), at(best/1.05))
	}
	hot := *f
	hot.Temperature = 3
	if again, err := Temperature(&hot, valid); err != nil || again != best {
		t.Errorf("temperature depends on the one that is set: %g and %g, %v", best, again, err)
	}
}

func TestConfusion(t *testing.T) {
	c := NewConfusion([]string{"benign", "scan"})
	for _, e := range [][2]int{{0, 0}, {0, 0}, {0, 1}, {1, 1}} {
		c.Add(e[0], e[1])
	}
	for name, x := range map[string][2]float64{
		"accuracy": {c.Accuracy(), 0.75}, "precision of benign": {c.Precision(0), 1}, "recall of benign": {c.Recall(0), 2. / 3},
		"precision of scan": {c.Precision(1), 0.5}, "recall of scan": {c.Recall(1), 1}, "accuracy of nothing": {NewConfusion(nil).Accuracy(), 0},
	} {
		if x[0] != x[1] {
			t.Errorf("%s is %g, want %g", name, x[0], x[1])
		}
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	want := `
  is \ taken for  benign  scan  precision %  recall %
          benign       2     1       100.00     66.67
            scan       0     1        50.00    100.00
      accuracy %   75.00
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("table %s, want %s", got, want)
	}
}

// comparison is how a network and its int8 twin do on the same examples.
type comparison struct {
	float, int8 *Confusion
	same        int // examples that both put in the same class
	examples    int
}

func (c comparison) agreement() float64 { return share(c.same, c.examples) }

// compare runs f and n, which is made of it, on d.
func compare(t *testing.T, f *Float, n *quant.Network, d *Dataset) comparison {
	t.Helper()
	logits, err := f.Logits(d)
	if err != nil {
		t.Fatal(err)
	}
	names := n.Meta().Classes
	c := comparison{float: NewConfusion(names), int8: NewConfusion(names), examples: d.Len()}
	scratch := n.NewScratch()
	cells, out := make([]uint8, d.shape.Size()), make([]int32, len(names))
	for i := range d.Len() {
		d.Map(i, cells)
		if err := n.Run(out, cells, scratch); err != nil {
			t.Fatal(err)
		}
		a, b := argmax(logits[i*len(names):][:len(names)]), argmax(out)
		c.float.Add(d.Label(i), a)
		c.int8.Add(d.Label(i), b)
		if a == b {
			c.same++
		}
	}
	return c
}
