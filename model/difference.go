package model

import (
	"math"

	"edgescan/quant"
)

// Difference is how far a float network and its int8 twin are apart; logits in
// nats.
type Difference struct {
	Same      int     // maps on which both say whether it shows a scan, at the int8 network's threshold
	Largest   float64 // of the logits on any map
	Undecided float64 // the largest on maps whose odds of a scan are within e^10 either way
	Mean      float64 // of all logits
}

// Difference compares f with its int8 twin n on the maps of d.
func (f *Float) Difference(n *quant.Network, d *Dataset) (Difference, error) {
	var diff Difference
	exact, err := f.Logits(d)
	if err != nil {
		return diff, err
	}
	classes := f.Arch.Classes()
	rounded, scratch, cells := make([]int32, classes), n.NewScratch(), make([]uint8, d.Shape().Size())
	for i := range d.Len() {
		d.Map(i, cells)
		if err := n.Run(rounded, cells, scratch); err != nil {
			return diff, err
		}
		logits := exact[i*classes:][:classes]
		if (scanScore(logits) >= n.Threshold()) == (quant.ScanScore(rounded) >= n.Threshold()) {
			diff.Same++
		}
		undecided := math.Abs(scanOdds(logits)) < undecidedLimit
		for c, v := range rounded {
			e := math.Abs(float64(logits[c]) - float64(v)/logitSteps)
			diff.Mean += e / float64(len(exact))
			diff.Largest = max(diff.Largest, e)
			if undecided {
				diff.Undecided = max(diff.Undecided, e)
			}
		}
	}
	return diff, nil
}
