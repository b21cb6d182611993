package model

import (
	"bytes"
	"errors"
	"math/rand/v2"
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
