package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"edgescan/featurize"
	"edgescan/internal/detect"
	"edgescan/quant"
)

// byteSize is a flag that holds a number of bytes, as 32MiB.
type byteSize int64

var byteUnits = []struct {
	suffix string
	size   int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"", 1}}

// String implements pflag.Value.
func (b *byteSize) String() string { return b.text() }

func (b byteSize) text() string {
	for i := len(byteUnits) - 2; i >= 0; i-- {
		if u := byteUnits[i]; int64(b) >= u.size && int64(b)%u.size == 0 {
			return fmt.Sprintf("%d%s", int64(b)/u.size, u.suffix)
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Set implements pflag.Value.
func (b *byteSize) Set(s string) error {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > 1<<40/u.size {
			break
		}
		*b = byteSize(n * u.size)
		return nil
	}
	return errors.New("want a size such as 32MiB")
}

// Type implements pflag.Value.
func (b *byteSize) Type() string { return "size" }

// choice is a flag that holds one of several words.
type choice struct {
	word string
	of   []string
}

// String implements pflag.Value.
func (c *choice) String() string { return c.word }

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.of, s) {
		return fmt.Errorf("%q is none of %s", s, strings.Join(c.of, ", "))
	}
	c.word = s
	return nil
}

// Type implements pflag.Value.
func (c *choice) Type() string { return strings.Join(c.of, "|") }

// randomKey draws the key of a live sensor's hashes.
func randomKey() featurize.Key {
	var b [16]byte
	rand.Read(b[:]) // never fails, crypto/rand says
	return featurize.Key{A: binary.LittleEndian.Uint64(b[:8]), B: binary.LittleEndian.Uint64(b[8:])}
}

// loadNetwork reads a model file, or takes a built-in model where path is empty: that
// for packets, or for flows.
func loadNetwork(path string, flows bool) (*quant.Network, error) {
	switch {
	case path == "" && flows:
		return quant.DefaultFlows()
	case path == "":
		return quant.Default()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	n, err := quant.Load(f)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return n, nil
}

// openModel loads a model and makes the Judge that runs it.
func openModel(path string, flows bool) (*detect.Network, uint32, error) {
	n, err := loadNetwork(path, flows)
	if err != nil {
		return nil, 0, err
	}
	judge, err := detect.NewNetwork(n)
	if err != nil {
		return nil, 0, err
	}
	return judge, n.Threshold(), nil
}
