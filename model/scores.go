package model

import (
	"math"

	"edgescan/quant"
)

// ScanScores returns how sure the float network is that each map of d shows a
// scan, in units of 1/65536 as the int8 network has them.
func (f *Float) ScanScores(d *Dataset) ([]uint32, error) {
	logits, err := f.Logits(d)
	if err != nil {
		return nil, err
	}
	n := f.Arch.Classes()
	scores := make([]uint32, d.Len())
	for i := range scores {
		scores[i] = scanScore(logits[i*n:][:n])
	}
	return scores, nil
}

// scanScore returns how sure the logits of one map are of a scan.
func scanScore(logits []float32) uint32 {
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(float64(l - logits[0]))
	}
	return uint32(math.Round(quant.One * (1 - 1/sum)))
}

// ScanScores runs an int8 network on the maps of d and returns its scores. The
// error is quant.ErrSize where they are not of its shape.
func ScanScores(n *quant.Network, d *Dataset) ([]uint32, error) {
	scratch := n.NewScratch()
	logits := make([]int32, n.Arch().Classes())
	cells := make([]uint8, d.Shape().Size())
	scores := make([]uint32, d.Len())
	for i := range scores {
		d.Map(i, cells)
		if err := n.Run(logits, cells, scratch); err != nil {
			return nil, err
		}
		scores[i] = quant.ScanScore(logits)
	}
	return scores, nil
}
