package model

import (
	"bytes"
	_ "embed"
)

// defaultFloat is the network that quant's default model was made of; `make
// model` makes both.
//
//go:embed default.float
var defaultFloat []byte

// Default returns the float twin of the network that the program ships with.
func Default() (*Float, error) { return LoadFloat(bytes.NewReader(defaultFloat)) }
