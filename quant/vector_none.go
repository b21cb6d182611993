//go:build purego || !(amd64 || arm64)

package quant

// vectorUnits returns the vector units that this machine has and this package
// knows, the fastest first.
func vectorUnits() []*vectorUnit { return nil }
