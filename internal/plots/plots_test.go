package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples are plots with texts that must be in them.
var samples = []struct {
	name  string
	draw  func(io.Writer, Format) error
	texts []string
}{
	{"loss", func(w io.Writer, f Format) error {
		return Loss(w, f, []float64{0.5, 0.2, 0.09, 0.04}, []float64{0.4, 0.1, 0.05, 0.06})
	}, []string{"Loss by epoch", "epoch", "mean loss (nats, log scale)", "training", "validation", "best: epoch 3, 0.05 nats", "0.02", "4"}},
	{"loss of one epoch, of nothing", func(w io.Writer, f Format) error {
		return Loss(w, f, []float64{0}, []float64{0})
	}, []string{"best: epoch 1, 0 nats"}},
	{"roc", func(w io.Writer, f Format) error {
		return ROC(w, f, []Curve{
			{"float", []float64{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true}},
			{"int8 <&>", []float64{1, 1, 2, 2}, []bool{false, false, true, true}},
		})
	}, []string{"float (AUC 0.75000)", "int8 <&> (AUC 1.00000)", "0.001%", "100%",
		"false positive rate (share of benign examples flagged, log scale)", "true positive rate (share of scans flagged)"}},
	{"reliability", func(w io.Writer, f Format) error {
		return Reliability(w, f, []float64{0.1, 0.2, 0.9, 1}, []bool{false, false, true, true}, 5)
	}, []string{"Reliability: expected calibration error 0.1000", "mean score of the examples in a bin (0 to 1)",
		"share of scans in the bin (0 to 1)", "examples in each bin", "score is the probability"}},
	{"confusion", func(w io.Writer, f Format) error {
		return Confusion(w, f, [][]int{{1234, 5, 0}, {1, 2, 1}, {0, 0, 0}}, []string{"benign", "vertical", "horizontal"})
	}, []string{"benign", "vertical", "horizontal", "1234", "99.60%", "50.00%", "true class", "class that the network names"}},
	{"confusion of many classes", func(w io.Writer, f Format) error {
		return Confusion(w, f, make12(), strings.Split("abcdefghijkl", ""))
	}, []string{"l", "100.00%"}},
	{"delays", func(w io.Writer, f Format) error {
		return Delays(w, f, []Series{{"network", []int{6, 4, 8, -1}}, {"threshold", []int{-1, -1, 400, 0}}, {"nothing", []int{-1}}})
	}, []string{"network: 3 of 4, half by 6", "threshold: 2 of 4, half by 400", "nothing: 0 of 1",
		"distinct contacts that the scan has made (log scale)", "share of scans found", "100"}},
	{"rates", func(w io.Writer, f Format) error {
		return FalseRates(w, f, []string{"crawler", "resolver"}, []string{"network", "threshold"}, [][]float64{{0, 12.5}, {0.002, 1e-12}})
	}, []string{"crawler", "resolver", "network", "threshold", "12.5", "0.002", "1e-12", "sources flagged per day (log scale)"}},
	{"rates of nothing", func(w io.Writer, f Format) error {
		return FalseRates(w, f, []string{"crawler"}, []string{"network"}, [][]float64{{0}})
	}, []string{"0", "0.1", "10"}},
	{"a name wider than the picture", func(w io.Writer, f Format) error {
		long := strings.Repeat("behaviour ", 30)
		return FalseRates(w, f, []string{long}, []string{long, long}, [][]float64{{mostLog, math.SmallestNonzeroFloat64}})
	}, []string{"sources flagged per day (log scale)"}},
}

func make12() [][]int {
	counts := make([][]int, 12)
	for i := range counts {
		counts[i] = make([]int, 12)
		counts[i][i] = 100_000
	}
	return counts
}

// svgTexts returns what is written in an SVG, and fails unless it is well-formed.
func svgTexts(t *testing.T, svg []byte) map[string]bool {
	t.Helper()
	texts := map[string]bool{}
	inText := false
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				texts[string(token)] = true
			}
		}
	}
}

func TestSVG(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			var first, second bytes.Buffer
			if err := s.draw(&first, SVG); err != nil {
				t.Fatal(err)
			}
			if err := s.draw(&second, SVG); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("drawn twice, the bytes differ")
			}
			if bytes.Contains(first.Bytes(), []byte("NaN")) || bytes.Contains(first.Bytes(), []byte("Inf")) {
				t.Error("a coordinate is no number")
			}
			if !bytes.Contains(first.Bytes(), []byte("Liberation Sans,Arial,")) {
				t.Error("no font to fall back to")
			}
			texts := svgTexts(t, first.Bytes())
			for _, want := range s.texts {
				if !texts[want] {
					t.Errorf("no text %q", want)
				}
			}
		})
	}
}

func TestPNG(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			var first, second bytes.Buffer
			if err := s.draw(&first, PNG); err != nil {
				t.Fatal(err)
			}
			if err := s.draw(&second, PNG); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("drawn twice, the bytes differ")
			}
			config, err := png.DecodeConfig(&first)
			if err != nil {
				t.Fatal(err)
			}
			if config.Width < 1280 || config.Height < 800 {
				t.Errorf("%d x %d pixels, want at least 1280 x 800", config.Width, config.Height)
			}
		})
	}
}

