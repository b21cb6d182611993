package quant

import (
	"bytes"
	_ "embed"
)

// defaultModel is the model that the program ships with; `make model` makes it.
//
//go:embed default.esq
var defaultModel []byte

// Default returns the network that the program ships with.
func Default() (*Network, error) { return Load(bytes.NewReader(defaultModel)) }
