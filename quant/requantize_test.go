package quant

import (
	"errors"
	"math"
	"testing"
)

func TestScaled(t *testing.T) {
	accs := []int32{math.MinInt32, math.MinInt32 + 1, -3, -2, -1, 0, 1, 2, 3, math.MaxInt32 - 1, math.MaxInt32}
	mults := []int32{0, 1, 1 << 30, math.MaxInt32}
	for _, acc := range accs {
		for _, mult := range mults {
			for shift := uint8(minShift); shift <= maxShift; shift++ {
				if got, want := scaled(acc, mult, shift), scaledExactly(acc, mult, shift); got != want {
					t.Fatalf("scaled(%d, %d, %d) = %d, want %d", acc, mult, shift, got, want)
				}
			}
		}
	}
}

func TestRequantize(t *testing.T) {
	const half = 1 << 30 // with shift 31: 1/2
	for _, c := range []struct {
		acc  int32
		want uint8
	}{{-5, 0}, {-1, 0}, {0, 0}, {1, 1}, {2, 1}, {3, 2}, {509, 255}, {510, 255}, {511, 255}, {1 << 20, 255}} {
		if got := requantize(c.acc, half, 31); got != c.want {
			t.Errorf("requantize(%d) = %d, want %d", c.acc, got, c.want)
		}
	}
	for _, c := range []struct{ acc, want int32 }{
		{-1, 0}, {1, 1}, {-3, -1}, {math.MinInt32, -LogitLimit}, {math.MaxInt32, LogitLimit},
	} {
		if got := requantizeLogit(c.acc, half, 31); got != c.want {
			t.Errorf("requantizeLogit(%d) = %d, want %d", c.acc, got, c.want)
		}
	}
}

func TestMultiplier(t *testing.T) {
	check := func(scale float64) {
		t.Helper()
		mult, shift, err := Multiplier(scale)
		if err != nil {
			t.Fatalf("%g: %v", scale, err)
		}
		if mult < 0 || shift < minShift || shift > maxShift {
			t.Fatalf("%g: multiplier %d, shift %d out of range", scale, mult, shift)
		}
		bound := scale / (1 << 31)
		if scale < 1.0/(1<<32) {
			bound = 1.0 / (1 << 63)
		}
		if got := math.Ldexp(float64(mult), -int(shift)); math.Abs(got-scale) > bound {
			t.Fatalf("%g: %d/2^%d = %g, off by %g, more than %g", scale, mult, shift, got, got-scale, bound)
		}
	}
	for _, scale := range []float64{1e-300, 1e-19, 1.0 / (1 << 33), 1.0 / (1 << 32), 1e-3, 0.5, math.Nextafter(0.5, 0), 1,
		math.Nextafter(1, 0), 3, 1 << 29, math.Nextafter(1<<30, 0)} {
		check(scale)
	}
	r := newRand(10)
	for range 100_000 {
		check(math.Exp2(-40 + 69*r.Float64()))
	}
	for _, scale := range []float64{0, -1, 1 << 30, math.Inf(1), math.Inf(-1), math.NaN()} {
		if _, _, err := Multiplier(scale); !errors.Is(err, ErrInvalid) {
			t.Errorf("%g: %v", scale, err)
		}
	}
}
