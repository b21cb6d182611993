package onnx

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgescan/quant"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// TestGolden holds the structure of what is written to a listing that people
// can read: operators, their inputs and settings, tensors, metadata.
func TestGolden(t *testing.T) {
	n := randomNetwork(t, newRand(1), architectures["small"])
	for name, form := range forms {
		got := parse(t, written(t, n, form)).String()
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: other than %s (go test ./quant/onnx -run TestGolden -update writes it anew):\n%s", name, path, got)
		}
	}
}

// String lists a model.
func (p parsed) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ir %d, opset %d\ninput %s\noutput %s\n\n", p.irVersion, p.opset, p.input, p.output)
	for _, n := range p.nodes {
		fmt.Fprintf(&b, "%s = %s(%s)", n.output, n.operator, strings.Join(n.inputs, ", "))
		for _, name := range slices.Sorted(maps.Keys(n.attributes)) {
			fmt.Fprintf(&b, " %s=%v", name, n.attributes[name])
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, name := range p.constantNames {
		c := p.constants[name]
		fmt.Fprintf(&b, "%s %s %v\n", name, kindNames[c.kind], c.dims)
	}
	b.WriteByte('\n')
	for _, m := range p.metadata {
		fmt.Fprintf(&b, "%s: %s\n", m[0], m[1])
	}
	return b.String()
}

// TestEvaluatesToTheSame reads what was written and computes it as the standard
// says. In float32 an accumulator may be rounded otherwise, but so seldom that
// none of these is.
func TestEvaluatesToTheSame(t *testing.T) {
	for name, arch := range architectures {
		if name == "shipped" {
			continue // too slow for a plain evaluation; onnxruntime does it
		}
		for seed := range uint64(3) {
			r := newRand(seed)
			n := randomNetwork(t, r, arch)
			for formName, form := range forms {
				p := parse(t, written(t, n, form))
				for range 20 {
					in := randomMap(r, arch.Input.Size(), r.Float64(), 255)
					want := make([]int32, arch.Classes())
					if err := n.RunReference(want, in); err != nil {
						t.Fatal(err)
					}
					got := evaluate(t, p, in, arch.Input.Height, arch.Input.Width, arch.Input.Channels)
					if !slices.Equal(got, want) {
						t.Errorf("%s, %s, seed %d: logits %v, want %v", name, formName, seed, got, want)
					}
				}
			}
		}
	}
}

func TestSameNetworkSameBytes(t *testing.T) {
	n, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written(t, n, Unsigned), written(t, n, Unsigned)) {
		t.Error("two models of one network differ")
	}
}

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }

func TestWriteFails(t *testing.T) {
	full := errors.New("disk full")
	n := randomNetwork(t, newRand(1), architectures["dense"])
	if err := Write(brokenWriter{full}, n, Exact); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}
