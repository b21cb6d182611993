package dataset

import (
	"fmt"
	"slices"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/internal/labels"
)

// Captures plays labelled captures and gives each map that the Engine looks
// at to emit: those of a scanner with the capture's kind, those of other
// scored sources as benign. A file that is damaged counts as far as it can be
// read.
func Captures(captures []labels.Capture, emit func(*Sample)) error {
	for i := range captures {
		c := &captures[i]
		class := slices.Index(Classes, c.Kind)
		if class < 0 {
			continue
		}
		src, err := capture.Open(c.File)
		if err != nil {
			return fmt.Errorf("training capture: %w", err)
		}
		engine, err := detect.NewEngine(detect.Config{
			Memory:    detect.DefaultMemory,
			Key:       featurize.DefaultKey,
			Threshold: detect.One + 1,
		}, labeller{c, class, emit}, func(*detect.Event) {})
		if err != nil {
			return err
		}
		_ = detect.Replay(engine, src, nil) // what can be read of a damaged file is as good as any
		src.Close()
	}
	return nil
}

// labeller is the Judge that takes its labels from a capture's.
type labeller struct {
	capture *labels.Capture
	class   int
	emit    func(*Sample)
}

func (b labeller) Judge(l *detect.Look) uint32 {
	class := Benign
	switch {
	case l.Scope != featurize.Host || !b.capture.Scored(l.Source):
		return 0
	case b.capture.Scanner(l.Source):
		class = b.class
	}
	b.emit(&Sample{Look: l, Class: class, Scans: class != Benign})
	return 0
}
