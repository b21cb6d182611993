package model

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"

	"edgescan/quant"
)

func TestFloatRoundTrip(t *testing.T) {
	for i := range 20 {
		r := rand.New(rand.NewPCG(uint64(i), 3))
		want := randomFloat(r, randomArch(r))
		want.Temperature = 0.5 + r.Float64()
		got, err := LoadFloat(bytes.NewReader(fileOf(t, want)))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v came back as %+v", want.Arch, got.Arch)
		}
	}
}

func TestLoadFloatDamage(t *testing.T) {
	file := fileOf(t, newFloat(toyArch(), 1))
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(file)) }
	rewrite := func(h floatHeader, body []byte) []byte {
		var b bytes.Buffer
		if _, err := floatFile.write(&b, h, body); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	body := newFloat(toyArch(), 1).appendBody(nil)
	huge := quant.Arch{Input: quant.Shape{Height: 1024, Width: 1024, Channels: 1024},
		Layers: []quant.Layer{{Kind: quant.Dense, Out: 1024}}}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":           {nil, ErrFormat},
		"magic":           {change(func(b []byte) []byte { b[0]++; return b }), ErrFormat},
		"version":         {change(func(b []byte) []byte { b[8]++; return b }), ErrVersion},
		"header size":     {change(func(b []byte) []byte { b[15] = 255; return b }), ErrDamaged},
		"body size":       {change(func(b []byte) []byte { b[16]++; return b }), ErrDamaged},
		"cut short":       {change(func(b []byte) []byte { return b[:len(b)-1] }), ErrDamaged},
		"something after": {change(func(b []byte) []byte { return append(b, 0) }), ErrDamaged},
		"weight":          {change(func(b []byte) []byte { b[len(b)-100]++; return b }), ErrChecksum},
		"few weights":     {rewrite(floatHeader{toyArch(), 1}, body[4:]), ErrDamaged},
		"many weights":    {rewrite(floatHeader{toyArch(), 1}, append(body, 0)), ErrDamaged},
		"not a number":    {rewrite(floatHeader{toyArch(), 1}, append([]byte{0, 0, 0xc0, 0x7f}, body[4:]...)), ErrDamaged},
		"temperature":     {rewrite(floatHeader{toyArch(), 0}, body), ErrDamaged},
		"no layers":       {rewrite(floatHeader{Temperature: 1}, nil), ErrDamaged},
		"huge":            {rewrite(floatHeader{huge, 1}, nil), ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := LoadFloat(bytes.NewReader(c.file)); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzLoadFloat(f *testing.F) {
	var b bytes.Buffer
	arch := quant.Arch{Input: quant.Shape{Height: 2, Width: 2, Channels: 1}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 1, Width: 1, Out: 1}, {Kind: quant.Dense, Out: 2}}}
	if _, err := newFloat(arch, 1).WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		n, err := LoadFloat(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := LoadFloat(bytes.NewReader(fileOf(t, n)))
		if err != nil || !bytes.Equal(fileOf(t, again), fileOf(t, n)) {
			t.Errorf("does not survive a round trip: %v", err)
		}
	})
}

// update rewrites the golden file.
var update = flag.Bool("update", false, "write testdata/tiny.float anew")

// tinyFloat is the network in testdata/tiny.float, which
// `go test ./model -run TestFloatGolden -update` makes: weights count up from
// -1 in steps of 1/8, layer by layer, biases after weights.
func tinyFloat() *Float {
	f := newFloat(quant.Arch{Input: quant.Shape{Height: 2, Width: 3, Channels: 1}, Layers: []quant.Layer{
		{Kind: quant.Conv, Height: 1, Width: 2, Out: 2},
		{Kind: quant.MaxPool, Height: 2, Width: 2},
		{Kind: quant.Dense, Out: 2},
	}}, 1)
	next := float32(-1)
	for _, l := range f.Layers {
		for _, values := range [][]float32{l.Weights, l.Biases} {
			for i := range values {
				values[i], next = next, next+1./8
			}
		}
	}
	f.Temperature = 1.5
	return f
}

func TestFloatGolden(t *testing.T) {
	const path = "testdata/tiny.float"
	got := fileOf(t, tinyFloat())
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file format changed: give it another version")
	}
	f, err := LoadFloat(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f, tinyFloat()) {
		t.Errorf("the golden file holds %+v", f)
	}
}
