//go:build !device && (amd64 || arm64)

package main

import (
	"io"
	"os"
	"path/filepath"

	"edgescan/internal/dataset"
	"edgescan/internal/eval"
	"edgescan/internal/plots"
	"edgescan/model"
	"edgescan/quant"
)

// plotFiles writes pictures into a folder, which it makes. It keeps the first
// error.
type plotFiles struct {
	dir string
	err error
}

func (p *plotFiles) write(name string, draw func(io.Writer, plots.Format) error) {
	if p.err == nil {
		p.err = os.MkdirAll(p.dir, 0o755)
	}
	if p.err == nil {
		p.err = plots.WriteFile(filepath.Join(p.dir, name), draw)
	}
}

// plotTraining draws how a training went.
func plotTraining(dir string, report model.Report, confusion *model.Confusion) error {
	var training, validation []float64
	for _, e := range report.Epochs {
		training, validation = append(training, e.TrainLoss), append(validation, e.ValidLoss)
	}
	p := plotFiles{dir: dir}
	p.write("loss.svg", func(w io.Writer, f plots.Format) error { return plots.Loss(w, f, training, validation) })
	p.write("confusion.svg", func(w io.Writer, f plots.Format) error {
		return plots.Confusion(w, f, confusion.Counts, dataset.Classes)
	})
	return p.err
}

// reliabilityBins is how many bins the reliability diagram has.
const reliabilityBins = 10

// plotEvaluation draws how an int8 network does on held-out synthetic scenes
// and their maps.
func plotEvaluation(dir string, network *quant.Network, held *model.Dataset, trial *eval.Synthetic) error {
	scores, err := model.ScanScores(network, held)
	if err != nil {
		return err
	}
	maps := plots.Curve{Name: "single maps"}
	for i, s := range scores {
		maps.Scores = append(maps.Scores, float64(s)/quant.One)
		maps.Scan = append(maps.Scan, held.Label(i) != dataset.Benign)
	}
	windows := plots.Curve{Name: "sources in ten minutes"}
	for _, w := range trial.Windows {
		windows.Scores = append(windows.Scores, float64(w.Score)/quant.One)
		windows.Scan = append(windows.Scan, w.Scans)
	}
	detectors := append([]string{"edgescan"}, trial.Rules...)
	p := plotFiles{dir: dir}
	p.write("roc.svg", func(w io.Writer, f plots.Format) error { return plots.ROC(w, f, []plots.Curve{windows, maps}) })
	p.write("reliability.svg", func(w io.Writer, f plots.Format) error {
		return plots.Reliability(w, f, maps.Scores, maps.Scan, reliabilityBins)
	})
	p.write("delays.svg", func(w io.Writer, f plots.Format) error {
		return plots.Delays(w, f, delaySeries(detectors, trial))
	})
	p.write("false-alerts.svg", func(w io.Writer, form plots.Format) error {
		behaviours, rates := trial.FalseRates(network.Threshold())
		return plots.FalseRates(w, form, behaviours, detectors, rates)
	})
	return p.err
}

// delaySeries turns the delays by source into those by detector.
func delaySeries(detectors []string, trial *eval.Synthetic) []plots.Series {
	series := make([]plots.Series, len(detectors))
	for i, name := range detectors {
		series[i].Name = name
		for _, d := range trial.Delays {
			series[i].Values = append(series[i].Values, d.Contacts[i])
		}
	}
	return series
}
