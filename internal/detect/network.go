package detect

import (
	"fmt"

	"edgescan/featurize"
	"edgescan/quant"
)

// Network is the Judge that runs on the device: the int8 network. It is not
// safe for concurrent use.
type Network struct {
	net     *quant.Network
	scratch *quant.Scratch
	logits  []int32
}

// NewNetwork returns a Judge that runs n. It fails with quant.ErrMismatch where
// n was made for other maps than featurize draws.
func NewNetwork(n *quant.Network) (*Network, error) {
	if err := n.CheckFeaturizer(featurize.Fingerprint); err != nil {
		return nil, err
	}
	if in := n.Arch().Input; in != (quant.Shape{Height: featurize.Rows, Width: featurize.Columns, Channels: featurize.Channels}) {
		return nil, fmt.Errorf("%w (model takes %v)", quant.ErrMismatch, in)
	}
	return &Network{net: n, scratch: n.NewScratch(), logits: make([]int32, n.Arch().Classes())}, nil
}

// Judge implements Judge.
func (j *Network) Judge(l *Look) uint32 {
	if err := j.net.Run(j.logits, l.Map[:], j.scratch); err != nil {
		return 0 // cannot be: NewNetwork checked the sizes
	}
	return quant.ScanScore(j.logits)
}