func TestBadData(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	both, eight := []bool{true, false}, make([]string, 8)
	for i := range eight {
		eight[i] = "d"
	}
	curve := func(name string, scores []float64, scan []bool) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return ROC(w, f, []Curve{{name, scores, scan}}) }
	}
	loss := func(training, validation []float64) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return Loss(w, f, training, validation) }
	}
	bins := func(scores []float64, scan []bool, bins int) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return Reliability(w, f, scores, scan, bins) }
	}
	matrix := func(counts [][]int, classes ...string) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return Confusion(w, f, counts, classes) }
	}
	delays := func(series ...Series) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return Delays(w, f, series) }
	}
	rates := func(behaviours, detectors []string, rates [][]float64) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return FalseRates(w, f, behaviours, detectors, rates) }
	}
	for name, draw := range map[string]func(io.Writer, Format) error{
		"no losses":             loss(nil, nil),
		"fewer losses":          loss([]float64{1, 2}, []float64{1}),
		"loss NaN":              loss([]float64{nan}, []float64{1}),
		"loss infinite":         loss([]float64{1}, []float64{inf}),
		"loss negative":         loss([]float64{1}, []float64{-1}),
		"no curves":             func(w io.Writer, f Format) error { return ROC(w, f, nil) },
		"no scores":             curve("a", nil, nil),
		"fewer scores":          curve("a", []float64{1}, both),
		"score NaN":             curve("a", []float64{1, nan}, both),
		"score infinite":        curve("a", []float64{1, inf}, both),
		"only scans":            curve("a", []float64{1, 2}, []bool{true, true}),
		"only benign":           curve("a", []float64{1, 2}, []bool{false, false}),
		"no name":               curve("", []float64{1, 2}, both),
		"control character":     curve("a\x00", []float64{1, 2}, both),
		"no UTF-8":              curve("a\xff", []float64{1, 2}, both),
		"nothing in bins":       bins(nil, nil, 10),
		"fewer in bins":         bins([]float64{1}, both, 10),
		"no bins":               bins([]float64{0, 1}, both, 0),
		"too many bins":         bins([]float64{0, 1}, both, maxBins+1),
		"no probability":        bins([]float64{0, 1.1}, both, 10),
		"probability NaN":       bins([]float64{0, nan}, both, 10),
		"no classes":            matrix(nil),
		"fewer rows":            matrix([][]int{{1, 2}}, "a", "b"),
		"fewer columns":         matrix([][]int{{1, 2}, {1}}, "a", "b"),
		"negative count":        matrix([][]int{{1, 2}, {1, -1}}, "a", "b"),
		"no series":             delays(),
		"no delays":             delays(Series{Name: "a"}),
		"huge delay":            delays(Series{"a", []int{math.MaxInt32}}),
		"too many series":       delays(make([]Series, len(colours)+1)...),
		"no behaviours":         rates(nil, []string{"a"}, nil),
		"no detectors":          rates([]string{"a"}, nil, [][]float64{{}}),
		"too many detectors":    rates([]string{"a"}, eight, [][]float64{make([]float64, 8)}),
		"fewer rows of rates":   rates([]string{"a", "b"}, []string{"a"}, [][]float64{{1}}),
		"more rates in a row":   rates([]string{"a"}, []string{"a"}, [][]float64{{1, 2}}),
		"rate negative":         rates([]string{"a"}, []string{"a"}, [][]float64{{-1}}),
		"rate NaN":              rates([]string{"a"}, []string{"a"}, [][]float64{{nan}}),
		"behaviour with a line": rates([]string{"a\nb"}, []string{"a"}, [][]float64{{1}}),
	} {
		var out bytes.Buffer
		if err := draw(&out, SVG); !errors.Is(err, ErrData) {
			t.Errorf("%s: got %v, want ErrData", name, err)
		}
		if out.Len() > 0 {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := samples[0].draw(io.Discard, PNG+1); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	for _, format := range []Format{SVG, PNG} {
		if err := samples[0].draw(fullDisk{}, format); !errors.Is(err, errFull) {
			t.Errorf("format %d: got %v, want the writer's error", format, err)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	for name, start := range map[string]string{"loss.svg": "<?xml", "loss.PNG": "\x89PNG"} {
		path := filepath.Join(dir, name)
		if err := WriteFile(path, samples[0].draw); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(got), start) {
			t.Errorf("%s: %v, starts with %q, want %q", name, err, got[:min(len(got), 5)], start)
		}
	}
	if err := WriteFile(filepath.Join(dir, "loss.jpg"), samples[0].draw); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
	path := filepath.Join(dir, "loss.svg")
	before, _ := os.ReadFile(path)
	err := WriteFile(path, func(w io.Writer, _ Format) error {
		io.WriteString(w, "half a picture")
		return ErrData
	})
	after, _ := os.ReadFile(path)
	if !errors.Is(err, ErrData) || !bytes.Equal(before, after) {
		t.Errorf("got %v, want ErrData and the old file", err)
	}
}
