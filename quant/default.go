package quant

import (
	"bytes"
	_ "embed"
)

// The models that the program ships with; `make model` makes them.
//
//go:embed default.esq
var defaultModel []byte

//go:embed flows.esq
var flowsModel []byte

// Default returns the network that the program ships with, for maps of packets.
func Default() (*Network, error) { return Load(bytes.NewReader(defaultModel)) }

// DefaultFlows returns that for maps of what flow records tell.
func DefaultFlows() (*Network, error) { return Load(bytes.NewReader(flowsModel)) }
